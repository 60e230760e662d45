// A cable that can be pulled: a TCP proxy on the loopback.
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

export class Cable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #pulled = false;

  private constructor(targetPort: number) {
    this.#server = createServer((client) => {
      if (this.#pulled) {
        client.destroy();
        return;
      }
      const target = connect(targetPort, '127.0.0.1');
      for (const [from, to] of [
        [client, target],
        [target, client],
      ] as const) {
        this.#sockets.add(from);
        from.on('error', () => {});
        from.on('close', () => {
          this.#sockets.delete(from);
          to.destroy();
        });
        from.pipe(to);
      }
    });
  }

  static async open(targetPort: number): Promise<Cable> {
    const cable = new Cable(targetPort);
    await new Promise<void>((resolve) => cable.#server.listen(0, '127.0.0.1', resolve));
    return cable;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Breaks every connection and refuses new ones until `mend`. What is under way is lost. */
  pull(): void {
    this.#pulled = true;
    this.cut();
  }

  mend(): void {
    this.#pulled = false;
  }

  /** Breaks every connection; new ones work. */
  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  async close(): Promise<void> {
    this.pull();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
