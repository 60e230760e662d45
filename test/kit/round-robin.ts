// A balancer of connections that knows nothing of sessions, nor of HTTP: each goes to the next server that is well. As others of its
// kind it asks every server now and then, and leaves out who does not answer.
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface RoundRobin {
  readonly port: number;
  close(): Promise<void>;
}

const checkMs = 500;
/** A server that says nothing for so long is left out. */
const checkTimeoutMs = 1_000;

/** @param ports of the servers behind it: asked anew each time */
export async function roundRobin(ports: () => readonly number[]): Promise<RoundRobin> {
  const ill = new Set<number>();
  const sockets = new Set<Socket>();
  let turn = 0;

  const track = (socket: Socket): Socket => {
    sockets.add(socket);
    return socket.on('error', () => {}).on('close', () => sockets.delete(socket));
  };

  const check = (port: number): void => {
    const socket = track(connect(port, '127.0.0.1'));
    const told = (isWell: boolean): void => {
      socket.destroy();
      if (isWell) ill.delete(port);
      else ill.add(port);
    };
    socket.setTimeout(checkTimeoutMs, () => told(false));
    socket.on('connect', () => socket.write('GET /well HTTP/1.1\r\nHost: localhost\r\n\r\n'));
    socket.once('data', () => told(true)).once('error', () => told(false));
  };

  /** @param left how many servers may still be tried */
  const forward = (incoming: Socket, left: number): void => {
    const all = ports();
    const well = all.filter((port) => !ill.has(port));
    const behind = well.length > 0 ? well : all;
    const port = behind[turn++ % behind.length];
    if (port === undefined || left === 0 || incoming.destroyed) {
      incoming.destroy();
      return;
    }
    const outgoing = track(connect(port, '127.0.0.1'));
    let isOpen = false;
    outgoing.on('connect', () => {
      isOpen = true;
      incoming.pipe(outgoing).pipe(incoming);
    });
    incoming.on('close', () => outgoing.destroy());
    outgoing.on('close', () => {
      if (isOpen) incoming.destroy();
      else forward(incoming, left - 1);
    });
  };

  const timer = setInterval(() => ports().forEach(check), checkMs);
  const server = createServer((incoming) => forward(track(incoming), ports().length));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        clearInterval(timer);
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
