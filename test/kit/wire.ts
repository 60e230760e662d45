// A client by hand: JSON tuples over a plain WebSocket, for tests that say what goes over the wire.
import type { Socket } from 'node:net';
import WebSocket from 'ws';

export type WireTuple = unknown[];

export class WireClient {
  readonly received: WireTuple[] = [];
  closed: { code: number; reason: string } | undefined;
  readonly #socket: WebSocket;
  #changed = (): void => {};

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data: Buffer) => {
      this.received.push(JSON.parse(data.toString()) as WireTuple);
      this.#changed();
    });
    socket.on('close', (code, reason) => {
      this.closed = { code, reason: reason.toString() };
      this.#changed();
    });
  }

  static async open(port: number, headers: Record<string, string> = {}, path = '/halyard'): Promise<WireClient> {
    const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, { headers });
    const client = new WireClient(socket);
    await new Promise((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('error', reject);
    });
    return client;
  }

  send(...tuples: WireTuple[]): void {
    for (const tuple of tuples) this.#socket.send(JSON.stringify(tuple));
  }

  /** Waits until something holds of what was received, and returns it. */
  async until<T>(find: (client: this) => T | undefined | false): Promise<T> {
    for (;;) {
      const found = find(this);
      if (found !== undefined && found !== false) return found;
      await new Promise<void>((resolve) => {
        this.#changed = resolve;
      });
    }
  }

  /** Waits for a packet of this type. */
  packet(type: number, matches: (tuple: WireTuple) => boolean = () => true): Promise<WireTuple> {
    return this.until(() => this.received.find((tuple) => tuple[0] === type && matches(tuple)));
  }

  /** Everything the server sent before this call has arrived when it returns. */
  async settle(): Promise<void> {
    const pongs = this.received.filter(([type]) => type === 9).length;
    this.send([8]);
    await this.until(() => this.received.filter(([type]) => type === 9).length > pongs);
  }

  /** Event name and first argument of every EVENT and PUBLISH, in order. */
  get events(): string[] {
    return this.received.flatMap((tuple) => {
      if (tuple[0] === 2) return [`${tuple[2]} ${(tuple[3] as unknown[])[0]}`];
      return tuple[0] === 5 ? [`${tuple[3]} ${(tuple[4] as unknown[])[0]}`] : [];
    });
  }

  /** The highest offset seen of each log, flat as HELLO wants it. */
  get positions(): (string | number)[] {
    const read = new Map<string, number>();
    for (const tuple of this.received) {
      if (tuple[0] !== 5) continue;
      const flat = tuple[2] as (string | number)[];
      for (let i = 0; i < flat.length; i += 2) read.set(flat[i] as string, flat[i + 1] as number);
    }
    return [...read].flat();
  }

  /** How many counted packets arrived. */
  get counted(): number {
    return this.received.filter(([type]) => [2, 3, 4, 11, 12, 13].includes(type as number)).length;
  }

  /** Loses the connection, as a cut cable does. */
  cut(): void {
    this.#socket.terminate();
  }

  /** Stops reading, so that the server's buffers fill. */
  pause(): void {
    (this.#socket as unknown as { _socket: Socket })._socket.pause();
  }

  unpause(): void {
    (this.#socket as unknown as { _socket: Socket })._socket.resume();
  }

  close(code = 1000, reason = ''): Promise<{ code: number; reason: string }> {
    this.#socket.close(code, reason);
    return this.until(() => this.closed);
  }
}
