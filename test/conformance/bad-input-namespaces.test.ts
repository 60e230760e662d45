// Namespaces that are asked for in odd ways, and middleware that fails in odd ways.
import { PublicError } from '@halyard/server';
import { describe, expect, test } from 'vitest';
import { hosts } from '../kit/hosts';
import { guardedServers } from './guarded-server';
import { RawWebSocket } from './raw';

describe.each(hosts)('namespaces on %s', (_name, host) => {
  const serve = guardedServers(host);

  /** A connection that has said HELLO for no namespace. */
  async function greeted(port: number): Promise<RawWebSocket> {
    const wire = await RawWebSocket.connect(port);
    wire.send([0, []]);
    await wire.packet(1);
    return wire;
  }

  /** Everything sent before has been handled, and every promise of a handler that could go on has gone on. */
  async function settled(wire: RawWebSocket): Promise<void> {
    wire.send([8]);
    const pongs = wire.packets.filter(([type]) => type === 9).length;
    await wire.until('PONG', () => wire.packets.filter(([type]) => type === 9).length > pongs);
  }

  const answers = (wire: RawWebSocket): unknown[][] =>
    wire.packets.filter(([type]) => type === 11 || type === 12 || type === 13).map(([type, name]) => [type, name]);

  test('one that is left while it is pending is not entered', async () => {
    const decide: (() => void)[] = [];
    const { port, io } = await serve({}, (server) => {
      server.of('/slow').use(() => new Promise<void>((resolve) => decide.push(resolve)));
    });
    const wire = await greeted(port);
    wire.send([10, '/slow'], [2, '/slow', 'x', []], [13, '/slow']);
    await settled(wire);
    for (const go of decide) go();
    await settled(wire);
    expect(answers(wire)).toEqual([]);
    expect(io.of('/slow').sockets.size).toBe(0);
  });

  test('one that is left and asked for again while it is pending is entered once', async () => {
    const decide: (() => void)[] = [];
    const { port, io } = await serve({}, (server) => {
      server.of('/slow').use(() => new Promise<void>((resolve) => decide.push(resolve)));
    });
    const wire = await greeted(port);
    wire.send([10, '/slow'], [13, '/slow'], [10, '/slow']);
    await settled(wire);
    expect(decide).toHaveLength(2);
    for (const go of decide) go();
    await settled(wire);
    expect(answers(wire)).toEqual([[11, '/slow']]);
    expect(io.of('/slow').sockets.size).toBe(1);
  });

  test('one that is asked for twice in HELLO is entered once; twice by CONNECT is closed with 4400', async () => {
    const { port, io } = await serve();
    const wire = await RawWebSocket.connect(port);
    wire.send([0, [['/'], ['/', { again: true }]]]);
    await settled(wire);
    expect(answers(wire)).toEqual([[11, '/']]);
    expect(io.sockets.size).toBe(2);
    wire.send([10, '/']);
    expect(await wire.close()).toEqual({ code: 4400, reason: 'ERR_CONNECT_REPEATED: / is connected already' });
  });

  test('one that is listed twice in HELLO counts once, with the first auth, also when it is refused', async () => {
    const seen: unknown[] = [];
    const { port } = await serve({ namespacesPerSessionMax: 2 }, (io) => {
      io.of('/members').use(({ auth }) => {
        seen.push(auth.n);
        throw new PublicError('ERR_MEMBERS', 'No.');
      });
      io.of('/open').use(({ auth }) => {
        seen.push(auth.n);
      });
    });
    const names = ['/nowhere', '/members', '/nowhere', '/open', '/members', '/open'];
    const wire = await RawWebSocket.connect(port);
    const token = 'a text nobody guesses';
    wire.send([0, names.map((name, n) => [name, { n }]), '', null, token]);
    await settled(wire);
    expect(answers(wire)).toEqual([
      [12, '/nowhere'],
      [12, '/members'],
      [11, '/open'],
    ]);
    expect(seen).toEqual([1, 3]);
    // Nor twice when HELLO is repeated by its token, with one more.
    wire.cut();
    const again = await RawWebSocket.connect(port);
    again.send([0, [...names, '/late', '/late'].map((name) => [name]), '', null, token]);
    await settled(again);
    expect(answers(again).filter(([, name]) => name === '/late')).toEqual([[12, '/late']]);
  });

  test('more than namespacesPerSessionMax are refused', async () => {
    const { port } = await serve({ namespacesPerSessionMax: 2 }, (io) => {
      for (const name of ['/a', '/b', '/c']) io.of(name);
    });
    const wire = await greeted(port);
    wire.send([10, '/a'], [10, '/b'], [10, '/c']);
    expect(await wire.packet(12)).toEqual([
      12,
      '/c',
      'ERR_NAMESPACES_FULL',
      'A session may be in 2 namespaces (namespacesPerSessionMax).',
    ]);
    wire.send([13, '/a'], [10, '/c']);
    await wire.until('CONNECTED', () => wire.packets.some(([type, name]) => type === 11 && name === '/c'));
  });

  test('dynamic ones that let nobody in leave nothing behind', async () => {
    const { port } = await serve({ dynamicNamespacesMax: 3 }, (io) => {
      io.of(/^\/room-/).use(({ auth }) => {
        if (auth.token !== 'right') throw new PublicError('ERR_TOKEN', 'Sign in first.');
      });
    });
    const wire = await greeted(port);
    for (let i = 0; i < 10; i++) wire.send([10, `/room-${i}`]);
    await wire.until('ten refusals', () => answers(wire).length === 10);
    wire.send([10, '/room-0', { token: 'right' }]);
    await wire.packet(11);
  });

  test.each([[[]], [['text']], [[{ isIn: false }]]])(
    'a pattern is given an auth that is an object, also of %j',
    async (auth) => {
      const given: unknown[] = [];
      const { port, errors } = await serve({}, (io) => {
        io.of((_name, auth) => {
          given.push(auth);
          return auth.isIn === true;
        });
      });
      const wire = await greeted(port);
      wire.send([10, '/room', ...auth]);
      expect(await wire.packet(12)).toMatchObject({ 2: 'ERR_NAMESPACE_UNKNOWN' });
      expect([given, errors]).toEqual([[typeof auth[0] === 'object' ? auth[0] : {}], []]);
    },
  );

  test('a pattern that throws is no match', async () => {
    const { port, errors } = await serve({}, (io) => {
      io.of((name) => {
        if (name === '/fails') throw new Error('the password is 1234');
        return false;
      });
    });
    const inHello = await RawWebSocket.connect(port);
    inHello.send([0, [['/fails']]]);
    const later = await greeted(port);
    later.send([10, '/fails']);
    for (const wire of [inHello, later]) expect(await wire.packet(12)).toMatchObject({ 2: 'ERR_NAMESPACE_UNKNOWN' });
    expect(errors).toHaveLength(2);
  });

  test('what middleware throws is told as far as it is public, and can be carried', async () => {
    const { port } = await serve({}, (io) => {
      io.of('/broken').use(async () => {
        throw new Error('the password is 1234');
      });
      io.of('/closed').use(() => {
        throw new PublicError('ERR_TOKEN', 'Sign in first.', { hint: 'token' });
      });
      io.of('/odd').use(() => {
        throw new PublicError('ERR_ODD', 'x'.repeat(5_000), { data: Number.NaN });
      });
    });
    const wire = await RawWebSocket.connect(port);
    wire.send([0, [['/broken'], ['/closed'], ['/odd']]]);
    await wire.until('three refusals', () => answers(wire).length === 3);
    expect(wire.packets.filter(([type]) => type === 12).sort()).toEqual([
      [12, '/broken', 'ERR_REFUSED', 'The connection was refused.'],
      [12, '/closed', 'ERR_TOKEN', 'Sign in first.', { hint: 'token' }],
      [12, '/odd', 'ERR_ODD', 'x'.repeat(1_024)],
    ]);
  });
});
