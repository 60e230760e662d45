// The network between browser and server: a TCP proxy that can be cut, and that can be hostile to WebSocket.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** What becomes of a WebSocket handshake. */
export type WebSocketPolicy = 'pass' | 'reset' | 'swallow';

export class Cable {
  readonly #server = createServer((socket) => this.#plug(socket));
  readonly #sockets = new Set<Socket>();
  readonly #targetPort: number;
  readonly #webSockets: WebSocketPolicy;
  #isCut = false;
  /** Connections refused since they were cut. */
  refused = 0;

  private constructor(targetPort: number, webSockets: WebSocketPolicy) {
    this.#targetPort = targetPort;
    this.#webSockets = webSockets;
  }

  static async to(targetPort: number, webSockets: WebSocketPolicy = 'pass'): Promise<Cable> {
    const cable = new Cable(targetPort, webSockets);
    cable.#server.listen(0, '127.0.0.1');
    await once(cable.#server, 'listening');
    return cable;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Every connection breaks, and new ones do too. */
  cut(): void {
    this.#isCut = true;
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  mend(): void {
    this.#isCut = false;
  }

  async close(): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #plug(browser: Socket): void {
    if (this.#isCut) {
      this.refused++;
      browser.on('error', () => {}).resetAndDestroy();
      return;
    }
    this.#watch(browser);
    browser.once('data', (head) => {
      if (/^upgrade: websocket\r$/im.test(head.toString('latin1'))) {
        if (this.#webSockets === 'reset') browser.resetAndDestroy();
        if (this.#webSockets !== 'pass') return;
      }
      const server = this.#watch(connect(this.#targetPort, '127.0.0.1'));
      server.write(head);
      browser.pipe(server).pipe(browser);
      for (const [one, other] of [
        [browser, server],
        [server, browser],
      ] as const) {
        one.on('close', () => other.destroy());
      }
    });
  }

  #watch(socket: Socket): Socket {
    this.#sockets.add(socket);
    socket.on('error', () => {});
    return socket.on('close', () => this.#sockets.delete(socket));
  }
}
