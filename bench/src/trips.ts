// How long the first event takes on a link with a delay, in trips there and back: `npm run bench:trips`. The set-up of the TCP connection is
// one more for all of them. A WebSocket that is swallowed is one whose handshake nobody answers.
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, connect as connectTcp, createServer, type Socket as TcpSocket } from 'node:net';
import { connect, type TransportName } from '@halyard/client';
import { Server, uws } from '@halyard/server';
import { Server as SocketIoServer } from 'socket.io';
import { io as connectSocketIo } from 'socket.io-client';
import { WebSocket, WebSocketServer } from 'ws';

const oneWayMs = 100;
const rounds = 5;

interface Link {
  readonly port: number;
  cut(): void;
  close(): void;
}

/** A link to a port: what goes in comes out later, in order. */
async function delayed(port: number, swallowsWebSockets = false): Promise<Link> {
  const sockets = new Set<TcpSocket>();
  const carry = (from: TcpSocket, to: TcpSocket): void => {
    from.on('data', (chunk) => void setTimeout(() => to.writable && to.write(chunk), oneWayMs));
    from.on('close', () => void setTimeout(() => to.destroy(), oneWayMs));
    from.on('error', () => {});
    sockets.add(from);
  };
  const server = createServer({ noDelay: true }, (client) => {
    client.once('data', (head) => {
      if (swallowsWebSockets && /^upgrade: websocket\r$/im.test(head.toString('latin1'))) {
        sockets.add(client.on('error', () => {}));
        return;
      }
      const upstream = connectTcp({ port, host: '127.0.0.1', noDelay: true });
      carry(client, upstream);
      carry(upstream, client);
      setTimeout(() => upstream.write(head), oneWayMs);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  const close = (): void => {
    server.close();
    cut();
  };
  return { port: (server.address() as AddressInfo).port, cut, close };
}

/** @returns trips there and back, to half of one, of a try whose last half is the way of the event to the server */
async function measure(once: () => Promise<number>): Promise<string> {
  const times: number[] = [];
  for (let i = 0; i < rounds; i++) times.push(await once());
  const median = times.toSorted((a, b) => a - b)[rounds >> 1] as number;
  return `${(Math.round(median / oneWayMs) / 2).toFixed(1)} | ${Math.round(median)} ms`;
}

async function main(): Promise<void> {
  const io = new Server({ host: uws() });
  let handled = (): void => {};
  io.on('connection', (socket) => void socket.on('first', () => handled()));
  await io.listen(0, '127.0.0.1');

  const ofHalyard =
    (transports: readonly TransportName[], swallows = false, resumes = false) =>
    async () => {
      const link = await delayed(io.port, swallows);
      const client = connect(`http://127.0.0.1:${link.port}`, { transports });
      const begun = (): Promise<number> =>
        new Promise((resolve) => {
          client.connection.on('state', ({ to }) => void (to === 'connecting' && resolve(performance.now())));
        });
      let start = performance.now();
      if (resumes) {
        await new Promise((resolve) => client.on('connect', resolve));
        const again = begun();
        link.cut();
        start = await again;
      }
      const arrived = new Promise<void>((resolve) => (handled = resolve));
      client.emit('first');
      await arrived;
      const took = performance.now() - start;
      client.disconnect();
      link.close();
      return took;
    };

  const bare = async (): Promise<number> => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    await once(server, 'listening');
    const link = await delayed((server.address() as AddressInfo).port);
    const arrived = new Promise<void>((resolve) => server.on('connection', (ws) => ws.on('message', () => resolve())));
    const start = performance.now();
    const ws = new WebSocket(`ws://127.0.0.1:${link.port}`);
    ws.on('open', () => ws.send('first'));
    await arrived;
    const took = performance.now() - start;
    ws.terminate();
    link.close();
    server.close();
    return took;
  };

  const ofSocketIo = (transports: string[]) => async () => {
    const http = createHttpServer();
    const server = new SocketIoServer(http);
    http.listen(0, '127.0.0.1');
    await once(http, 'listening');
    const link = await delayed((http.address() as AddressInfo).port);
    const arrived = new Promise<void>((resolve) =>
      server.on('connection', (socket) => void socket.on('first', () => resolve())),
    );
    const start = performance.now();
    const client = connectSocketIo(`http://127.0.0.1:${link.port}`, { transports });
    client.emit('first');
    await arrived;
    const took = performance.now() - start;
    client.disconnect();
    link.close();
    await server.close();
    return took;
  };

  console.log(`| to the first event handled, ${2 * oneWayMs} ms there and back | trips | median of ${rounds} |`);
  console.log('| --- | --: | --: |');
  const row = async (name: string, once: () => Promise<number>): Promise<void> =>
    console.log(`| ${name} | ${await measure(once)} |`);
  await row('a bare WebSocket', bare);
  await row('Halyard, WebSocket', ofHalyard(['websocket']));
  await row('Halyard, WebSocket, resumed', ofHalyard(['websocket'], false, true));
  await row('Halyard, sse', ofHalyard(['sse']));
  await row('Halyard, sse, resumed', ofHalyard(['sse'], false, true));
  await row('Halyard, polling', ofHalyard(['polling']));
  await row('Halyard, WebSocket swallowed', ofHalyard(['websocket', 'sse', 'polling'], true));
  await row('Socket.IO, WebSocket alone', ofSocketIo(['websocket']));
  await row('Socket.IO as it comes', ofSocketIo(['polling', 'websocket']));
  process.exit(0);
}

await main();
