// The servers of a test, on one host, and clients by hand: all are gone when the test is over.
import { type HostFactory, Server, type ServerOptions } from '@halyard/server';
import { afterEach } from 'vitest';
import { WireClient } from './wire';

export interface Served {
  /** What else is to end after the test: the last one first. */
  readonly cleanUp: (() => unknown)[];
  /** @param app is called before the server listens */
  serve(options?: ServerOptions, app?: (io: Server) => void): Promise<Server>;
  open(io: Server): Promise<WireClient>;
}

/** @param defaults of every server's options: a machine that is busy with other tests is not what they are about */
export function served(host: () => HostFactory, defaults: ServerOptions = {}): Served {
  const cleanUp: (() => unknown)[] = [];
  afterEach(async () => {
    for (const end of cleanUp.splice(0).reverse()) await end();
  });
  return {
    cleanUp,
    async serve(options = {}, app = () => {}) {
      const io = new Server({ host: host(), overload: false, ...defaults, ...options });
      app(io);
      await io.listen(0, '127.0.0.1');
      cleanUp.push(() => io.close());
      return io;
    },
    async open(io) {
      const wire = await WireClient.open(io.port);
      cleanUp.push(() => wire.cut());
      return wire;
    },
  };
}
