// What every test of this folder starts from: a server at its port, and clients on the raw wire with their sockets.
import { afterEach } from 'vitest';
import type { HostStart } from '../../../../../test/kit/hosts';
import { WireClient } from '../../../../../test/kit/wire';
import type { Server, ServerOptions, Socket } from '../../index';

/** What a client needs to come back. */
interface Resumable {
  readonly wire: WireClient;
  readonly session: string;
  readonly secret: string;
}

interface Joined extends Resumable {
  readonly socket: Socket;
}

interface Clients {
  listening(options?: ServerOptions): Promise<Server>;
  /** Connects and joins rooms. */
  join(io: Server, ...rooms: string[]): Promise<Joined>;
  /** Resumes from what the client has read, or from where it says it is. */
  resume(io: Server, client: Resumable, received?: number, positions?: WireClient['positions']): Promise<WireClient>;
  /** Cuts the connection and waits until the server has seen it. */
  away(client: Joined): Promise<void>;
}

/** @param start gives a server that is reached at its `port` on 127.0.0.1; each is closed after its test */
export function clientsOf(start: HostStart): Clients {
  const servers: Server[] = [];

  afterEach(async () => {
    for (const io of servers.splice(0)) await io.close();
  });

  return {
    async listening(options = {}) {
      const io = await start(options);
      servers.push(io);
      return io;
    },
    async join(io, ...rooms) {
      const wire = await WireClient.open(io.port);
      wire.send([0]);
      const [, session, secret] = (await wire.packet(1)) as [number, string, string];
      const [, , id] = (await wire.packet(11)) as [number, string, string];
      const socket = io.sockets.get(id);
      if (socket === undefined) throw new Error('no socket');
      socket.join(rooms);
      return { wire, socket, session, secret };
    },
    async resume(io, { wire, session, secret }, received = wire.counted, positions = wire.positions) {
      const next = await WireClient.open(io.port);
      next.send([0, [['/']], 'test', [session, secret, received, 0, positions]]);
      await next.packet(1);
      return next;
    },
    async away({ wire, socket }) {
      const gone = new Promise<void>((resolve) => socket.once('away', () => resolve()));
      wire.cut();
      await gone;
    },
  };
}
