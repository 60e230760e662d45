// The server of every bad-input test, with somebody else who is talking to it all the time, and the check at the end that
// neither was disturbed.
import { type HostFactory, Server, type ServerOptions } from '@halyard/server';
import { afterEach, expect } from 'vitest';
import { http, RawWebSocket, request } from './raw';

export interface GuardedServer {
  readonly io: Server;
  readonly port: number;
  /** Codes or messages of what the server's `error` event has reported, with where it happened. */
  readonly errors: string[];
  readonly bystander: Bystander;
}

/** Somebody else: asks for an echo, and when it is there for the next, as long as the test lasts. */
export class Bystander {
  readonly #wire: RawWebSocket;
  #asked = 0;
  #answered = 0;
  #timer: NodeJS.Timeout | undefined;

  private constructor(wire: RawWebSocket) {
    this.#wire = wire;
  }

  static async join(port: number): Promise<Bystander> {
    const wire = await RawWebSocket.connect(port);
    await wire.hello();
    const bystander = new Bystander(wire);
    bystander.#ask();
    return bystander;
  }

  /** Its exchange goes on, it has every answer once and in order, and it was not closed. */
  async undisturbed(): Promise<void> {
    const enough = this.#answered + 3;
    await this.#wire.until('the answer to the bystander', () => {
      if (this.#wire.closed !== undefined) throw new Error(`the bystander was closed: ${this.#wire.closed.code}`);
      return this.#answered >= enough;
    });
  }

  leave(): void {
    clearTimeout(this.#timer);
    this.#wire.cut();
  }

  #ask(): void {
    const number = ++this.#asked;
    this.#wire.send([2, '/', 'echo', [`bystander ${number}`], number]);
    this.#wire
      .until('the answer to the bystander', () => {
        if (this.#wire.closed !== undefined) throw new Error('closed');
        return this.#wire.packets.find(([type]) => type === 3);
      })
      .then((packet) => {
        this.#wire.packets.length = 0;
        expect(packet).toEqual([3, number, `bystander ${number}`]);
        this.#answered++;
        this.#timer = setTimeout(() => this.#ask(), 2);
      })
      // `undisturbed` says it.
      .catch(() => {});
  }
}

/** Starts servers on a host. After each test every bystander must be undisturbed, and every server must let its port go. */
export function guardedServers(
  host: () => HostFactory,
): (options?: ServerOptions, app?: (io: Server) => void) => Promise<GuardedServer> {
  const servers: GuardedServer[] = [];

  afterEach(async () => {
    const ended = servers.splice(0);
    try {
      for (const { bystander } of ended) await bystander.undisturbed();
    } finally {
      for (const { io, port, bystander } of ended) {
        bystander.leave();
        await io.close();
        await expect(http(port, request('GET /'))).rejects.toMatchObject({ code: 'ECONNREFUSED' });
      }
    }
  });

  return async (options = {}, app = () => {}) => {
    const io = new Server({ host: host(), ...options });
    const errors: string[] = [];
    io.on('error', (error, { where }) => errors.push(`${where}: ${error instanceof Error ? error.message : error}`));
    io.on('connection', (socket) => {
      socket.on('echo', (value: unknown) => value);
    });
    app(io);
    await io.listen(0, '127.0.0.1');
    const { port } = io;
    const server: GuardedServer = { io, port, errors, bystander: await Bystander.join(port) };
    servers.push(server);
    return server;
  };
}
