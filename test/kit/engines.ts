// The kinds of Redis that servers may share, each of a test's own: one alone, one that a Sentinel watches, and a Cluster of three masters.
import type { RedisOptions } from '@halyard/adapter-redis';
import { RedisCluster } from './redis-cluster';
import { RedisServer } from './redis-server';

export class Engine {
  /** For `redis()` and for an `Emitter`. */
  readonly options: RedisOptions;
  /** Who keeps something. */
  readonly #masters: readonly RedisServer[];
  readonly #end: () => Promise<unknown>;

  constructor(options: RedisOptions, masters: readonly RedisServer[], end: () => Promise<unknown>) {
    this.options = options;
    this.#masters = masters;
    this.#end = end;
  }

  /** @returns what all of them answer: of a Cluster one alone has a key, and the others say nothing of it */
  async tell(command: string): Promise<string[]> {
    const answers = await Promise.all(this.#masters.map((master) => master.tell(command)));
    return answers.flat().filter((line) => !line.startsWith('MOVED '));
  }

  /** Kills it. */
  async stop(): Promise<void> {
    await Promise.all(this.#masters.map((master) => master.stop()));
  }

  /** Starts it again, where it was. */
  async run(): Promise<void> {
    await Promise.all(this.#masters.map((master) => master.run()));
  }

  async end(): Promise<void> {
    await this.#end();
  }
}

/** @param options more of the command line of each that keeps something */
export type StartEngine = (...options: string[]) => Promise<Engine>;

const alone: StartEngine = async (...options) => {
  const server = await RedisServer.start(...options);
  return new Engine({ url: server.url }, [server], () => server.end());
};

const watched: StartEngine = async (...options) => {
  const master = await RedisServer.start(...options);
  const sentinel = await RedisServer.watch('watched', master);
  const sentinels = [{ host: '127.0.0.1', port: sentinel.port }];
  const end = () => Promise.all([sentinel.end(), master.end()]);
  return new Engine({ redis: { name: 'watched', sentinels } }, [master], end);
};

const cluster: StartEngine = async (...options) => {
  const all = await RedisCluster.start({ options });
  return new Engine({ cluster: all.nodes }, all.servers, () => all.end());
};

export const engines: readonly (readonly [name: string, start: StartEngine])[] = [
  ['a Redis', alone],
  ['a Redis that a Sentinel watches', watched],
  ['a Redis Cluster', cluster],
];
