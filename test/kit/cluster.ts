// The servers of a test that share a store: all are gone when the test is over.
import { json } from '@halyard/codec/json';
import { msgpack } from '@halyard/codec-msgpack';
import { type Adapter, type HostFactory, memory, type Server, type ServerOptions } from '@halyard/server';
import { afterEach, expect } from 'vitest';
import { type KillableServer, killable } from './killable';
import { untilHolds } from './until';

export interface Cluster {
  /** What else is to end after the test: the last one first. */
  readonly cleanUp: (() => unknown)[];
  /** Servers on one store, that know of each other. @param app is called before each listens */
  serve(count: number, app?: (io: Server, index: number) => void, options?: ServerOptions): Promise<KillableServer[]>;
}

/** @param newStore makes what the servers of one call share. Default: a store in memory */
export function clusterOf(host: () => HostFactory, newStore: () => Adapter = () => memory({ shared: true })): Cluster {
  const cleanUp: (() => unknown)[] = [];
  afterEach(async () => {
    for (const end of cleanUp.splice(0).reverse()) await end();
  });
  return {
    cleanUp,
    async serve(count, app = () => {}, options = {}) {
      const adapter = newStore();
      const servers: KillableServer[] = [];
      for (let i = 0; i < count; i++) {
        const server = await killable(host(), { adapter, codecs: [json(), msgpack()], ...options }, (io) => app(io, i));
        servers.push(server);
        cleanUp.push(() => server.close());
      }
      // A far store tells them of each other in its own time.
      await untilHolds(() => {
        for (const { io } of servers) expect(io.nodes()).toHaveLength(count);
      });
      return servers;
    },
  };
}
