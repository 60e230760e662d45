// Who meets a limit is counted by the name of the option, each time, and the event `warning` says so once a minute.
import { memory, type Server, type ServerOptions, type Warning } from '@halyard/server';
import { describe, expect, test } from 'vitest';
import { hosts } from '../kit/hosts';
import { served } from '../kit/served';
import { untilHolds } from '../kit/until';
import { http, RawSocket, RawWebSocket, request } from './raw';

interface Met {
  readonly options: ServerOptions;
  readonly app?: (io: Server) => unknown;
  /** Meets it. @param io has the option */
  meet(io: Server): Promise<unknown>;
}

async function hello({ port }: Server, ...packets: unknown[][]): Promise<RawWebSocket> {
  const socket = await RawWebSocket.connect(port);
  await socket.hello();
  socket.send(...packets);
  return socket;
}

async function closes(io: Server, code: number, ...packets: unknown[][]): Promise<void> {
  const socket = await hello(io, ...packets);
  expect((await socket.close()).code).toBe(code);
}

const never = new Promise<never>(() => {});
const slow = (io: Server): unknown => io.of('/slow').use(() => never);
const many = (count: number, packet: unknown[]): unknown[][] => Array.from({ length: count }, () => packet);
const text = 'x'.repeat(600);

const limits: Record<string, Met> = {
  namespacesPerSessionMax: {
    options: { namespacesPerSessionMax: 1 },
    app: (io) => io.of('/more'),
    async meet(io) {
      const socket = await hello(io, [10, '/more']);
      expect(await socket.packet(12)).toEqual([12, '/more', 'ERR_NAMESPACES_FULL', expect.any(String)]);
    },
  },
  roomsPerSocketMax: {
    options: { roomsPerSocketMax: 1 },
    app: (io) =>
      io.on('connection', (socket) => {
        socket.join('one');
        expect(() => socket.join('two')).toThrow('roomsPerSocketMax');
      }),
    meet: (io) => hello(io),
  },
  pendingAcksMax: {
    options: { pendingAcksMax: 1 },
    app: (io) =>
      io.on('connection', (socket) => {
        socket.emitWithAck('one').catch(() => {});
        socket.emitWithAck('two').catch(() => {});
      }),
    meet: (io) => hello(io),
  },
  httpBodyBytesMax: {
    options: { httpBodyBytesMax: 1_024 },
    async meet({ port }) {
      const { status } = await http(
        port,
        request('POST /halyard', { 'Content-Length': '200000' }, 'x'.repeat(200_000)),
      );
      expect(status).toBe(413);
    },
  },
  bodyTimeoutMs: {
    options: { bodyTimeoutMs: 100 },
    async meet({ port }) {
      expect((await http(port, request('POST /halyard', { 'Content-Length': '9' }, 'x'))).status).toBe(408);
    },
  },
  helloTimeoutMs: {
    options: { helloTimeoutMs: 100 },
    async meet({ port }) {
      expect((await (await RawWebSocket.connect(port)).close()).code).toBe(4408);
    },
  },
  windowPacketsMax: {
    options: { windowPacketsMax: 64, packetsPerSecondMax: 10 },
    app: (io) => io.on('connection', (socket) => socket.on('e', () => {})),
    meet: (io) => closes(io, 4429, ...many(100, [2, '/', 'e', []])),
  },
  windowBytesMax: {
    options: { windowBytesMax: 65_536, packetsPerSecondMax: 10 },
    app: (io) => io.on('connection', (socket) => socket.on('e', () => {})),
    meet: (io) => closes(io, 4429, ...many(150, [2, '/', 'e', [text]])),
  },
  outboxPacketsMax: {
    options: { outboxPacketsMax: 16 },
    app: (io) => io.on('connection', (socket) => void many(17, []).forEach(() => void socket.emit('e'))),
    meet: (io) => closes(io, 4413),
  },
  outboxBytesMax: {
    options: { outboxBytesMax: 65_536 },
    app: (io) => io.on('connection', (socket) => void many(120, []).forEach(() => void socket.emit('e', text))),
    meet: (io) => closes(io, 4413),
  },
  waitingPacketsMax: {
    options: { waitingPacketsMax: 1 },
    app: slow,
    meet: (io) => hello(io, [10, '/slow'], ...many(2, [2, '/slow', 'e', []])),
  },
  waitingBytesMax: {
    options: { waitingBytesMax: 1_024 },
    app: slow,
    meet: (io) => hello(io, [10, '/slow'], ...many(2, [2, '/slow', 'e', [text]])),
  },
  frameBytesMax: {
    options: { frameBytesMax: 1_024 },
    async meet({ port }) {
      const socket = await RawWebSocket.connect(port);
      socket.send([0, [['/', { text: text + text }]]]);
      expect((await socket.close()).code).toBe(1009);
    },
  },
};

describe.each(hosts)('on %s', (_name, host) => {
  const { serve } = served(host);

  async function warned(options: ServerOptions, app: Met['app']): Promise<[Server, Warning[]]> {
    const warnings: Warning[] = [];
    const io = await serve(options, (server) => {
      server.on('warning', (warning) => warnings.push(warning)).on('error', () => {});
      app?.(server);
    });
    return [io, warnings];
  }

  const counted = (io: Server): unknown => io.metrics().find(({ name }) => name === 'halyard_warnings_total')?.samples;

  test.each(Object.entries(limits))('%s', async (option, { options, app, meet }) => {
    const [io, warnings] = await warned(options, app);
    await meet(io);
    await meet(io);
    await untilHolds(() => expect(counted(io)).toContainEqual({ labels: { code: option }, value: 2 }));
    // Who meets the window has met the rate before.
    const others = warnings.filter(({ code }) => code !== 'packetsPerSecondMax');
    expect(others).toEqual([{ code: option, count: 1, message: expect.stringContaining(option) }]);
  });

  test('windowPacketsMax, while a store is asked for the session', async () => {
    const [io, warnings] = await warned({ windowPacketsMax: 64, adapter: memory({ shared: true }) }, (server) =>
      server.onResume(() => never),
    );
    const { session, secret } = await (await RawWebSocket.connect(io.port)).hello();
    const back = await RawWebSocket.connect(io.port);
    back.send([0, [], '', [session, secret, 1, 0]], ...many(2_000, [2, '/', 'e', []]));
    expect((await back.close()).code).toBe(4429);
    expect(warnings.map(({ code }) => code)).toEqual(['windowPacketsMax']);
  });

  test('helloTimeoutMs, while the app is asked whether the session may come back', async () => {
    const [io, warnings] = await warned({ helloTimeoutMs: 100 }, (server) => server.onResume(() => never));
    const { session, secret } = await (await RawWebSocket.connect(io.port)).hello();
    const back = await RawWebSocket.connect(io.port);
    back.send([0, [], '', [session, secret, 1, 0]]);
    expect((await back.close()).code).toBe(1013);
    expect(warnings.map(({ code }) => code)).toEqual(['helloTimeoutMs']);
  });

  test('who goes away before the whole body has come has met no limit, and a body that is refused is refused once', async () => {
    const [io, warnings] = await warned({ bodyTimeoutMs: 200, httpBodyBytesMax: 1_024 }, undefined);
    const gone = await RawSocket.open(io.port);
    gone.write(request('POST /halyard', { 'Content-Length': '9' }, 'x'));
    const big = await RawSocket.open(io.port);
    big.write(request('POST /halyard', { 'Content-Length': '500000' }, 'x'.repeat(2_000)));
    expect((await big.response()).status).toBe(413);
    for (let i = 0; i < 4; i++) {
      big.write('x'.repeat(2_000));
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    gone.cut();
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(warnings.map(({ code }) => code)).toEqual(['httpBodyBytesMax']);
    expect(counted(io)).toEqual([{ labels: { code: 'httpBodyBytesMax' }, value: 1 }]);
    big.cut();
  });
});
