// The servers of a test that share a store: all are gone when the test is over.
import { json } from '@halyard/codec/json';
import { msgpack } from '@halyard/codec-msgpack';
import { type HostFactory, memory, type Server, type ServerOptions } from '@halyard/server';
import { afterEach } from 'vitest';
import { type KillableServer, killable } from './killable';

export interface Cluster {
  /** What else is to end after the test: the last one first. */
  readonly cleanUp: (() => unknown)[];
  /** Servers on one store. @param app is called before each listens */
  serve(count: number, app?: (io: Server, index: number) => void, options?: ServerOptions): Promise<KillableServer[]>;
}

export function clusterOf(host: () => HostFactory): Cluster {
  const cleanUp: (() => unknown)[] = [];
  afterEach(async () => {
    for (const end of cleanUp.splice(0).reverse()) await end();
  });
  return {
    cleanUp,
    async serve(count, app = () => {}, options = {}) {
      const adapter = memory({ shared: true });
      const servers: KillableServer[] = [];
      for (let i = 0; i < count; i++) {
        const server = await killable(host(), { adapter, codecs: [json(), msgpack()], ...options }, (io) => app(io, i));
        servers.push(server);
        cleanUp.push(() => server.close());
      }
      return servers;
    },
  };
}
