// A session moves while handlers of its events are running: the server that has begun finishes them, whatever server has the session by
// then, and if it is gone before, they are handled again and told so. Longer than other files: each way to move at a bad moment.
import {
  type Adapter,
  PublicError,
  type RemoteSocket,
  type Server,
  type ServerOptions,
  type Socket,
  type Store,
} from '@halyard/server';
import { describe, expect, test } from 'vitest';
import { clusterOf } from '../kit/cluster';
import { places } from '../kit/stores';
import { WireClient } from '../kit/wire';

/** Connections that a server has. */
function openOf(io: Server): number {
  const { samples = [] } = io.metrics().find(({ name }) => name === 'halyard_connections') ?? {};
  return samples.reduce((sum, sample) => sum + ('value' in sample ? sample.value : 0), 0);
}

/** A clock that can be set forward. */
function jumping() {
  let jumpedMs = 0;
  const clock = { now: () => Math.floor(performance.now()) + jumpedMs, after: () => () => {} };
  const jump = (ms: number): void => {
    jumpedMs += ms;
  };
  return { clock, jump };
}

/** Up to which number the server says that all is handled. */
async function handled(wire: WireClient): Promise<number> {
  await wire.settle();
  return wire.received.at(-1)?.[1] as number;
}

describe.each(places)('on %s', (_name, host, useStore) => {
  const use = useStore();
  const { cleanUp, serve } = clusterOf(host, use);

  /** Three servers whose handlers of "hold" wait until they are told to go on. @param change of their stores @param more of their sockets */
  async function three(
    change: (index: number, store: Store) => void = () => {},
    more: (socket: Socket, index: number) => void = () => {},
    options: ServerOptions = {},
  ) {
    const heard: string[] = [];
    const goOn: ((value: unknown) => void)[] = [];
    const moved: Socket[] = [];
    const adapter = use();
    let count = 0;
    const changing: Adapter = (context) => {
      const store = adapter(context);
      change(count++, store as Store);
      return store;
    };
    const app = (io: Server, i: number): void => {
      io.on('connection', (socket) => {
        socket.on('moved', () => moved.push(socket));
        socket.on('hold', async (text: string) => {
          heard.push(`${'ABC'[i]} ${text}${socket.redelivered ? ' again' : ''}`);
          return new Promise<unknown>((resolve) => goOn.push(resolve)) as never;
        });
        socket.on('event', (text: string) => {
          heard.push(`${'ABC'[i]} ${text}${socket.redelivered ? ' again' : ''}`);
          return text;
        });
        more(socket, i);
      });
    };
    const servers = await serve(3, app, { ...options, adapter: changing });
    const [a, b, c] = servers.map(({ io }) => io) as [Server, Server, Server];
    return { a, b, c, servers, heard, goOn, moved };
  }

  const open = async (io: Server) => {
    const wire = await WireClient.open(io.port);
    cleanUp.push(() => wire.cut());
    return wire;
  };

  async function greeted(io: Server) {
    const wire = await open(io);
    wire.send([0, [['/']], 'by hand', null, '', 1]);
    const [, session, secret] = await wire.packet(1);
    await wire.packet(11);
    return { wire, key: [session, secret] as const };
  }

  /** The client comes to a server, and says again what was not settled. */
  async function resumed(io: Server, key: readonly unknown[], generation: number, flight: unknown[][]) {
    const wire = await open(io);
    wire.send([0, [], 'by hand', [...key, 1, 0], '', generation, flight.length]);
    await wire.packet(1);
    if (flight.length > 0) wire.send(...flight);
    await wire.settle();
    return wire;
  }

  const held = [2, '/', 'hold', ['1'], 1];

  test('what is begun is finished where it was begun, and answered where the client is', async () => {
    const { a, b, heard, goOn, moved } = await three();
    const { wire, key } = await greeted(a);
    wire.send(held, [2, '/', 'event', ['2'], 2]);
    await wire.packet(3, ([, ack]) => ack === 2);
    const there = await resumed(b, key, 2, [held, [2, '/', 'event', ['2'], 2]]);
    await expect.poll(() => moved.length).toBe(1);
    // Its handler goes on, and speaks to the client where that is.
    moved[0]?.emit('said', 1);
    moved[0]?.join('room');
    await there.until(({ events }) => events.length === 1);
    await expect.poll(async () => (await b.in('room').fetchSockets()).length).toBe(1);
    goOn[0]?.('done');
    const [, , value] = (await there.packet(3, ([, ack]) => ack === 1)) as unknown[];
    expect(value).toBe('done');
    there.send([2, '/', 'event', ['3'], 3]);
    await there.packet(3, ([, ack]) => ack === 3);
    expect(heard).toEqual(['A 1', 'A 2', 'B 3']);
    expect(there.events).toEqual(['said 1']);
    moved[0]?.leave('room');
    await expect.poll(async () => (await b.in('room').fetchSockets()).length).toBe(0);
    moved[0]?.disconnect();
    await there.packet(13);
    // Of one that is gone nothing comes back.
    const [gone] = (await a.fetchSockets()) as RemoteSocket[];
    expect(gone).toBeUndefined();
  });

  test('a failure is answered as one, and what is done before the client says it again is not handled then', async () => {
    const { a, b, heard, goOn } = await three();
    const { wire, key } = await greeted(a);
    wire.send(held);
    await expect.poll(() => goOn.length).toBe(1);
    const there = await resumed(b, key, 2, []);
    goOn[0]?.(Promise.reject(new PublicError('ERR_OWN', 'not today', { at: new Date(7) })));
    const [, , code, message, data] = (await there.packet(4, ([, ack]) => ack === 1)) as unknown[];
    there.send(held);
    expect([code, message, data]).toEqual(['ERR_OWN', 'not today', { at: { $date: 7 } }]);
    there.send([2, '/', 'event', ['2'], 2]);
    await there.packet(3, ([, ack]) => ack === 2);
    expect(heard).toEqual(['A 1', 'B 2']);
  });

  test('an answer that no codec carries is a failure there too', async () => {
    const { a, b, goOn } = await three();
    const { wire, key } = await greeted(a);
    wire.send(held, [2, '/', 'hold', ['2'], 2]);
    await expect.poll(() => goOn.length).toBe(2);
    const there = await resumed(b, key, 2, [held, [2, '/', 'hold', ['2'], 2]]);
    goOn[0]?.(() => {});
    goOn[1]?.(Promise.reject(new PublicError('ERR_OWN', 'not today', { odd: () => {} } as never)));
    const [, , code] = (await there.packet(4, ([, ack]) => ack === 1)) as unknown[];
    const [, , other, message] = (await there.packet(4, ([, ack]) => ack === 2)) as unknown[];
    expect([code, other, message]).toEqual(['ERR_HANDLER', 'ERR_OWN', 'not today']);
  });

  test('a server that is gone before it is done: the event is handled again, and told so', async () => {
    const { a, b, servers, heard, goOn } = await three();
    const { wire, key } = await greeted(a);
    wire.send(held);
    await expect.poll(() => goOn.length).toBe(1);
    const there = await resumed(b, key, 2, [held]);
    expect(heard).toEqual(['A 1']);
    await servers[0]?.kill();
    servers[0]?.noticed();
    await expect.poll(() => heard).toEqual(['A 1', 'B 1 again']);
    goOn[1]?.('second');
    const [, , value] = (await there.packet(3, ([, ack]) => ack === 1)) as unknown[];
    expect(value).toBe('second');
  });

  test('it moves on while that runs, and comes back', async () => {
    const { a, b, c, heard, goOn } = await three();
    const { wire, key } = await greeted(a);
    wire.send(held);
    await expect.poll(() => goOn.length).toBe(1);
    await resumed(b, key, 2, [held]);
    const third = await resumed(c, key, 3, [held]);
    goOn[0]?.('done');
    const [, , value] = (await third.packet(3, ([, ack]) => ack === 1)) as unknown[];
    expect([value, heard]).toEqual(['done', ['A 1']]);
    third.send([2, '/', 'hold', ['2'], 2]);
    await expect.poll(() => goOn.length).toBe(2);
    const back = await resumed(a, key, 4, [held, [2, '/', 'hold', ['2'], 2]]);
    goOn[1]?.('second');
    await back.packet(3, ([, ack]) => ack === 2);
    expect(heard).toEqual(['A 1', 'C 2']);
  });

  test('is finished where it was begun, though the server takes its time to let the session go', async () => {
    let asked = 0;
    let answered = Promise.resolve();
    let answer = (): void => {};
    const { a, b, heard, goOn } = await three((i, store) => {
      const { commit, send } = { commit: store.commit.bind(store), send: store.send.bind(store) };
      store.send = (...args) => {
        if (`${args[1]}`.includes('let-go')) asked++;
        return send(...args);
      };
      if (i > 0) return;
      store.commit = async (...args) => {
        await answered;
        return commit(...args);
      };
    });
    const { wire, key } = await greeted(a);
    wire.send(held);
    await expect.poll(() => goOn.length).toBe(1);
    answered = new Promise((resolve) => (answer = resolve));
    const there = resumed(b, key, 2, [held]);
    await expect.poll(() => asked).toBeGreaterThan(1);
    answer();
    goOn[0]?.('done');
    const [, , value] = (await (await there).packet(3, ([, ack]) => ack === 1)) as unknown[];
    expect([value, heard]).toEqual(['done', ['A 1']]);
  });

  test('is finished where it was begun, though another server was faster than one that had asked', async () => {
    const isHeld = [false, false, false];
    const goAhead: (() => void)[] = [];
    let isTold = false;
    const { a, b, c, heard, goOn } = await three((i, store) => {
      const { send, session } = { send: store.send.bind(store), session: store.session.bind(store) };
      let hasAsked = false;
      store.send = async (...args) => {
        if (`${args[1]}`.includes('let-go')) hasAsked = true;
        const answer = await send(...args);
        if (`${args[1]}`.includes('finished')) isTold = true;
        return answer;
      };
      // What it reads behind that it reads late.
      store.session = async (...args) => {
        if (hasAsked && !isHeld[i]) {
          isHeld[i] = true;
          await new Promise<void>((resolve) => (goAhead[i] = resolve));
        }
        return session(...args);
      };
    });
    const { wire, key } = await greeted(a);
    wire.send(held);
    await expect.poll(() => goOn.length).toBe(1);
    const [left, there] = [await open(b), await open(c)];
    left.send([0, [], 'by hand', [...key, 1, 0], '', 2, 1]);
    await expect.poll(() => isHeld[1]).toBe(true);
    there.send([0, [], 'by hand', [...key, 1, 0], '', 3, 1]);
    await expect.poll(() => isHeld[2]).toBe(true);
    goAhead[1]?.();
    await left.packet(1);
    goOn[0]?.('done');
    await expect.poll(() => isTold).toBe(true);
    goAhead[2]?.();
    await there.packet(1);
    there.send(held);
    const [, , value] = (await there.packet(3, ([, ack]) => ack === 1)) as unknown[];
    expect([value, heard]).toEqual(['done', ['A 1']]);
  });

  test.each(['a', 'c'] as const)('is finished where it was begun, for a client that goes on to %s', async (next) => {
    let hasLetGo = false;
    let goAhead = (): void => {};
    const { a, b, c, heard, goOn } = await three((i, store) => {
      if (i !== 1) return;
      const send = store.send.bind(store);
      store.send = async (...args) => {
        const answer = await send(...args);
        if (!`${args[1]}`.includes('let-go')) return answer;
        hasLetGo = true;
        await new Promise<void>((resolve) => (goAhead = resolve));
        return answer;
      };
    });
    const { wire, key } = await greeted(a);
    wire.send(held);
    await expect.poll(() => goOn.length).toBe(1);
    const left = await open(b);
    left.send([0, [], 'by hand', [...key, 1, 0], '', 2, 1]);
    await expect.poll(() => hasLetGo).toBe(true);
    left.cut();
    await expect.poll(() => openOf(b)).toBe(0);
    goAhead();
    const there = await resumed({ a, c }[next], key, 3, [held]);
    goOn[0]?.('done');
    const [, , value] = (await there.packet(3, ([, ack]) => ack === 1)) as unknown[];
    expect([value, heard]).toEqual(['done', ['A 1']]);
  });

  test('a server that closes tells first what it has finished, however often it has to', async () => {
    let lost = 0;
    const { a, b, servers, heard, goOn } = await three((i, store) => {
      const send = store.send.bind(store);
      store.send = async (...args) => {
        if (i === 0 && `${args[1]}`.includes('finished') && lost++ < 2) throw new Error('lost on its way');
        return send(...args);
      };
    });
    const { wire, key } = await greeted(a);
    wire.send(held);
    await expect.poll(() => goOn.length).toBe(1);
    const there = await resumed(b, key, 2, [held]);
    const closing = a.close({ drainMs: 60_000 });
    goOn[0]?.('done');
    await closing;
    servers[0]?.noticed();
    const [, , value] = (await there.packet(3, ([, ack]) => ack === 1)) as unknown[];
    expect([value, heard, lost]).toEqual(['done', ['A 1'], 3]);
  });

  test('a server that closes waits for what another one finishes for a client that is away', async () => {
    const { a, b, c, heard, goOn } = await three();
    const { wire, key } = await greeted(a);
    wire.send(held, [2, '/', 'hold', ['2'], 2]);
    await expect.poll(() => goOn.length).toBe(2);
    const left = await resumed(b, key, 2, [held]);
    left.cut();
    await expect.poll(() => openOf(b)).toBe(0);
    const closing = b.close({ drainMs: 60_000 });
    goOn[0]?.('done');
    // Who does not wait is closed by then.
    await Promise.race([closing, new Promise((resolve) => setTimeout(resolve, 200))]);
    goOn[1]?.('done too');
    await closing;
    const there = await open(c);
    there.send([0, [], 'by hand', [...key, 1, 0], '', 3, 2]);
    const [, , , , received] = (await there.packet(1)) as unknown[];
    const [, , first] = (await there.packet(3, ([, ack]) => ack === 1)) as unknown[];
    const [, , second] = (await there.packet(3, ([, ack]) => ack === 2)) as unknown[];
    expect([received, first, second, heard]).toEqual([2, 'done', 'done too', ['A 1', 'A 2']]);
  });

  test('who has asked for a session takes it, though its client is gone by then, and a server that closes finishes that', async () => {
    let isAsked = false;
    let goAhead = (): void => {};
    const { a, c, servers, heard, goOn } = await three((i, store) => {
      if (i !== 1) return;
      const { send, session } = { send: store.send.bind(store), session: store.session.bind(store) };
      store.send = async (...args) => {
        const answer = await send(...args);
        if (`${args[1]}`.includes('let-go')) isAsked = true;
        return answer;
      };
      store.session = async (...args) => {
        if (isAsked) await new Promise<void>((resolve) => (goAhead = resolve));
        return session(...args);
      };
    });
    const { wire, key } = await greeted(a);
    wire.send(held);
    await expect.poll(() => goOn.length).toBe(1);
    const b = servers[1]?.io as Server;
    const left = await open(b);
    left.send([0, [], 'by hand', [...key, 1, 0], '', 2, 1]);
    await expect.poll(() => isAsked).toBe(true);
    left.cut();
    await expect.poll(() => openOf(b)).toBe(0);
    const closing = [a, b].map((io) => io.close({ drainMs: 60_000 }));
    isAsked = false;
    goAhead();
    goOn[0]?.('done');
    await Promise.all(closing);
    for (const server of servers.slice(0, 2)) server.noticed();
    const there = await open(c);
    there.send([0, [], 'by hand', [...key, 1, 0], '', 3, 1]);
    const [, , value] = (await there.packet(3, ([, ack]) => ack === 1)) as unknown[];
    expect([value, heard]).toEqual(['done', ['A 1']]);
  });

  test.each([false, true])(
    'what it does not finish is answered by who does, and by nobody else (that is slower: %s)',
    async (isSlower) => {
      let refuse = (): void => {};
      let pass = (): void => {};
      const { a, b, goOn } = await three(undefined, (socket, i) => {
        socket.use(async ([name]) => {
          if (name !== 'event') return;
          if (i === 0) await new Promise<void>((_resolve, reject) => (refuse = () => reject(new Error('no longer'))));
          else if (isSlower) await new Promise<void>((resolve) => (pass = resolve));
        });
      });
      a.on('error', () => {});
      const { wire, key } = await greeted(a);
      const event = [2, '/', 'event', ['2'], 2];
      wire.send(held, event);
      await expect.poll(() => goOn.length).toBe(1);
      await wire.settle();
      const there = await resumed(b, key, 2, [held, event]);
      if (!isSlower) await there.packet(3, ([, ack]) => ack === 2);
      refuse();
      goOn[0]?.('done');
      await there.packet(3, ([, ack]) => ack === 1);
      pass();
      await there.packet(3, ([, ack]) => ack === 2);
      await there.settle();
      expect(there.received.filter(([type]) => type === 4)).toEqual([]);
    },
  );

  test('an event has its own replies, whichever is finished first', async () => {
    let lost = 0;
    let answer = (_value: unknown): void => {};
    let goOnToo = (): void => {};
    const { a, b, goOn } = await three(
      (i, store) => {
        const send = store.send.bind(store);
        store.send = async (...args) => {
          if (i === 0 && `${args[1]}`.includes('finished') && lost++ === 0) throw new Error('lost on its way');
          return send(...args);
        };
      },
      (socket) => {
        socket.on('two', () => new Promise((resolve) => (answer = resolve)) as never);
        socket.on('two', () => new Promise<void>((resolve) => (goOnToo = resolve)) as never);
      },
    );
    const { wire, key } = await greeted(a);
    const flight = [
      [2, '/', 'two', [], 1],
      [2, '/', 'hold', ['2'], 2],
    ];
    wire.send(...flight);
    await expect.poll(() => goOn.length).toBe(1);
    const there = await resumed(b, key, 2, flight);
    answer('one');
    goOn[0]?.('two');
    await expect.poll(() => lost).toBe(1);
    goOnToo();
    const [, , value] = (await there.packet(3, ([, ack]) => ack === 1)) as unknown[];
    expect([value, there.received.some(([type, ack]) => type === 3 && ack === 2)]).toEqual(['one', false]);
    await there.packet(3, ([, ack]) => ack === 2);
  });

  test('one that takes longer than 30 s is answered by its own reply, if the server that finishes it lives', async () => {
    const { clock, jump } = jumping();
    const { a, b, c, servers, goOn } = await three(undefined, undefined, { clock });
    const { wire, key } = await greeted(a);
    wire.send(held, [2, '/', 'hold', ['2'], 2]);
    await expect.poll(() => goOn.length).toBe(2);
    jump(31_000);
    await expect.poll(() => handled(wire)).toBe(2);
    const there = await open(b);
    there.send([0, [], 'by hand', [...key, 1, 2], '', 2, 2]);
    await there.packet(1);
    goOn[0]?.('done');
    const [type, , value] = (await there.packet(3, ([, ack]) => ack === 1)) as unknown[];
    expect([type, value]).toEqual([3, 'done']);
    // It goes on, and who was to answer is gone.
    const last = await open(c);
    last.send([0, [], 'by hand', [...key, 2, 2], '', 3, 2]);
    await last.packet(1);
    await servers[0]?.kill();
    servers[0]?.noticed();
    const [, , code] = (await last.packet(4, ([, ack]) => ack === 2)) as unknown[];
    const told = [there, last].flatMap(({ received }) => received.filter(([type]) => type === 3 || type === 4));
    expect([code, told.length]).toEqual(['ERR_OWNER_LOST', 2]);
  });

  test('one that takes longer than 30 s is told handled, though nothing else happens', async () => {
    const { clock, jump } = jumping();
    const { a, b, servers, heard, goOn } = await three(undefined, undefined, { clock, heartbeatMs: 250_000 });
    const { wire, key } = await greeted(a);
    wire.send(held);
    await expect.poll(() => goOn.length).toBe(1);
    jump(31_000);
    await expect
      .poll(() => {
        jump(1_000);
        return wire.received.at(-1);
      })
      .toEqual([7, 1]);
    await servers[0]?.kill();
    servers[0]?.noticed();
    const there = await open(b);
    there.send([0, [], 'by hand', [...key, 1, 1], '', 2, 1]);
    const [, , code] = (await there.packet(4)) as unknown[];
    expect([code, heard]).toEqual(['ERR_OWNER_LOST', ['A 1']]);
  });

  test('one that waits in middleware is not begun, however long that takes: who goes on with it handles it', async () => {
    const { clock, jump } = jumping();
    let goAhead = (): void => {};
    const { a, b, heard } = await three(
      undefined,
      (socket, i) => {
        socket.on('arm', () => {
          if (i === 0) socket.use(() => new Promise<void>((resolve) => (goAhead = resolve)));
        });
      },
      { clock },
    );
    const { wire, key } = await greeted(a);
    const warned: string[] = [];
    a.on('warning', ({ code }) => warned.push(code));
    const event = [2, '/', 'event', ['2'], 2];
    wire.send(held, [2, '/', 'arm', []], event);
    await wire.settle();
    jump(31_000);
    // The handler that was begun is open for so long.
    await expect.poll(() => handled(wire)).toBeGreaterThan(0);
    const settled = await handled(wire);
    expect(warned).toEqual(['ERR_WAITS_LONG']);
    const there = await open(b);
    there.send([0, [], 'by hand', [...key, 1, settled], '', 2, 3]);
    await there.packet(1);
    if (settled === 2) there.send(event);
    await there.settle();
    goAhead();
    const [type, , value] = (await there.until(({ received }) =>
      received.find(([type, ack]) => (type === 3 || type === 4) && ack === 2),
    )) as unknown[];
    expect([type, value, heard]).toEqual([3, '2', ['A 1', 'B 2 again']]);
  });

  test('while one takes longer than 30 s, what else is said goes where the session goes', async () => {
    const { clock, jump } = jumping();
    const stores: Store[] = [];
    const sockets: Socket[] = [];
    const { a, b } = await three(
      (_i, store) => void stores.push(store),
      (socket) => void sockets.push(socket),
      { clock, heartbeatMs: 250_000 },
    );
    const until = async (holds: () => boolean): Promise<void> => {
      await expect.poll(() => holds() || jump(200), { interval: 20 }).toBe(true);
    };
    const { wire, key } = await greeted(a);
    wire.send(held);
    await until(() => wire.received.at(-1)?.[0] === 7 && wire.received.at(-1)?.[1] === 1);
    await sockets[0]?.save();
    // What it says from now on is stored too late.
    const [store] = stores as [Store];
    const commit = store.commit.bind(store);
    let go = (): void => {};
    const gone = new Promise<void>((resolve) => {
      go = resolve;
    });
    let isCalled = false;
    store.commit = async (...args) => {
      isCalled = true;
      await gone;
      return commit(...args);
    };
    sockets[0]?.emit('word', 'x');
    await until(() => isCalled);
    const there = await open(b);
    there.send([0, [], 'by hand', [...key, 1, 1], '', 2, 1]);
    await until(() => there.received.some(([type]) => type === 1));
    go();
    await until(() => there.received.some(([type]) => type === 2));
    expect(there.received.filter(([type]) => type === 2).map((packet) => packet.slice(1))).toEqual([
      ['/', 'word', ['x']],
    ]);
  });

  test('one that is answered while another handler of it takes longer than 30 s is answered once', async () => {
    const { clock, jump } = jumping();
    const { a, b, servers } = await three(
      undefined,
      (socket) => {
        socket.on('both', () => 'one' as never);
        socket.on('both', () => new Promise<void>(() => {}));
      },
      { clock },
    );
    const { wire, key } = await greeted(a);
    wire.send([2, '/', 'both', [], 1], [2, '/', 'hold', ['2'], 2]);
    await wire.packet(3, ([, ack]) => ack === 1);
    jump(31_000);
    await expect.poll(() => handled(wire)).toBe(2);
    const there = await open(b);
    there.send([0, [], 'by hand', [...key, 2, 2], '', 2, 2]);
    await there.packet(1);
    await servers[0]?.kill();
    servers[0]?.noticed();
    await there.packet(4, ([, ack]) => ack === 2);
    expect(there.received.filter(([type]) => type === 3 || type === 4).length).toBe(1);
  });

  test('what the app has ended while it is let go is over, and does not go on', async () => {
    let isHeld = false;
    let commits = 0;
    let goAhead = (): void => {};
    const sockets: Socket[] = [];
    const { a, b, moved } = await three(
      (i, store) => {
        const commit = store.commit.bind(store);
        store.commit = async (...args) => {
          if (i === 0 && isHeld && commits++ === 0) await new Promise<void>((resolve) => (goAhead = resolve));
          return commit(...args);
        };
      },
      (socket) => void sockets.push(socket),
    );
    const { key } = await greeted(a);
    await expect.poll(() => sockets.length).toBe(1);
    await sockets[0]?.save();
    isHeld = true;
    const there = await open(b);
    there.send([0, [], 'by hand', [...key, 1, 0], '', 2]);
    await expect.poll(() => commits).toBeGreaterThan(0);
    const over = new Promise((resolve) => sockets[0]?.on('disconnect', resolve));
    sockets[0]?.disconnect(true);
    goAhead();
    await over;
    const answer = await there.until(({ received, closed }) => received[0] ?? closed);
    expect([Array.isArray(answer) && answer[5] === true, moved]).toEqual([false, []]);
  });

  test('who comes in as a server begins to drain is sent on', async () => {
    let isHeld = false;
    let asked = false;
    let goAhead = (): void => {};
    const { a, b } = await three((i, store) => {
      const session = store.session.bind(store);
      store.session = async (...args) => {
        if (i === 0 && isHeld) {
          asked = true;
          await new Promise<void>((resolve) => (goAhead = resolve));
        }
        return session(...args);
      };
    });
    const { key } = await greeted(b);
    isHeld = true;
    const there = await open(a);
    there.send([0, [], 'by hand', [...key, 1, 0], '', 2]);
    await expect.poll(() => openOf(a)).toBe(1);
    await expect.poll(() => asked).toBe(true);
    const closing = a.close({ drainMs: 5_000 });
    isHeld = false;
    goAhead();
    await there.packet(64);
    const { code } = (await there.until(({ closed }) => closed)) as { code: number };
    expect(code).toBe(1012);
    await closing;
  });
});
