// The servers of a test that share a Redis, and clients that come to one of them at a time: all are gone when the test is over.
import { redis } from '@halyard/adapter-redis';
import { connect, type LinkEvents, type Socket, type Transport, websocket } from '@halyard/client/core';
import type { Codec } from '@halyard/codec';
import { json } from '@halyard/codec/json';
import { msgpack } from '@halyard/codec-msgpack';
import type { Frame } from '@halyard/protocol';
import { type Adapter, type HostFactory, node, type Server, type ServerOptions } from '@halyard/server';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { type KillableServer, killable } from './killable';
import { RedisServer } from './redis-server';
import { untilHolds } from './until';

/** A server, as far as a client has to know it. */
interface Place {
  readonly io: Pick<Server, 'port'>;
}

/** A client that comes to one server at a time. */
export interface RoutedClient {
  readonly socket: Socket;
  /** What came as `said`. */
  readonly heard: string[];
  /** Where it comes to from now on. */
  readonly route: { to: Place };
  /** Its connection is lost. */
  cut(): void;
}

/** Servers and clients that are gone with their test. */
export function lab(host: () => HostFactory = node) {
  const cleanUp: (() => unknown)[] = [];
  afterEach(async () => {
    for (const end of cleanUp.splice(0).reverse()) await end();
  });

  return {
    cleanUp,
    /** @param app is called before each listens */
    async serve(
      count: number,
      app: (io: Server, index: number) => void,
      options: ServerOptions & { readonly adapter: Adapter },
    ): Promise<KillableServer[]> {
      const servers: KillableServer[] = [];
      for (let i = 0; i < count; i++) {
        const server = await killable(host(), { codecs: [json(), msgpack()], ...options }, (io) => app(io, i));
        servers.push(server);
        cleanUp.push(() => server.close());
      }
      return servers;
    },
    /** @param onFrame is told all that comes, also what the client has had already. @returns once it is connected */
    async client(to: Place, codec: Codec = json(), onFrame: (frame: Frame) => void = () => {}): Promise<RoutedClient> {
      const route: RoutedClient['route'] = { to };
      let cut = (): void => {};
      const transport: Transport = {
        open(address, its) {
          const events: LinkEvents = {
            ...{ onOpen: () => its.onOpen(), onClose: (close) => its.onClose(close) },
            onFrame(frame) {
              onFrame(frame);
              its.onFrame(frame);
            },
          };
          const link = websocket().open({ ...address, url: `http://127.0.0.1:${route.to.io.port}/halyard` }, events);
          cut = () => {
            link.close(4000, '');
            events.onClose({ code: 1006, reason: 'cut', by: 'network' });
          };
          return link;
        },
      };
      const socket = connect('http://127.0.0.1', { reconnect: { delayMinMs: 1, delayMaxMs: 50 }, codec, transport });
      cleanUp.push(() => socket.connection.close());
      const heard: string[] = [];
      socket.on('said', (text: string) => void heard.push(text));
      await untilHolds(() => expect(socket.connected).toBe(true));
      return { socket, heard, route, cut: () => cut() };
    },
  };
}

export function onRedis() {
  const { serve, ...others } = lab();
  let store: RedisServer;
  let prefixes = 0;

  beforeAll(async () => {
    store = await RedisServer.start();
  });
  afterAll(() => store.end());

  /** An adapter whose servers know nothing of those of other tests. */
  const adapter = (): Adapter => redis({ url: store.url, prefix: `test${prefixes++}` });

  return {
    ...others,
    adapter,
    /** All tests have the same one. */
    store: (): RedisServer => store,
    serve: (
      count: number,
      app: (io: Server, index: number) => void = () => {},
      options: ServerOptions & { readonly adapter: Adapter } = { adapter: adapter() },
    ) => serve(count, app, options),
  };
}
