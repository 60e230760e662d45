// Handled means settled, with a store that servers share: what is open comes again at the next server, what is settled does
// not, and nobody waits for it. And the window: who exceeds it is closed, everyone else goes on.
import { connect } from '@halyard/client';
import { memory, PublicError, type Server, type ServerOptions, type Socket } from '@halyard/server';
import { describe, expect, test } from 'vitest';
import { hosts } from '../kit/hosts';
import { killable } from '../kit/killable';
import { served } from '../kit/served';

/** Something to wait for, that a handler holds open. */
function gate() {
  let open = (_value?: unknown): void => {};
  const opened = new Promise<unknown>((resolve) => (open = resolve));
  return { open, opened };
}

describe.each(hosts)('on %s', (_name, host) => {
  const { cleanUp, open, ...servers } = served(host);
  const serve = (onSocket: (socket: Socket) => void, options: ServerOptions = {}): Promise<Server> =>
    servers.serve({ adapter: memory({ shared: true }), ...options }, (io) => io.on('connection', onSocket));

  test('one handler is open, 20,000 events are behind it, and nobody stalls', async () => {
    const { open, opened } = gate();
    let handled = 0;
    const io = await serve((socket) => {
      socket.on('slow', () => opened);
      socket.on('fast', async () => {
        handled++;
      });
    });
    const client = connect(`http://127.0.0.1:${io.port}`, { offlinePacketsMax: 30_000 });
    cleanUp.push(() => client.connection.close());
    const slow = client.timeout(100_000).emitWithAck('slow');
    for (let i = 1; i < 20_000; i++) client.emit('fast', i);
    await client.emitWithAck('fast', 20_000);
    expect(handled).toBe(20_000);
    open('at last');
    expect(await slow).toBe('at last');
  });

  test('a hundred handlers are open, with others between them, and nobody stalls', async () => {
    const { open, opened } = gate();
    let handled = 0;
    const io = await serve((socket) => {
      socket.on('slow', () => opened);
      socket.on('fast', () => ++handled);
    });
    const client = connect(`http://127.0.0.1:${io.port}`);
    cleanUp.push(() => client.connection.close());
    for (let i = 0; i < 100; i++) for (const event of ['slow', 'fast']) client.emit(event);
    for (let i = 0; i < 3_000; i++) client.emit('fast');
    await client.timeout(20_000).emitWithAck('fast');
    expect(handled).toBe(3_101);
    open();
  });

  test('what waits behind a namespace that was left is handled when its client closes', async () => {
    const { open: release, opened } = gate();
    const heard: string[] = [];
    const io = await serve(() => {});
    let gone = (): void => {};
    const end = new Promise<void>((resolve) => (gone = resolve));
    io.of('/b').on('connection', (socket) => {
      socket.on('slow', () => opened);
      socket.on('say', (text: string) => void heard.push(text));
      socket.on('disconnect', () => {
        if (heard.includes('2')) gone();
      });
    });
    const wire = await open(io);
    wire.send([0, [['/b']]]);
    await wire.packet(11);
    wire.send([2, '/b', 'slow', []], [2, '/b', 'say', ['1']], [13, '/b'], [10, '/b'], [2, '/b', 'say', ['2']]);
    wire.send([13, '/b'], [10, '/b'], [2, '/b', 'say', ['3']]);
    await wire.settle();
    expect(heard).toEqual(['1']);
    wire.close(1000);
    await end;
    expect(heard).toEqual(['1', '2', '3']);
    release();
  });

  test('the window of packets is what the client keeps, and 4429 who does not', async () => {
    const { opened } = gate();
    const options = { windowPacketsMax: 64 };
    const io = await serve((socket) => socket.on('slow', () => opened), options);
    const good = await open(io);
    const wire = await open(io);
    for (const one of [good, wire]) one.send([0]);
    await good.packet(11);
    await wire.packet(11);
    for (let i = 0; i < 64; i++) wire.send([2, '/', 'slow', []]);
    await wire.settle();
    expect(wire.closed).toBeUndefined();
    wire.send([2, '/', 'slow', []]);
    const { code, reason } = await wire.until(({ closed }) => closed);
    expect([code, reason]).toEqual([
      4429,
      'ERR_WINDOW: more than 64 packets that are not confirmed (windowPacketsMax)',
    ]);
    good.send([2, '/', 'unknown', [], 1]);
    await good.packet(4);
  });

  test('WELCOME opens the window for what waits, and not the first SACK', async () => {
    const heard: number[] = [];
    const io = await serve((socket) => socket.on('event', (i: number) => void heard.push(i)), {
      ...{ adapter: memory(), sackPacketsMax: 1_000, sackDelayMs: 10_000, windowPacketsMax: 2_000 },
    });
    const client = connect(`http://127.0.0.1:${io.port}`);
    cleanUp.push(() => client.connection.close());
    let sacked = false;
    client.on('connect', () => setTimeout(() => (sacked = true), 9_000).unref());
    for (let i = 1; i <= 100; i++) client.emit('event', i);
    while (heard.length < 100 && !sacked) await new Promise((resolve) => setImmediate(resolve));
    expect(heard).toHaveLength(100);
  });

  test('a client of ours keeps the window, and loses nothing when it leaves with a full one', async () => {
    const gates: (() => void)[] = [];
    const heard: number[] = [];
    let left = (): void => {};
    const gone = new Promise<void>((resolve) => (left = resolve));
    const io = await serve(
      (socket) => {
        socket.on('slow', (i: number) => {
          heard.push(i);
          return new Promise<void>((resolve) => gates.push(resolve));
        });
        socket.on('disconnect', left);
      },
      { windowPacketsMax: 64, sackPacketsMax: 8 },
    );
    const client = connect(`http://127.0.0.1:${io.port}`);
    cleanUp.push(() => client.connection.close());
    for (let i = 1; i <= 200; i++) client.emit('slow', i);
    while (heard.length < 64) await new Promise((resolve) => setImmediate(resolve));
    client.disconnect();
    while (heard.length < 200) {
      await new Promise((resolve) => setImmediate(resolve));
      for (const open of gates.splice(0)) open();
    }
    for (const open of gates.splice(0)) open();
    await gone;
    expect(heard).toEqual(Array.from({ length: 200 }, (_, i) => i + 1));
  });

  test.each<[what: string, add: (socket: Socket, opened: Promise<unknown>) => void]>([
    ['its handler', (socket, opened) => socket.on('event', () => opened)],
    [
      'one of two handlers, and the other has answered',
      (socket, opened) => {
        socket.on('event', () => 'answer');
        socket.on('event', () => opened);
      },
    ],
    [
      'a handler of any event',
      (socket, opened) => {
        socket.onAny((() => opened) as () => void);
        socket.on('event', () => 'answer');
      },
    ],
    ['middleware', (socket, opened) => socket.use(() => opened as Promise<void>)],
    [
      'middleware that refuses',
      (socket, opened) =>
        socket.use(async () => {
          await opened;
          throw new PublicError('ERR_NO', 'No.');
        }),
    ],
  ])('an event is not told handled while %s has not settled', async (_what, add) => {
    const { open: release, opened } = gate();
    const io = await serve((socket) => add(socket, opened), { sackPacketsMax: 1 });
    const wire = await open(io);
    wire.send([0]);
    await wire.packet(11);
    wire.send([2, '/', 'event', [], 1]);
    await wire.settle();
    expect(wire.received.filter(([type]) => type === 7 || type === 9)).toEqual([[9, 0]]);
    release();
    await wire.packet(7, ([, received]) => received === 1);
  });

  test('an event is not told handled while the namespace has not let its client in', async () => {
    const { open: release, opened } = gate();
    const io = await serve(() => {}, { sackPacketsMax: 1 });
    io.of('/slow').use(() => opened as Promise<void>);
    const wire = await open(io);
    wire.send([0, [['/slow']]], [2, '/slow', 'event', []]);
    await wire.settle();
    expect(wire.received.at(-1)).toEqual([9, 0]);
    release();
    await wire.packet(7, ([, received]) => received === 1);
  });

  test('a resume that skips what was not told settled is another session', async () => {
    const io = await serve((socket) => socket.on('slow', () => new Promise(() => {})));
    const wire = await open(io);
    wire.send([0]);
    const [, session, secret] = await wire.packet(1);
    await wire.packet(11);
    wire.send([2, '/', 'slow', []], [2, '/', 'unknown', []]);
    await wire.settle();
    const back = await open(io);
    back.send([0, [], '', [session, secret, 1, 0, [], [1, 2]]]);
    const welcome = (await back.packet(1)) as unknown[];
    expect([welcome[1] === session, welcome.includes('rolled-back')]).toEqual([false, true]);
    expect(wire.closed).toBeUndefined();
  });

  describe('a server is lost', () => {
    /** Two servers on one store; the first is killed, and the client goes to the second. */
    async function pair(onSocket: (socket: Socket, server: number) => void) {
      const adapter = memory({ shared: true });
      const first = await killable(host(), { adapter }, (io) => io.on('connection', (socket) => onSocket(socket, 1)));
      cleanUp.push(() => first.close());
      const second = await serve((socket) => onSocket(socket, 2), { adapter });
      const wire = await open(first.io);
      wire.send([0]);
      const [, session, secret] = await wire.packet(1);
      await wire.packet(11);
      return {
        wire,
        /** The client goes to the second server. */
        async move(resume: unknown[], left: number) {
          await wire.settle();
          await first.kill();
          first.noticed();
          const back = await open(second);
          back.send([0, [], '', [session, secret, 1, ...resume], '', 0, left]);
          return { back, welcome: await back.packet(1) };
        },
      };
    }

    test('what was open is handled again and told so, what was settled is not', async () => {
      const heard: unknown[] = [];
      const { wire, move } = await pair((socket, server) => {
        socket.on('slow', (text: string) => {
          heard.push([server, text, socket.redelivered]);
          return server === 1 ? new Promise(() => {}) : text;
        });
        socket.on('fast', (text: string) => {
          heard.push([server, text, socket.redelivered]);
        });
      });
      wire.send([2, '/', 'slow', ['a'], 1], [2, '/', 'fast', ['b']]);
      const { back, welcome } = await move([0, [], [2, 2]], 2);
      expect(welcome.slice(4)).toEqual([0, true, '', [2, 2]]);
      back.send([2, '/', 'slow', ['a'], 1], [2, '/', 'slow', ['c'], 2]);
      await back.packet(3, ([, ack]) => ack === 2);
      expect(heard).toEqual([
        [1, 'a', false],
        [1, 'b', false],
        [2, 'a', true],
        [2, 'c', false],
      ]);
    });

    test('what was left behind an open event is left again behind it', async () => {
      const heard: string[] = [];
      const ids: string[] = [];
      const { wire, move } = await pair((socket, server) => {
        if (!ids.includes(socket.id)) ids.push(socket.id);
        const which = ids.indexOf(socket.id) === 0 ? 'first' : 'second';
        socket.on('slow', () => {
          heard.push(`${server} slow, ${which}`);
          return server === 1 ? new Promise(() => {}) : undefined;
        });
        socket.on('disconnect', () => heard.push(`${server} disconnect, ${which}`));
      });
      wire.send([2, '/', 'slow', []], [13, '/'], [10, '/'], [2, '/', 'slow', []]);
      const { back } = await move([0], 4);
      back.send([2, '/', 'slow', []], [13, '/'], [10, '/'], [2, '/', 'slow', [], 9]);
      await back.packet(3);
      // It is entered again once what was before is settled: at the first server that is never.
      expect(heard.toSorted()).toEqual([
        ...['1 disconnect, first', '1 slow, first', '2 disconnect, first', '2 slow, first', '2 slow, second'],
      ]);
      expect(ids).toHaveLength(2);
    });
  });
});
