// Longer than other files: all of what an application holds, and does with it.
import { PacketType, PublicError, reservedEvents } from '@halyard/protocol';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { briefs, connected, event, open, scene, settle, watch, welcome } from '../../testing/fake';

afterEach(() => vi.restoreAllMocks());

describe('acknowledgements', () => {
  test('a reply resolves, an error of the handler rejects as a PublicError', async () => {
    const { socket, link } = await open();
    const good = socket.emitWithAck('ask', 1);
    const bad = socket.emitWithAck('ask', 2);
    const empty = socket.emitWithAck('ask', 3);
    expect(briefs(await link.read())).toEqual(['EVENT / ask [1] #1', 'EVENT / ask [2] #2', 'EVENT / ask [3] #3']);
    await link.say(
      { type: PacketType.Error, ack: 2, code: 'ERR_NO', message: 'no', data: [1] },
      { type: PacketType.Ack, ack: 1, value: { a: 1 } },
      { type: PacketType.Ack, ack: 3, value: undefined },
    );
    expect(await good).toEqual({ a: 1 });
    await expect(bad).rejects.toMatchObject({ name: 'PublicError', code: 'ERR_NO', message: 'no', data: [1] });
    expect(await empty).toBeUndefined();
  });

  test('what a handler returns, or its promise, is the reply', async () => {
    const { socket, link } = await open();
    socket.on('now', (n: number) => n + 1);
    socket.on('later', async (n: number) => n + 2);
    socket.on('nothing', () => {});
    await link.say(event('now', [1], 1), event('later', [1], 2), event('nothing', [], 3), event('unheard', [], 4));
    expect(briefs(await link.read()).sort()).toEqual([
      'ACK #1 2',
      'ACK #2 3',
      'ACK #3 undefined',
      'ERROR #4 ERR_NO_HANDLER No handler for this event. undefined',
    ]);
  });

  test('of several handlers the first result that is not undefined is the reply, and there is one', async () => {
    const { socket, link } = await open();
    socket.on('x', () => {});
    socket.on('x', async () => 'a');
    socket.on('x', async () => settle().then(() => 'b'));
    await link.say(event('x', [], 1));
    await settle();
    expect(briefs(await link.read())).toEqual(['ACK #1 "a"']);
  });

  test('a handler that only takes note, even an async one, does not answer for the one that has the reply', async () => {
    const { socket, link } = await open();
    socket.on('x', async () => {});
    socket.on('x', () => settle().then(() => 'b'));
    await link.say(event('x', [], 1));
    await settle();
    expect(briefs(await link.read())).toEqual(['ACK #1 "b"']);
  });

  test('what a PublicError has fits into the packet: an empty code, half a character, too much of it', async () => {
    const { socket, link } = await open();
    const codes = ['', `${'x'.repeat(255)}😀`];
    socket.on('fail', (which: number) => {
      throw new PublicError(codes[which]!, '\ud83d');
    });
    await link.say(event('fail', [0], 1), event('fail', [1], 2));
    expect(briefs(await link.read())).toEqual([
      'ERROR #1 ERR_HANDLER \ufffd undefined',
      `ERROR #2 ${'x'.repeat(255)} \ufffd undefined`,
    ]);
  });

  test('a PublicError goes over as it is; any other is hidden there and reported here', async () => {
    const { socket, link, log } = await open();
    socket.on('public', () => {
      throw new PublicError('ERR_MINE', 'm'.repeat(2_000), { a: 1 });
    });
    socket.on('secret', async () => {
      throw new Error('password: 1234');
    });
    await link.say(event('public', [], 1), event('secret', [], 2));
    expect(briefs(await link.read())).toEqual([
      `ERROR #1 ERR_MINE ${'m'.repeat(1_024)} {"a":1}`,
      'ERROR #2 ERR_HANDLER The handler failed. undefined',
    ]);
    expect(log.slice(1)).toEqual([['error', 'Error: password: 1234']]);
  });

  test('what is thrown and no object comes as an error, with or without a reply', async () => {
    const { socket, link, log } = await open();
    const thrown = ['text', undefined, Symbol('mark')];
    socket.on('x', (which: number) => {
      throw thrown[which];
    });
    await link.say(...thrown.flatMap((_one, i) => [event('x', [i]), event('x', [i], i + 1)]));
    await settle();
    expect(briefs(await link.read())).toEqual(
      thrown.map((_one, i) => `ERROR #${i + 1} ERR_HANDLER The handler failed. undefined`),
    );
    const told = ['Error: thrown: text', 'Error: thrown: undefined', 'Error: thrown: Symbol(mark)'];
    expect(new Set(log.slice(1).map(([, error]) => error))).toEqual(new Set(told));
    expect(log.length - 1).toBe(2 * thrown.length);
  });

  test('a reply that cannot be encoded is a failed handler', async () => {
    const { socket, link, log } = await open();
    socket.on('x', () => new Map());
    await link.say(event('x', [], 1));
    expect(briefs(await link.read())).toEqual(['ERROR #1 ERR_HANDLER The handler failed. undefined']);
    expect(log.slice(1)).toEqual([['error', 'ERR_NOT_ENCODABLE']]);
  });

  test('a PublicError whose data cannot be encoded keeps its code and message, as on the server', async () => {
    const { socket, link, log } = await open();
    socket.on('x', () => {
      throw new PublicError('ERR_MINE', 'mine', new Map() as never);
    });
    await link.say(event('x', [], 1));
    expect(briefs(await link.read())).toEqual(['ERROR #1 ERR_MINE mine undefined']);
    expect(log.slice(1)).toEqual([['error', 'ERR_NOT_ENCODABLE']]);
  });

  test('a handler that throws for an event nobody waits for is reported, and the others run', async () => {
    const { socket, link, log } = await open();
    const other = vi.fn();
    socket.on('x', () => {
      throw new PublicError('ERR_MINE', '');
    });
    socket.on('x', other);
    await link.say(event('x', [7]));
    expect(other).toHaveBeenCalledWith(7);
    expect(log.slice(1)).toEqual([['error', 'ERR_MINE']]);
  });

  test('without a listener for errors they are printed', async () => {
    const print = vi.spyOn(console, 'error').mockImplementation(() => {});
    const { socket, link } = await open();
    socket.off('error');
    socket.on('x', () => {
      throw new Error('mine');
    });
    await link.say(event('x'));
    expect(print).toHaveBeenCalledWith(new Error('mine'));
  });

  test('a pending reply fails with the session', async () => {
    const { socket } = await open();
    const reply = socket.emitWithAck('x');
    socket.disconnect();
    await expect(reply).rejects.toMatchObject({ code: 'ERR_DISCONNECTED' });
    await expect(socket.emitWithAck('x')).rejects.toMatchObject({
      code: 'ERR_NOT_CONNECTED',
      message: 'emit("x") of /: connect() first',
    });
    // A listener that emits of what it hears does not hear of that, nor is it said to those who look on.
    const print = vi.spyOn(console, 'error').mockImplementation(() => {});
    const seen = vi.fn();
    const told = vi.fn(() => {
      socket.emit('again');
      socket.emit('and again');
    });
    socket.onAnyOutgoing(seen).off('error').on('error', told);
    socket.emit('x');
    expect([told.mock.calls.length, print.mock.calls.length, seen.mock.calls.length]).toEqual([1, 2, 0]);
  });
});

describe('listeners', () => {
  test('on, once and off', async () => {
    const { socket, link } = await open();
    const heard: string[] = [];
    const on = (n: number) => void heard.push(`on ${n}`);
    socket.on('x', on).once('x', (n: number) => void heard.push(`once ${n}`));
    await link.say(event('x', [1]), event('x', [2]));
    socket.off('x', on);
    await link.say(event('x', [3]));
    socket.on('x', on).on('x', on).off('x');
    await link.say(event('x', [4]));
    expect(heard).toEqual(['on 1', 'once 1', 'on 2']);
  });

  test('onAny hears every event and replies to none', async () => {
    const { socket, link } = await open();
    const heard: unknown[] = [];
    const any = (...all: unknown[]) => heard.push(all);
    socket.onAny(any);
    await link.say(event('x', [1, 2], 1), { type: PacketType.Volatile, namespace: '/', event: 'y', args: [] });
    socket.offAny(any);
    await link.say(event('z'));
    expect(heard).toEqual([['x', 1, 2], ['y']]);
    expect(briefs(await link.read())).toEqual(['ERROR #1 ERR_NO_HANDLER No handler for this event. undefined']);
  });

  test('prependAny hears first; offAny takes one, or all', async () => {
    const { socket, link } = await open();
    const heard: string[] = [];
    const second = () => heard.push('second');
    socket.onAny(second).prependAny(() => heard.push('first'));
    await link.say(event('x'));
    socket.offAny(second);
    await link.say(event('y'));
    socket.offAny();
    await link.say(event('z'));
    expect(heard).toEqual(['first', 'second', 'first']);
  });

  test('onAnyOutgoing hears what is taken to be sent, and nothing that comes', async () => {
    const { socket, link, log } = await open();
    const heard: unknown[] = [];
    const tap = (...all: unknown[]) => heard.push(all);
    socket.onAnyOutgoing(tap).prependAnyOutgoing((name) => heard.push(name));
    socket.emit('x', 1, undefined);
    socket.emitWithAck('y').catch(() => {});
    socket.timeout(10).emit('t');
    socket.volatile.emit('z');
    expect(() => socket.emit('bad', new Map())).toThrow();
    await link.say(event('in'));
    expect(heard).toEqual(['x', ['x', 1, undefined], 'y', ['y'], 't', ['t'], 'z', ['z']]);
    socket.offAnyOutgoing(tap).offAnyOutgoing();
    socket.onAnyOutgoing(() => {
      throw new Error('mine');
    });
    socket.emit('last');
    expect(heard).toHaveLength(8);
    expect(log.at(-1)).toEqual(['error', 'Error: mine']);
    expect(briefs(await link.read()).at(-1)).toBe('EVENT / last []');
  });

  test('what is left in the turn in which it was connected, and connected again, was not left: StrictMode of React does so', async () => {
    const auths: string[] = [];
    const { socket, transport, log } = scene({
      autoConnect: false,
      auth: () => {
        auths.push('asked');
        return {};
      },
    });
    socket.emit('before');
    socket.connect();
    socket.emit('child');
    socket.disconnect();
    expect([socket.active, socket.connection.state]).toEqual([false, 'connecting']);
    socket.emit('child again');
    socket.connect();
    expect(socket.active).toBe(true);
    await Promise.resolve();
    expect(briefs(await transport.link.open())).toEqual([
      'HELLO /{}',
      'EVENT / before []',
      'EVENT / child []',
      'EVENT / child again []',
    ]);
    expect([transport.links.length, auths, log]).toEqual([1, ['asked'], []]);
    // From the next turn on it is another session.
    socket.disconnect();
    expect(socket.connection.state).toBe('closed');
  });

  test('who asks for a namespace again in the turn in which it was connected and left has it', async () => {
    const { socket } = scene();
    const other = socket.of('/x');
    await settle();
    other.disconnect();
    other.connect().disconnect();
    expect(socket.of('/x')).toBe(other);
    await settle();
    expect(other.active).toBe(true);
  });

  test('what is left in the turn in which it was connected is left at its end', async () => {
    const { socket, log } = scene({ autoConnect: false });
    socket.connect();
    socket.emit('x');
    socket.disconnect();
    await Promise.resolve();
    expect([socket.active, socket.connection.state]).toEqual([false, 'closed']);
    expect(log).toEqual([['error', 'ERR_DISCONNECTED']]);
  });

  test('who has another auth when it is connected again in that turn presents that', async () => {
    const { socket, transport } = scene({ autoConnect: false, auth: { user: 'guest' } });
    socket.connect().disconnect();
    socket.auth = { user: 'ann' };
    socket.connect();
    const [hello] = await transport.link.open();
    expect(hello).toMatchObject({ namespaces: [{ namespace: '/', auth: { user: 'ann' } }] });
  });

  test('removeAllListeners takes those of an event, or of all', async () => {
    const { socket, link } = await open();
    const heard: string[] = [];
    for (const name of ['x', 'y', 'z']) socket.on(name, () => void heard.push(name));
    socket.onAny((name) => void heard.push(`any ${name}`));
    socket.removeAllListeners('x');
    await link.say(event('x'), event('y'));
    socket.removeAllListeners();
    await link.say(event('y'), event('z'));
    expect(heard).toEqual(['any x', 'any y', 'y', 'any y', 'any z']);
  });

  test('a handler of an event without a reply may fail later', async () => {
    const { socket, link, log } = await open();
    socket.on('x', async () => {
      throw new Error('late');
    });
    socket.onAny((async () => {
      throw new Error('any');
    }) as () => void);
    await link.say(event('x'));
    expect(log.slice(1)).toEqual([
      ['error', 'Error: any'],
      ['error', 'Error: late'],
    ]);
  });

  test('a listener taken off during an event still hears it; one added does not', async () => {
    const { socket, link } = await open();
    const heard: string[] = [];
    const second = () => void heard.push('second');
    socket.on('x', () => {
      socket.off('x', second);
      socket.on('x', () => void heard.push('added'));
    });
    socket.on('x', second);
    await link.say(event('x'));
    expect(heard).toEqual(['second']);
  });
});

describe('events of its own life', () => {
  test('a remote event of that name never fires them', async () => {
    const { socket, link, log } = await open();
    const any = vi.fn();
    socket.onAny(any);
    await link.say(event('disconnect', ['x'], 1), event('connect'), event('error'));
    expect(log).toHaveLength(1);
    expect(any).toHaveBeenCalledTimes(3);
    expect(briefs(await link.read())).toEqual(['ERROR #1 ERR_NO_HANDLER No handler for this event. undefined']);
  });

  test('emitting them is refused, as are names that do not fit', async () => {
    const { socket } = scene();
    for (const name of reservedEvents as readonly string[]) {
      expect(() => socket.emit(name)).toThrow(expect.objectContaining({ code: 'ERR_RESERVED_EVENT' }));
      expect(() => socket.volatile.emit(name)).toThrow(expect.objectContaining({ code: 'ERR_RESERVED_EVENT' }));
      await expect(socket.emitWithAck(name)).rejects.toMatchObject({ code: 'ERR_RESERVED_EVENT' });
    }
    for (const name of ['', 'x'.repeat(257)]) {
      expect(() => socket.emit(name)).toThrow(expect.objectContaining({ code: 'ERR_EVENT_NAME' }));
    }
  });

  test('a handler that throws is reported and disturbs nobody', async () => {
    const { socket, transport, log } = scene();
    const other = socket.of('/other');
    watch(other, log, 'other ');
    socket.on('connect', () => {
      throw new Error('mine');
    });
    await transport.link.open();
    await transport.link.say(welcome(), connected(), connected('/other'));
    expect(log).toEqual([
      ['connect', { recovered: false, unconfirmed: 0 }],
      ['error', 'Error: mine'],
      ['other connect', { recovered: false, unconfirmed: 0 }],
    ]);
  });
});

describe('what users of Socket.IO know', () => {
  test('a callback as the last argument: the error says what to do', async () => {
    const { socket, log } = scene();
    for (const emit of [socket.emit, socket.volatile.emit, socket.timeout(5).emit])
      expect(() => emit('x', 1, () => {})).toThrow(/emitWithAck/);
    await expect(socket.emitWithAck('x', () => {})).rejects.toMatchObject({ code: 'ERR_NOT_ENCODABLE' });
    expect(log).toEqual([]);
  });

  test('a listener that is no function is refused where it is said', () => {
    const { socket } = scene();
    for (const listen of [socket.on, socket.once, socket.onAny.bind(null)] as ((
      event: never,
      listener?: never,
    ) => unknown)[])
      expect(() => listen('x' as never)).toThrow(/: no function$/);
    expect(() => socket.on('x', undefined as never)).toThrow(expect.objectContaining({ code: 'ERR_HANDLER_TYPE' }));
  });

  test('active: connected, or will be by itself', async () => {
    const all = scene({ autoConnect: false });
    const { socket, transport } = all;
    const seen = [socket.active];
    socket.connect();
    seen.push(socket.active);
    await transport.link.drop();
    seen.push(socket.active);
    await all.advance(1_000);
    await transport.link.open();
    await transport.link.say(welcome(), connected());
    seen.push(socket.active);
    socket.disconnect();
    seen.push(socket.active);
    socket.connect();
    await transport.link.drop({ code: 4403, reason: 'no', by: 'server' });
    seen.push(socket.active);
    expect(seen).toEqual([false, true, true, true, false, false]);
  });

  test('auth may be set: the next attempt asks with it', async () => {
    const { socket, transport, advance, log } = scene({ auth: { token: 1 } });
    expect(briefs(await transport.link.open())).toEqual(['HELLO /{"token":1}']);
    await transport.link.say(welcome(), {
      type: PacketType.Refused,
      namespace: '/',
      code: 'ERR_TOKEN',
      message: 'old',
      data: undefined,
    });
    expect([log, socket.active]).toEqual([[['connect_error', 'ERR_TOKEN']], false]);
    socket.auth = { token: 2 };
    socket.connect();
    expect(briefs(await transport.link.open())).toEqual(['HELLO /{"token":2}']);
    socket.auth = () => ({ token: 3 });
    expect(socket.auth).toBeTypeOf('function');
    await transport.link.drop();
    await advance(1_000);
    // Said again as it was: nobody knows whether the server has made a session for it.
    expect(briefs(await transport.link.open())).toEqual(['HELLO /{"token":3}']);
  });
});

describe('volatile', () => {
  test('leaves only if it can leave now', async () => {
    const { socket, link, transport, advance } = await open();
    socket.volatile.emit('a', 1);
    link.bufferedBytes = 1 << 20;
    socket.volatile.emit('b');
    link.bufferedBytes = 0;
    expect(briefs(await link.read())).toEqual(['VOLATILE a']);
    await link.drop();
    socket.volatile.emit('c');
    await advance(1_000);
    expect(briefs(await transport.link.open())).toEqual(['HELLO / resume s1 1 0']);
    socket.volatile.emit('d');
    expect(await transport.link.read()).toEqual([]);
  });

  test('what nothing can carry is said whether or not it could leave', async () => {
    const refused = expect.objectContaining({ code: 'ERR_NOT_ENCODABLE', details: { path: 'args[0]' } });
    const { socket, transport } = scene({ autoConnect: false });
    const emitAll = () => {
      for (const value of [Number.NaN, new Map()]) expect(() => socket.volatile.emit('x', value)).toThrow(refused);
    };
    emitAll();
    socket.connect();
    emitAll();
    await transport.link.open();
    emitAll();
    await transport.link.say(welcome(), connected());
    emitAll();
    transport.link.bufferedBytes = 1 << 20;
    emitAll();
    socket.disconnect();
    emitAll();
  });
});
