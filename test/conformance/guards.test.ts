// Guards of events: one that may not pass is an error to its caller, and nothing else happens.
import { contract } from '@halyard/contract';
import { PublicError, Server, type Socket } from '@halyard/server';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { hosts } from '../kit/hosts';
import { served } from '../kit/served';

const forbidden = [4, 'ERR_FORBIDDEN', 'The event was refused.'];

describe.each(hosts)('on %s', (_name, host) => {
  const { serve, open } = served(host);

  async function enter(io: Server, namespace = '/') {
    const wire = await open(io);
    wire.send([0, [[namespace, { role: 'user' }]]]);
    await wire.packet(11);
    return {
      wire,
      /** @returns the answers, each without its number */
      async ask(...events: [event: string, ...args: unknown[]][]) {
        const from = wire.received.length;
        wire.send(...events.map(([event, ...args], i) => [2, namespace, event, args, from + i]));
        const answers = (): unknown[][] =>
          wire.received.filter(([type]) => type === 3 || type === 4).slice(-events.length);
        await wire.until(() => wire.received.length >= from + events.length);
        return answers().map(([type, , ...rest]) => [type, ...rest]);
      },
    };
  }

  test('true lets an event pass, and nothing else does', async () => {
    const calls: string[] = [];
    const verdicts: Record<string, unknown> = {
      ...{ yes: true, 'later yes': Promise.resolve(true), no: false, 'later no': Promise.resolve(false) },
      ...{ nothing: undefined, 'later nothing': Promise.resolve(), one: 1, text: 'true', object: {} },
    };
    const io = await serve({}, (server) => {
      server.guard(Object.keys(verdicts), (_socket, which: string) => verdicts[which] as boolean);
      server.on('connection', (socket) => {
        socket.onAny((event) => calls.push(`any ${event}`));
        for (const event of Object.keys(verdicts)) socket.on(event, () => void calls.push(event));
      });
    });
    const { ask } = await enter(io);
    for (const event of Object.keys(verdicts)) {
      const isAllowed = event.endsWith('yes');
      expect([event, await ask([event, event])]).toEqual([event, [isAllowed ? [3] : forbidden]]);
    }
    expect(calls).toEqual(['any yes', 'yes', 'any later yes', 'later yes']);
  });

  test('a public error says why, and any other is the fault of the server', async () => {
    const errors: [error: unknown, where: string][] = [];
    const refused: unknown[] = [];
    const io = await serve({}, (server) => {
      server.on('error', (error, { where }) => errors.push([error, where]));
      server.on('refused', (socket, event, { code }) => refused.push([socket.namespace, event, code]));
      const chat = server.of('/chat');
      chat.guard('public', () => {
        throw new PublicError('ERR_ROLE', 'Admins alone.', { role: 'admin' });
      });
      chat.guard('later', async () => {
        throw new PublicError('ERR_LATER', 'Later.');
      });
      chat.guard(['own', 'own later'], (_socket, isLater: boolean) => {
        const error = new Error('planted-secret');
        if (isLater) return Promise.reject(error);
        throw error;
      });
    });
    const { ask, wire } = await enter(io, '/chat');
    expect(await ask(['public'])).toEqual([[4, 'ERR_ROLE', 'Admins alone.', { role: 'admin' }]]);
    expect(await ask(['later'])).toEqual([[4, 'ERR_LATER', 'Later.']]);
    expect(await ask(['own', false])).toEqual([forbidden]);
    expect(await ask(['own later', true])).toEqual([forbidden]);
    expect(errors).toEqual([
      [new Error('planted-secret'), 'a guard of "own" in namespace /chat'],
      [new Error('planted-secret'), 'a guard of "own later" in namespace /chat'],
    ]);
    expect(refused).toEqual([
      ['/chat', 'public', 'ERR_ROLE'],
      ['/chat', 'later', 'ERR_LATER'],
      ['/chat', 'own', 'ERR_FORBIDDEN'],
      ['/chat', 'own later', 'ERR_FORBIDDEN'],
    ]);
    expect(JSON.stringify(wire.received)).not.toContain('planted');
    const [metric] = io.metrics().filter(({ name }) => name === 'halyard_refused_events_total');
    expect(metric?.samples).toContainEqual({ labels: { code: 'ERR_FORBIDDEN' }, value: 2 });
  });

  test('events keep their order, and each is asked about once those before have passed', async () => {
    const calls: string[] = [];
    const io = await serve({}, (server) => {
      server.guard('login', async (_socket, name: string) => {
        await new Promise((resolve) => setImmediate(resolve));
        return name === 'ann';
      });
      server.guard('secret', ({ data }) => data.user === 'ann');
      server.on('connection', (socket) => {
        socket.use(([event]) => void calls.push(`middleware ${event}`));
        socket.on('login', (name) => void Object.assign(socket.data, { user: name }));
        socket.on('secret', () => 'told');
        socket.on('free', () => void calls.push('free'));
      });
    });
    const { ask } = await enter(io);
    expect(await ask(['secret'], ['login', 'ben'], ['secret'], ['login', 'ann'], ['secret'], ['free'])).toEqual([
      ...[forbidden, forbidden, forbidden],
      ...[[3], [3, 'told'], [3]],
    ]);
    expect(calls).toEqual(['middleware login', 'middleware secret', 'middleware free', 'free']);
  });

  test('of several all have to let it pass, and those of a pattern are of each of its namespaces', async () => {
    const asked: string[] = [];
    const io = await serve({}, (server) => {
      const rooms = server.of(/^\/rooms\//);
      const guard =
        (name: string, verdict: boolean) =>
        ({ namespace }: Socket, which: string): boolean => {
          asked.push(`${namespace} ${name}`);
          return which === 'all' || verdict;
        };
      rooms.guard('open', guard('first', true)).guard(['open', 'close'], guard('second', false));
      rooms.guard('open', guard('third', true));
    });
    const { ask } = await enter(io, '/rooms/a');
    expect(await ask(['open', 'some'])).toEqual([forbidden]);
    expect(await ask(['open', 'all'])).toEqual([[4, 'ERR_NO_HANDLER', 'Nothing handles "open".']]);
    expect(asked.map((name) => name.replace('/rooms/a ', ''))).toEqual(['first', 'second', 'first', 'second', 'third']);
  });

  test('as many wait as may, and a client that leaves has its events asked about first', async () => {
    let allow: ((is: boolean) => void)[] = [];
    const calls: string[] = [];
    const io = await serve({ waitingPacketsMax: 3 }, (server) => {
      server.guard('say', () => new Promise<boolean>((resolve) => allow.push(resolve)));
      server.on('connection', (socket) => {
        socket.on('say', (text) => void calls.push(text));
        socket.on('disconnect', () => void calls.push('disconnect'));
      });
    });
    const leaving = await enter(io);
    leaving.wire.send([2, '/', 'say', ['last']], [13, '/']);
    await leaving.wire.settle();
    expect(calls).toEqual([]);
    for (const resolve of allow) resolve(true);
    await expect.poll(() => calls).toEqual(['last', 'disconnect']);
    allow = [];
    const flooding = await enter(io);
    for (let i = 0; i < 5; i++) flooding.wire.send([2, '/', 'say', ['more']]);
    await flooding.wire.settle();
    // One is asked about, two wait for that; the rest has not been taken.
    for (let i = 1; i <= 5; i++) {
      await expect.poll(() => allow.length).toBe(i);
      allow[i - 1]?.(true);
    }
    await expect.poll(() => calls).toEqual(['last', 'disconnect', 'more', 'more', 'more', 'more', 'more']);
  });

  test('the contract comes first, and guards have what it makes of the arguments', async () => {
    const asked: unknown[] = [];
    const chat = contract({
      clientToServer: { say: { args: [z.string().trim()] }, later: { args: [z.string().refine(async () => true)] } },
    });
    const io = await serve({ contract: chat }, (server) => {
      (server as unknown as Server<{ say(text: string): void; later(text: string): void }>).guard(
        ['say', 'later'],
        (_socket, text) => {
          asked.push(text);
          return false;
        },
      );
    });
    const { ask } = await enter(io);
    expect(await ask(['say', ' a '], ['later', 'b'])).toEqual([forbidden, forbidden]);
    expect(await ask(['say', 7])).toMatchObject([
      [4, 'ERR_INVALID', '"say": argument 1: Invalid input: expected string', {}],
    ]);
    expect(asked).toEqual(['a', 'b']);
    const mistyped = { code: 'ERR_UNKNOWN_EVENT' };
    expect(() => io.guard('sya', () => true)).toThrow(
      'A guard is for "sya", which the contract has not: it has "say", "later".',
    );
    const other = io.of('/other');
    other.guard('sya', () => true);
    expect(() => io.of('/other', { contract: chat })).toThrow(expect.objectContaining(mistyped));
  });

  test('what is no guard is an error that says so', () => {
    const io = new Server();
    expect(() => io.guard('say', true as never)).toThrow('the guard of "say" is not a function');
    expect(() => io.guard(7 as never, () => true)).toThrow(
      'guard takes the name of an event, or a list of names, and not a number.',
    );
    expect(() => io.guard(['say', 'connection'], () => true)).toThrow('"connection" is a lifecycle event');
  });
});
