// The one Redis of a run: started at a free port, keeps nothing, tells what it has done, and is gone with the run.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createServer } from 'node:net';
import { Redis } from 'ioredis';
import { pinnedTo } from '../base/pinning';
import { sleep } from '../base/sleep';

/** What a cluster cannot be measured without is not on this machine. */
export class MissingRedisError extends Error {
  readonly code = 'ERR_REDIS_MISSING';

  constructor() {
    super(
      'redis-server 7 or later is not here, and the workloads of a cluster need it: install it ' +
        '(Debian, Ubuntu: apt-get install redis-server; macOS: brew install redis) so that it is in the PATH',
    );
    this.name = 'MissingRedisError';
  }
}

/** What it has done since it was started. */
export interface RedisMark {
  /** User and system time, in microseconds. */
  readonly cpuUs: number;
  /** Command → how often, by clients and by scripts. */
  readonly calls: Readonly<Record<string, number>>;
  readonly usedBytes: number;
}

const startMsMax = 5_000;
/** What this file asks itself, and how connections begin. */
const notCounted = ['info', 'client|setinfo', 'hello', 'auth', 'select', 'ping'];

export class RedisServer {
  readonly url: string;
  readonly version: string;
  readonly #process: ChildProcess;
  readonly #client: Redis;

  private constructor(url: string, version: string, child: ChildProcess, client: Redis) {
    this.url = url;
    this.version = version;
    this.#process = child;
    this.#client = client;
  }

  /** @throws MissingRedisError */
  static async start(processor: number | undefined): Promise<RedisServer> {
    const { status, stdout } = spawnSync('redis-server', ['--version'], { encoding: 'utf8' });
    const version = /v=([\d.]+)/.exec(stdout ?? '')?.[1] ?? 'unknown';
    if (status !== 0 || Number.parseInt(version, 10) < 7) throw new MissingRedisError();
    const port = await freePort();
    const command = [...pinnedTo(processor), 'redis-server', '--port', `${port}`, '--bind', '127.0.0.1'];
    const [file = '', ...args] = [...command, '--save', '', '--appendonly', 'no'];
    const child = spawn(file, args, { stdio: 'ignore' });
    const url = `redis://127.0.0.1:${port}`;
    const client = new Redis(url, { retryStrategy: () => 20, maxRetriesPerRequest: null });
    client.on('error', () => {});
    const kill = () => child.kill('SIGKILL');
    process.once('exit', kill);
    child.once('exit', () => process.off('exit', kill));
    const server = new RedisServer(url, version, child, client);
    const isUp = await Promise.race([client.ping(), sleep(startMsMax).then(() => undefined)]);
    if (isUp !== undefined) return server;
    server.end();
    throw new Error(`redis-server has not answered within ${startMsMax} ms`);
  }

  async mark(): Promise<RedisMark> {
    return readInfo(await this.#client.info('cpu', 'commandstats', 'memory'));
  }

  end(): void {
    this.#client.disconnect();
    this.#process.kill('SIGKILL');
  }
}

/** @param info as INFO answers */
export function readInfo(info: string): RedisMark {
  const numberOf = (name: string) => Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(info)?.[1] ?? Number.NaN);
  const calls: Record<string, number> = {};
  for (const [, name = '', count] of info.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm)) {
    if (!notCounted.includes(name)) calls[name] = Number(count);
  }
  return {
    cpuUs: (numberOf('used_cpu_user') + numberOf('used_cpu_sys')) * 1_000_000,
    calls,
    usedBytes: numberOf('used_memory'),
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
