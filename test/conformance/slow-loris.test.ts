// Peers that go on so slowly that they never come to an end: each is let go in a bounded time, in whichever phase it is, and nobody else
// notices. Who stands still is in bad-input-idle.test.ts.
import { connect as connectTcp, type Socket } from 'node:net';
import type { Server } from '@halyard/server';
import { expect, test } from 'vitest';
import { starts } from '../kit/hosts';
import { untilHolds } from '../kit/until';
import { Bystander } from './guarded-server';
import { Poller } from './poller';
import { handshake, request, wsFrame } from './raw';

/** What a peer writes at once, and then one piece after the other. */
interface Drip {
  readonly first: string | Uint8Array | readonly Uint8Array[];
  readonly piece: (number: number) => string;
  /** Whether it is the app that decides, where the server is the app's. */
  readonly isApps?: boolean;
}

const post = 'POST /halyard HTTP/1.1\r\nHost: halyard.test\r\n';
const hello = wsFrame('[0,[["/"]]]');
const long = wsFrame(`[2,"/","echo",["${'x'.repeat(100_000)}"]]`);

const drips: Readonly<Record<string, Drip>> = {
  'a line of a request': { first: '', piece: (i) => 'POST /halyard'[i] ?? 'x', isApps: true },
  'a header field': { first: `${post}X-Long: `, piece: () => 'x', isApps: true },
  'header fields': { first: post, piece: (i) => `X-${i}: y\r\n`, isApps: true },
  'a body': { first: `${post}Content-Length: 100000\r\n\r\n`, piece: () => 'x' },
  'a body in chunks': { first: `${post}Transfer-Encoding: chunked\r\n\r\n`, piece: () => '1\r\nx\r\n' },
  'nothing behind a handshake but pings': { first: handshake(), piece: () => wsFrame('', 9).toString('latin1') },
  'the frame of a HELLO': { first: handshake(), piece: (i) => hello.subarray(i, i + 1).toString('latin1') || ' ' },
  'a frame of a session': { first: [Buffer.from(handshake()), hello, long.subarray(0, 20)], piece: () => 'x' },
  'pings of a session that answers no PING': {
    first: [Buffer.from(handshake()), hello],
    piece: () => wsFrame('', 9).toString('latin1'),
  },
};

const options = {
  heartbeatMs: 400,
  heartbeatTimeoutMs: 400,
  helloTimeoutMs: 500,
  bodyTimeoutMs: 1_500,
  recoveryWindowMs: 0,
};

/** @returns once the server has ended the connection */
function drip(port: number, { first, piece }: Drip, everyMs: number): Promise<void> {
  return new Promise((resolve) => {
    const socket = connectTcp(port, '127.0.0.1');
    let number = 0;
    let timer: NodeJS.Timeout | undefined;
    const over = (): void => {
      clearInterval(timer);
      socket.destroy();
      resolve();
    };
    socket.on('error', over).on('end', over).on('close', over).resume();
    socket.on('connect', () => {
      for (const part of Array.isArray(first) ? first : [first]) socket.write(part as string);
      timer = setInterval(() => socket.write(piece(number++), 'latin1'), everyMs);
    });
  });
}

test.each(starts)('what drips comes to an end, %s', { timeout: 40_000 }, async (name, start) => {
  const io = await start({ ...options, heartbeatMs: 400 });
  io.on('connection', (socket) => socket.on('echo', (value) => value));
  const bystander = await Bystander.join(io.port);
  const left = new Set<string>();
  try {
    const its = Object.entries(drips).filter(([, { isApps }]) => !isApps || !name.startsWith('attached'));
    const all = its.map(async ([what, how]) => {
      left.add(what);
      await drip(io.port, how, 150);
      left.delete(what);
    });
    await untilHolds(() => expect([...left]).toEqual([]));
    await Promise.all(all);
    await bystander.undisturbed();
  } finally {
    bystander.leave();
    await io.close();
  }
});

/** A peer that asks for much, and reads nothing. */
function unread(port: number, write: (socket: Socket) => void): Promise<Socket> {
  return new Promise((resolve) => {
    const socket = connectTcp({ port, host: '127.0.0.1', noDelay: true }, () => {
      socket.pause();
      write(socket);
      resolve(socket);
    });
    socket.on('error', () => {});
  });
}

const connectionsOf = (io: Server): number =>
  (io.metrics().find(({ name }) => name === 'halyard_connections')?.samples ?? []).reduce(
    (sum, sample) => sum + ('value' in sample ? sample.value : 0),
    0,
  );

test.each(starts)('an answer that nobody reads is not kept, %s', { timeout: 40_000 }, async (_name, start) => {
  const io = await start(options);
  io.on('connection', (socket) => {
    socket.on('much', () => {
      for (let i = 0; i < 3; i++) socket.emit('text', 'x'.repeat(1_000_000));
    });
  });
  const much = '[2,"/","much",[]]';
  const poller = await Poller.open(io.port);
  await poller.post(1, `[0,[["/"]]]\n${much}`);
  const sockets = await Promise.all([
    unread(io.port, (socket) => {
      for (const part of [Buffer.from(handshake()), hello, wsFrame(much)]) socket.write(part);
    }),
    unread(io.port, (socket) =>
      socket.write(request('GET /halyard', { 'halyard-connection': poller.connection, 'halyard-ack': '1' })),
    ),
    unread(io.port, (socket) => socket.write(request('GET /halyard', { accept: 'text/event-stream' }))),
  ]);
  try {
    const isOver = (): void => expect([connectionsOf(io), io.sockets.size]).toEqual([0, 0]);
    await untilHolds(isOver);
  } finally {
    for (const socket of sockets) socket.destroy();
    await io.close();
  }
});
