import { inspect } from 'node:util';
import { json } from '@halyard/codec/json';
import { describe, expect, test, vi } from 'vitest';
import { event, FakeTransport, open, scene } from '../../testing/fake';
import { connect as connectCore } from '../core';
import { connect } from '../index';
import * as off from './habits-off';

const url = 'http://app.example';
const optionError = (message: string) => expect.objectContaining({ code: 'ERR_OPTION', message });

describe('options', () => {
  test.each<[options: unknown, message: string]>([
    [{ query: { room: 1 } }, 'query: no such option: take auth: { … }; what is in a URL ends in logs'],
    [{ token: 'secret' }, 'token: no such option: take auth: { token }'],
    [{ reconnection: false }, 'reconnection: no such option: take reconnect: { attemptsMax: 0 } for never'],
    [{ reconnect: { attempts: 3 } }, 'attempts: no such option: take reconnect: { attemptsMax: 5 }'],
    [{ attemptsMax: 3 }, 'attemptsMax: within reconnect: { attemptsMax }'],
    [{ timeout: 5_000 }, 'timeout: no such option: take connectTimeoutMs'],
    [{ forceNew: true }, 'forceNew: no such option: each connect() makes a connection of its own'],
    [{ parser: {} }, 'parser: no such option: take codec: msgpack()'],
    [{ transport: 'polling' }, 'transport: no such option: take transports: ["websocket"]'],
    [{ autoConnect: 'no' }, 'autoConnect: true or false'],
    [{ auth: ['a'] }, 'auth: an object, such as { token }, or a function that gives one'],
    [{ auth: 'secret' }, 'auth: an object, such as { token }, or a function that gives one'],
    [
      { extraHeaders: 'x' },
      'extraHeaders: an object, such as { authorization }; of Headers or a Map, Object.fromEntries(…)',
    ],
    [
      { extraHeaders: new Headers({ a: '1' }) },
      'extraHeaders: an object, such as { authorization }; of Headers or a Map, Object.fromEntries(…)',
    ],
    [null, 'options: an object, such as { auth: { token } }'],
    [[], 'options: an object, such as { auth: { token } }'],
    ['secret', 'options: an object, such as { auth: { token } }'],
    [() => {}, 'options: an object, such as { auth: { token } }'],
  ])('%j', (options, message) => {
    expect(() => connect(url, options as object)).toThrow(optionError(message));
    expect(() => connectCore(url, options as never)).toThrow(optionError(message));
  });

  test('may be given once', () => {
    expect(() => connect({ auth: { token: 'a' } }, { transports: ['polling'] })).toThrow(
      optionError('options: given once: connect(options), or connect(url, options)'),
    );
    expect(() => connect(new URL(url), { autoConnect: false })).not.toThrow();
  });

  test('are not to be told of if they are right', () => {
    const options = {
      ...{ codec: json(), transport: new FakeTransport('fake'), token: () => 'x'.repeat(20) },
      ...{ reconnect: { attemptsMax: 1, delayMinMs: 5, delayMaxMs: 6 }, autoConnect: false, auth: undefined },
    };
    expect(() => connectCore(url, options)).not.toThrow();
    expect(() => connect(url, { ...options, transport: undefined } as never)).toThrow(/transport: a transport/);
    expect(() => connect(url, undefined)).not.toThrow();
  });
});

describe('members', () => {
  test.each([
    ['socket.io', ['io']],
    ['socket.disconnected', ['disconnected']],
    ['socket.open', ['open']],
    ['socket.close', ['close']],
    ['socket.send', ['send']],
    ['socket.nsp', ['nsp']],
    ['socket.compress', ['compress']],
    ['socket.listeners', ['listeners']],
    ['socket.volatile.emitWithAck', ['volatile', 'emitWithAck']],
    ['socket.connection.engine', ['connection', 'engine']],
  ])('%s says what does it', (name, path) => {
    const { socket } = scene({});
    const read = (): unknown =>
      path.reduce((value, key) => (value as Record<string, unknown>)[key] as object, socket as object);
    expect(read).toThrow(
      expect.objectContaining({
        code: 'ERR_NO_SUCH_MEMBER',
        message: expect.stringContaining(`${name} is not there: `),
      }),
    );
  });

  test('of timeout(), and what an app puts there', () => {
    const { socket } = scene({});
    const timed = socket.timeout(5) as unknown as Record<string, unknown>;
    expect(() => timed.volatile).toThrow('socket.timeout(ms).volatile is not there: ');
    const mine = socket as unknown as Record<string, unknown>;
    mine.io = 'mine';
    expect([mine.io, (scene({}).socket as unknown as object) === (socket as object)]).toEqual(['mine', false]);
  });

  test('are in nobody’s way: a socket is shown, compared, spread and listened to as before', () => {
    const { socket } = scene({});
    expect(inspect(socket)).toContain("namespace: '/'");
    expect(() => JSON.stringify(socket)).not.toThrow();
    expect(() => ({ ...socket })).not.toThrow();
    expect(socket).toEqual(socket);
    expect([String(socket), 'io' in socket]).toEqual(['[object Object]', true]);
    const names = ['addEventListener', 'addListener', 'then', 'toJSON', 'nodeType'];
    expect(names.map((name) => (socket as unknown as Record<string, unknown>)[name])).toEqual(
      names.map(() => undefined),
    );
  });
});

describe('events that never come', () => {
  test.each(['connection', 'disconnecting', 'away', 'resume', 'moved'])('%s', (name) => {
    const { socket } = scene({});
    for (const take of ['on', 'once'] as const) {
      expect(() => socket[take](name, () => {})).toThrow(
        expect.objectContaining({
          code: 'ERR_RESERVED_EVENT',
          message: expect.stringContaining(`socket of a client has no event "${name}": `),
        }),
      );
    }
  });

  test('have names that are text', () => {
    const { socket } = scene({});
    const { on } = socket as unknown as { on(event: unknown, handler: () => void): void };
    expect(() => on(['a', 'b'], () => {})).toThrow('socket: the name of an event is text, and not a,b');
  });

  test('of the connection', () => {
    const { socket } = scene({});
    const other = socket.of('/other');
    for (const { connection } of [socket, other])
      expect(() => connection.on('reconnect' as 'state', () => {})).toThrow(
        'socket.connection of a client has no event "reconnect": there is "state" alone, which tells from, to, attempt and transport.',
      );
    expect(() => socket.connection.on('state', () => {})).not.toThrow();
  });

  test('all others are heard', () => {
    const { socket } = scene({});
    for (const name of ['connect', 'connect_error', 'disconnect', 'error', 'message', 'constructor'])
      expect(socket.on(name, () => {})).toBe(socket);
  });

  test('those that were Socket.IO’s are heard, and it is said once whose they are', () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const { socket } = scene({});
    for (let i = 0; i < 2; i++) expect(socket.on('reconnect', () => {})).toBe(socket);
    const message =
      'Halyard: on("reconnect") hears what the server emits by this name. What a client tells itself is "connect", each time that it is ' +
      'connected, and "connect_error"; socket.connection.on("state", …) tells of every attempt.';
    expect(warn.mock.calls).toEqual([[message]]);
    warn.mockRestore();
  });
});

test.each(['localhost:3000', 'app.example:8080/chat', '127.0.0.1:3000/'])('a host without a scheme: %s', (host) => {
  const message = `url: with its scheme, such as http://${host}`;
  expect(() => connect(host, { autoConnect: false })).toThrow(optionError(message));
});

test('a handler that calls its callback is told that there is none', async () => {
  const { socket, link } = await open();
  const errors: unknown[] = [];
  socket.on('error', (error) => errors.push((error as Error).message));
  socket.on('ask', (_value: unknown, callback: (reply: string) => void) => callback('yes'));
  socket.on('own', () => (undefined as unknown as { callback(): void }).callback());
  await link.say(event('ask', [1], 1), event('own', [], 2));
  await vi.waitFor(() => expect(errors.length).toBe(2));
  expect(errors).toEqual([
    'callback is not a function: a handler is given no callback, what it returns, or its promise resolves to, is the reply',
    expect.stringContaining('Cannot read properties of undefined'),
  ]);
});

test('a handler that calls its callback if it is given one is told on the console that there is none, once', async () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
  const { socket, link } = await open();
  socket.on('ask', (_value: unknown, callback?: (reply: string) => void) => callback?.('yes'));
  socket.on('other', (_value: unknown, _more?: string) => {});
  await link.say(event('ask', [1], 1), event('ask', [1], 2), event('other', [1], 3), event('ask', [1]));
  await vi.waitFor(() => expect(warn).toHaveBeenCalled());
  expect(warn.mock.calls.map(([text]) => (text as string).slice(0, 60))).toEqual([
    'Halyard: The handler of "ask" has a parameter for a callback',
  ]);
  warn.mockRestore();
});

test('in production all of it does nothing', () => {
  const socket = {};
  off.checkHabits({ token: 'secret' });
  off.answerHabits('socket', socket);
  off.explain(new TypeError('callback is not a function'));
  off.lookForCallback('ask', [], [], undefined);
  expect(Object.getPrototypeOf(socket)).toBe(Object.prototype);
});
