// Longer than other files: all that a client does in a session, case by case.
import { defaultSettings, PacketType } from '@halyard/protocol';
import { describe, expect, test, vi } from 'vitest';
import {
  brief,
  briefs,
  connected,
  event,
  type FakeLink,
  open,
  type Scene,
  scene,
  settle,
  watch,
  welcome,
} from '../../testing/fake';

/** The connection breaks, and the next one opens. @returns what the client said on it */
async function reconnect(all: Scene & { link: FakeLink }): Promise<string[]> {
  await all.link.drop();
  await all.advance(1_000);
  all.link = all.transport.link;
  return briefs(await all.link.open());
}

describe('the first connection', () => {
  test('HELLO lists the namespaces with their auth, and early events follow in the same flight', async () => {
    const { socket, transport } = scene({ url: 'wss://app.example/chat', auth: { token: 1 } });
    socket.emit('hi', 1, null, undefined, undefined);
    socket.of('/admin', { auth: async () => ({ b: 2 }) });
    expect(briefs(await transport.link.open())).toEqual([
      'HELLO /chat{"token":1} /admin{"b":2}',
      'EVENT /chat hi [1,null]',
    ]);
  });

  test('auth is asked again at every attempt', async () => {
    let asked = 0;
    const { transport, advance, log } = scene({ auth: () => ({ asked: ++asked }) });
    expect(briefs(await transport.link.open())).toEqual(['HELLO /{"asked":1}']);
    await transport.link.drop();
    await advance(1_000);
    expect(briefs(await transport.link.open())).toEqual(['HELLO /{"asked":2}']);
    expect(log).toEqual([['connect_error', 'ERR_CONNECT']]);
  });

  test('an auth that takes a parameter gives to that what is presented, once it has it', async () => {
    let give = (_data: object): void => {};
    const { transport, advance } = scene({
      auth: (callback) => {
        give = callback as typeof give;
      },
    });
    expect(await transport.link.open()).toEqual([]);
    give({ token: 1 });
    give({ token: 2 });
    await advance(0);
    expect(briefs(await transport.link.read())).toEqual(['HELLO /{"token":1}']);
  });

  test.each([
    ['fails', async (_give: unknown) => Promise.reject(new Error('no token'))],
    [
      'throws',
      (_give: unknown) => {
        throw new Error('no token');
      },
    ],
  ])('one that takes a parameter, and %s, is a failed attempt', async (_what, auth) => {
    const { transport, log } = scene({ auth });
    expect(await transport.link.open()).toEqual([]);
    expect(log).toEqual([['connect_error', 'ERR_AUTH']]);
  });

  test('one whose parameter has a default is called without', async () => {
    const { transport } = scene({ auth: ((force = false) => ({ force })) as never });
    expect(briefs(await transport.link.open())).toEqual(['HELLO /{"force":false}']);
  });

  test('one that takes a parameter, and returns what is presented all the same', async () => {
    const { transport } = scene({ auth: async (_more) => ({ token: 1 }) });
    expect(briefs(await transport.link.open())).toEqual(['HELLO /{"token":1}']);
  });

  test('what waits for the first connect() fails with a disconnect() before that, and does not go out later', async () => {
    const { socket, transport, log } = scene({ autoConnect: false });
    const other = socket.of('/other');
    socket.emit('a');
    const asked = socket.timeout(Infinity).emitWithAck('b');
    const there = other.timeout(Infinity).emitWithAck('c');
    socket.disconnect();
    await expect(asked).rejects.toMatchObject({ code: 'ERR_DISCONNECTED' });
    expect(log).toEqual([['error', 'ERR_DISCONNECTED']]);
    socket.connection.close();
    await expect(there).rejects.toMatchObject({ code: 'ERR_DISCONNECTED' });
    await expect(socket.emitWithAck('d')).rejects.toMatchObject({ code: 'ERR_NOT_CONNECTED' });
    socket.connect();
    socket.emit('e');
    expect(briefs(await transport.link.open())).toEqual(['HELLO /', 'EVENT / e []']);
  });

  test('a namespace that is wanted behind HELLO is asked for again if the session is another one', async () => {
    const { socket, transport, advance } = scene({});
    await transport.link.open();
    socket.of('/late');
    expect(briefs(await transport.link.read())).toEqual(['CONNECT /late undefined']);
    await transport.link.drop();
    await advance(1_000);
    expect(briefs(await transport.link.open())).toEqual(['HELLO /', 'CONNECT /late undefined']);
    // Of the one that its token named nothing is left.
    await transport.link.say(welcome({ reason: 'unknown-session' }), connected());
    expect(briefs(await transport.link.read())).toEqual(['RESET', 'CONNECT /late undefined']);
  });

  test('an auth that fails is a failed attempt, and asked again', async () => {
    let broken = true;
    const { transport, advance, log } = scene({
      auth: async () => {
        if (broken) throw new Error('no token');
        return { token: 1 };
      },
    });
    expect(await transport.link.open()).toEqual([]);
    expect(log).toEqual([['connect_error', 'ERR_AUTH']]);
    broken = false;
    await advance(1_000);
    expect(briefs(await transport.link.open())).toEqual(['HELLO /{"token":1}']);
  });

  test.each(['token', 7, true, [['token']]])(
    'an auth that is %j, and no object, is said so, and would be the same again',
    async (auth) => {
      // As an option it is refused before; set later it is not.
      for (const given of [auth, async () => auth]) {
        const { socket, transport } = scene({ autoConnect: false });
        const errors: unknown[][] = [];
        socket.on('connect_error', ({ code, message, details }) => errors.push([code, message, details?.final]));
        socket.auth = given as never;
        socket.connect();
        expect(await transport.link.open()).toEqual([]);
        expect(errors).toEqual([['ERR_AUTH', 'auth of /: no object', true]]);
      }
    },
  );

  test('a namespace that is wanted while auths are asked for is in HELLO too', async () => {
    let give = (_: object) => {};
    const { socket, transport } = scene({ auth: () => new Promise((resolve) => (give = resolve as never)) });
    await transport.link.open();
    let giveB = (_: object) => {};
    socket.of('/b', { auth: () => new Promise((resolve) => (giveB = resolve as never)) }).emit('early');
    give({ a: 1 });
    expect(await transport.link.read()).toEqual([]);
    socket.of('/c', { auth: async () => ({ c: 3 }) });
    giveB({ b: 2 });
    expect(briefs(await transport.link.read())).toEqual(['HELLO /{"a":1} /b{"b":2} /c{"c":3}', 'EVENT /b early []']);
  });

  test('an auth that takes longer than its connection is said on the next one', async () => {
    const gives: ((auth: object) => void)[] = [];
    const { socket, transport, advance } = scene({
      auth: () => new Promise((resolve) => gives.push(resolve as never)),
    });
    const { link } = transport;
    await link.open();
    await link.drop();
    await advance(1_000);
    await transport.link.open();
    expect([await link.read(), await transport.link.read()]).toEqual([[], []]);
    gives[0]!({ n: 1 });
    expect([await link.read(), briefs(await transport.link.read())]).toEqual([[], ['HELLO /{"n":1}']]);
    gives[1]!({ n: 2 });
    expect([await link.read(), await transport.link.read()]).toEqual([[], []]);
    await transport.link.say(welcome(), connected());
    expect(socket.connected).toBe(true);
  });

  test('one that answers before is asked anew for the next connection, and who has another auth is asked for that', async () => {
    const gives: ((auth: object) => void)[] = [];
    const { socket, transport, advance } = scene({
      auth: () => new Promise((resolve) => gives.push(resolve as never)),
    });
    await transport.link.open();
    socket.auth = { n: 'other' };
    await transport.link.drop();
    await advance(1_000);
    gives[0]!({ n: 1 });
    expect(briefs(await transport.link.open())).toEqual(['HELLO /{"n":"other"}']);
    socket.auth = () => new Promise((resolve) => gives.push(resolve as never));
    for (const n of [2, 3]) {
      await transport.link.drop();
      await advance(10_000);
      await transport.link.open();
      gives[n - 1]!({ n });
      expect(briefs(await transport.link.read())).toEqual([`HELLO /{"n":${n}}`]);
    }
  });

  test('without WELCOME, HELLO is said again with its token, and what was in flight with it', async () => {
    const { socket, transport, advance, log } = scene();
    socket.emit('first');
    const reply = socket.emitWithAck('asked');
    const [hello, ...flight] = await transport.link.open();
    const late = socket.of('/late');
    late.emit('x');
    await settle();
    await transport.link.drop();
    late.emit('y');
    socket.emit('second');
    await advance(1_000);
    const [again, ...more] = await transport.link.open();
    // CONNECT and the three events of the flight have left.
    expect(again).toEqual({ ...hello, generation: 2, left: 4 });
    expect((again as { token: string }).token.length).toBeGreaterThan(16);
    expect(briefs(more)).toEqual([
      ...briefs(flight),
      'CONNECT /late undefined',
      'EVENT /late x []',
      'EVENT /late y []',
      'EVENT / second []',
    ]);
    await transport.link.say(welcome({ recovered: true, received: 2 }), connected(), connected('/late'), {
      type: PacketType.Ack,
      ack: 1,
      value: 'yes',
    });
    expect(await reply).toBe('yes');
    expect(log.at(-1)).toEqual(['connect', { recovered: false, unconfirmed: 0 }]);
    await transport.link.drop();
    await advance(1_000);
    expect(briefs(await transport.link.open())[0]).toBe('HELLO / /late resume s1 3 2');
  });

  test('without WELCOME and with its token refused: RESET comes first, and what had left is given up and settles', async () => {
    const { socket, transport, advance, log } = scene();
    const lost = vi.fn();
    socket.emit('left');
    socket.emitWithAck('left too').catch(lost);
    await transport.link.open();
    await transport.link.drop();
    socket.emit('kept');
    await advance(1_000);
    const { link } = transport;
    expect((await link.open())[0]).toMatchObject({ left: 2 });
    await link.say(welcome({ reason: 'unknown-session' }));
    expect(briefs(await link.read())).toEqual(['RESET', 'EVENT / kept []']);
    expect(lost).toHaveBeenCalledWith(expect.objectContaining({ code: 'ERR_SESSION_LOST' }));
    await link.say(connected());
    expect(log.at(-1)).toEqual(['connect', { recovered: false, reason: 'unknown-session', unconfirmed: 2 }]);
  });

  test.each([
    ['no crypto', undefined],
    ['a crypto without random values', {}],
  ])('where the platform has %s, the token is made of other random numbers', async (_, crypto) => {
    vi.stubGlobal('crypto', crypto);
    try {
      let n = 0;
      const { transport, log } = scene({ random: () => ++n / 1_000 });
      const [hello] = await transport.link.open();
      expect(hello).toMatchObject({ token: '0.001,0.002,0.003,0.004,0.005' });
      await transport.link.say(welcome(), connected());
      expect(log).toEqual([['connect', { recovered: false, unconfirmed: 0 }]]);
    } finally {
      vi.unstubAllGlobals();
    }
  });

  test('every session has a token of its own', async () => {
    const { socket, transport } = scene();
    const [first] = await transport.link.open();
    socket.disconnect().connect();
    const [second] = await transport.link.open();
    expect((second as { token: string }).token).not.toBe((first as { token: string }).token);
  });
});

describe('resume', () => {
  test('sends again what is not confirmed, at once, and drops what it had', async () => {
    const all = await open();
    const heard: unknown[] = [];
    all.socket.on('news', (...args: unknown[]) => heard.push(args));
    all.socket.emit('one');
    all.socket.emit('two');
    await all.link.say({ type: PacketType.Sack, received: 1 }, event('news', [1]), event('news', [2]));
    await all.link.read();
    const flight = await reconnect(all);
    expect(flight).toEqual(['HELLO / resume s1 3 1', 'EVENT / two []']);
    expect(all.socket.connected).toBe(false);
    await all.link.say(welcome({ recovered: true, received: 2, session: 's1', secret: 'k2' }), event('news', [3]));
    expect(heard).toEqual([[1], [2], [3]]);
    expect(all.socket.recovered).toBe(true);
    expect(all.socket.id).toBe('id1');
    expect(all.log.slice(1)).toEqual([
      ['disconnect', 1006, 'network', true],
      ['connect', { recovered: true, unconfirmed: 0 }],
    ]);
    // What WELCOME confirmed is not sent a third time.
    expect(await reconnect(all)).toEqual(['HELLO / resume s1 4 2']);
  });

  /** Two namespaces that are connected. */
  async function two() {
    const all = await open();
    const other = all.socket.of('/b');
    const { log } = all;
    watch(other, log, 'b: ');
    await settle();
    await all.link.say(connected('/b', 'id2'));
    log.length = 0;
    return { ...all, other, log };
  }

  test('who leaves as the session is back, before it was told so, is not told again that it is gone', async () => {
    const all = await two();
    all.socket.once('connect', () => all.other.disconnect());
    await reconnect(all);
    await all.link.say(welcome({ recovered: true, received: 1 }));
    const back = ['connect', { recovered: true, unconfirmed: 0 }];
    expect(all.log).toEqual([['disconnect', 1006, 'network', true], ['b: disconnect', 1006, 'network', true], back]);
    // It is told of what comes after that.
    all.other.connect();
    await settle();
    await all.link.say(connected('/b', 'id3'));
    all.other.disconnect();
    expect(all.log.slice(3)).toEqual([
      ['b: connect', { recovered: false, unconfirmed: 0 }],
      ['b: disconnect', 1000, 'client', false],
    ]);
  });

  test('who has left by the time that it is told of a lost connection does not come back, and is told so', async () => {
    const { socket, other, link, log } = await two();
    socket.once('disconnect', () => other.disconnect());
    await link.drop();
    expect(log).toEqual([
      ['disconnect', 1006, 'network', true],
      ['b: disconnect', 1006, 'network', false],
    ]);
    log.length = 0;
    const all = await two();
    all.socket.connection.on('state', ({ to }) => to === 'waiting' && all.socket.disconnect());
    await all.link.drop();
    expect(all.log[0]).toEqual(['disconnect', 1006, 'network', false]);
  });

  test('who has left by the time that it is told of an attempt hears of none', async () => {
    const { socket, transport, log } = scene();
    const other = socket.of('/b');
    watch(other, log, 'b: ');
    socket.once('connect_error', () => other.disconnect());
    await settle();
    await transport.link.drop();
    expect(log).toEqual([['connect_error', 'ERR_CONNECT']]);
  });

  test('a published message that comes again is delivered once', async () => {
    const all = await open();
    const heard: unknown[] = [];
    all.socket.on('m', (n: number) => heard.push(n));
    const publish = (offset: number) =>
      ({ type: PacketType.Publish, namespace: '/', positions: [['log', offset]], event: 'm', args: [offset] }) as const;
    await all.link.say(publish(1), publish(2));
    await reconnect(all);
    await all.link.say(welcome({ recovered: true }), publish(2), publish(3));
    expect(heard).toEqual([1, 2, 3]);
  });

  test('a pending acknowledgement settles after a resume', async () => {
    const all = await open();
    const reply = all.socket.emitWithAck('ask');
    await settle();
    await reconnect(all);
    await all.link.say(welcome({ recovered: true, received: 1 }), { type: PacketType.Ack, ack: 1, value: 'yes' });
    expect(await reply).toBe('yes');
  });

  test('refused: RESET comes first, what never left is sent, the rest is given up and settles', async () => {
    const all = await open();
    const lost = vi.fn();
    all.socket.emit('left');
    all.socket.emitWithAck('left too').catch(lost);
    await all.link.drop();
    all.socket.emit('kept');
    const kept = all.socket.emitWithAck('kept too');
    await all.advance(1_000);
    const { link } = all.transport;
    expect(briefs(await link.open())).toEqual([
      'HELLO / resume s1 1 0',
      'EVENT / left []',
      'EVENT / left too [] #1',
      'EVENT / kept []',
      'EVENT / kept too [] #2',
    ]);
    await link.say(welcome({ session: 's2', reason: 'unknown-session' }));
    expect(briefs(await link.read())).toEqual(['RESET', 'EVENT / kept []', 'EVENT / kept too [] #2']);
    expect(lost).toHaveBeenCalledWith(expect.objectContaining({ code: 'ERR_SESSION_LOST' }));
    expect(all.socket.connected).toBe(false);
    await link.say(connected('/', 'id2'), { type: PacketType.Ack, ack: 2, value: 1 });
    expect(await kept).toBe(1);
    expect(all.socket.id).toBe('id2');
    expect(all.log.at(-1)).toEqual(['connect', { recovered: false, reason: 'unknown-session', unconfirmed: 2 }]);
    // The next connection resumes the new session, counted from its beginning.
    all.link = link;
    expect((await reconnect(all))[0]).toBe('HELLO / resume s2 2 0');
  });

  test('what had left over a link that is lost when the app ends the session is told by the next connect', async () => {
    const all = await open();
    all.socket.emit('left');
    const answered = all.socket.emitWithAck('answered');
    await all.link.read();
    await all.link.say({ type: PacketType.Ack, ack: 1, value: 1 });
    await answered;
    await all.link.drop();
    all.socket.emit('not left');
    all.socket.disconnect().connect();
    await all.transport.link.open();
    await all.transport.link.say(welcome({ session: 's2' }), connected());
    const told = { recovered: false, reason: '', unconfirmed: 1 };
    expect(all.log.slice(-2)).toEqual([
      ['error', 'ERR_DISCONNECTED'],
      ['connect', told],
    ]);
    // What goes before a close is handled.
    all.socket.emit('said');
    all.socket.disconnect().connect();
    await all.transport.link.open();
    await all.transport.link.say(welcome({ session: 's3' }), connected());
    expect(all.log.at(-1)).toEqual(['connect', { recovered: false, unconfirmed: 0 }]);
  });

  test('a close after which there is no session asks for none', async () => {
    const all = await open();
    all.socket.emit('left');
    await all.link.drop({ code: 4429, reason: 'too fast', by: 'server' });
    all.socket.emit('kept');
    await all.advance(1_000);
    expect(briefs(await all.transport.link.open())).toEqual(['HELLO /', 'EVENT / kept []']);
    await all.transport.link.say(welcome({ session: 's2' }), connected());
    expect(all.log.at(-1)).toEqual(['connect', { recovered: false, reason: 'too fast', unconfirmed: 1 }]);
  });

  test('a reply to an event of a lost session is not sent to the next', async () => {
    const all = await open();
    let answer = (_: number) => {};
    all.socket.on('ask', () => new Promise((resolve) => (answer = resolve)));
    await all.link.say(event('ask', [], 1));
    await reconnect(all);
    await all.link.say(welcome({ reason: 'unknown-session', session: 's2' }), connected());
    await all.link.read();
    answer(1);
    expect(await all.link.read()).toEqual([]);
  });

  test('a reply made while away arrives after a resume', async () => {
    const all = await open();
    let answer = (_: number) => {};
    all.socket.on('ask', () => new Promise((resolve) => (answer = resolve)));
    await all.link.say(event('ask', [], 7));
    await all.link.drop();
    answer(42);
    await all.advance(1_000);
    expect(briefs(await all.transport.link.open())).toEqual(['HELLO / resume s1 2 0', 'ACK #7 42']);
  });

  test('a reply made after a resume arrives too', async () => {
    const all = await open();
    let answer = (_: number) => {};
    all.socket.on('ask', () => new Promise((resolve) => (answer = resolve)));
    await all.link.say(event('ask', [], 7));
    await reconnect(all);
    await all.link.say(welcome({ recovered: true }));
    answer(42);
    expect(briefs(await all.link.read())).toEqual(['ACK #7 42']);
  });

  test('what was lost is told although the next attempt fails', async () => {
    const all = await open();
    all.socket.emit('left');
    await all.link.drop({ code: 4410, reason: 'over', by: 'server' });
    await all.advance(1_000);
    await all.transport.link.open();
    await all.transport.link.drop();
    await all.advance(1_000);
    await all.transport.link.open();
    await all.transport.link.say(welcome({ session: 's2' }), connected());
    expect(all.log.at(-1)).toEqual(['connect', { recovered: false, reason: 'over', unconfirmed: 1 }]);
  });

  describe('a loss is told once to each namespace it concerns, whatever happens before its connect', () => {
    /** A socket with another one, both connected, whose session was refused with one event in flight. */
    async function lost(): Promise<{ all: Scene & { link: FakeLink }; other: Scene['socket'] }> {
      const all = await open();
      const other = all.socket.of('/other');
      watch(other, all.log, 'other ');
      await all.link.say(connected('/other'));
      all.socket.emit('left');
      await settle();
      await reconnect(all);
      all.log.length = 0;
      await all.link.say(welcome({ session: 's2', reason: 'unknown-session' }));
      return { all, other };
    }

    const told = (unconfirmed: number, reason = 'unknown-session') => ({ recovered: false, reason, unconfirmed });

    test('the connection breaks between WELCOME and CONNECTED, and the new session is resumed', async () => {
      const { all } = await lost();
      await reconnect(all);
      await all.link.say(welcome({ session: 's2', recovered: true }), connected(), connected('/other'));
      expect(all.log).toEqual([
        ['connect', told(1)],
        ['other connect', told(1)],
      ]);
    });

    test('one namespace is connected before the connection breaks, and another is not', async () => {
      const { all } = await lost();
      await all.link.say(connected());
      await reconnect(all);
      await all.link.say(welcome({ session: 's2', recovered: true }), connected('/other'));
      expect(all.log).toEqual([
        ['connect', told(1)],
        ['disconnect', 1006, 'network', true],
        ['connect', { recovered: true, unconfirmed: 0 }],
        ['other connect', told(1)],
      ]);
    });

    test('a second session is lost before all were told of the first: what was not told is added up', async () => {
      const { all } = await lost();
      await all.link.say(connected());
      all.socket.emit('left again');
      all.socket.emit('and again');
      await all.link.read();
      await reconnect(all);
      await all.link.say(welcome({ session: 's3', reason: 'log-trimmed' }), connected(), connected('/other'));
      expect(all.log.filter(([what]) => `${what}`.endsWith('connect')).slice(2)).toEqual([
        ['connect', told(2, 'log-trimmed')],
        ['other connect', told(3, 'log-trimmed')],
      ]);
    });

    test('it is told once: another connect, in the same session or the next, has nothing to tell', async () => {
      const { all, other } = await lost();
      await all.link.say(connected(), connected('/other'));
      other.disconnect().connect();
      await all.link.say(connected('/other'));
      await all.link.drop({ code: 4410, reason: 'over' });
      await all.advance(1_000);
      await all.transport.link.open();
      await all.transport.link.say(welcome({ session: 's3' }), connected(), connected('/other'));
      expect(all.log.filter(([what]) => `${what}`.endsWith(' connect'))).toEqual([
        ['other connect', told(1)],
        ['other connect', { recovered: false, unconfirmed: 0 }],
        // DISCONNECT and CONNECT are no events of the app.
        ['other connect', told(0, 'over')],
      ]);
    });

    test('a namespace that is joined after the loss, or left since, hears nothing of it', async () => {
      const { all, other } = await lost();
      other.disconnect().connect();
      watch(all.socket.of('/late'), all.log, 'late ');
      await reconnect(all);
      await all.link.say(welcome({ session: 's2', recovered: true }));
      await all.link.say(connected(), connected('/other'), connected('/late'));
      expect(all.log).toEqual([
        ['connect', told(1)],
        ['other connect', { recovered: false, unconfirmed: 0 }],
        ['late connect', { recovered: false, unconfirmed: 0 }],
      ]);
    });

    test('a namespace that is refused in the new session, and asked for again, is told then', async () => {
      const { all, other } = await lost();
      const refusal = { code: 'ERR_TOKEN', message: 'old', data: undefined };
      other.once('connect_error', () => other.connect());
      await all.link.say(connected(), { type: PacketType.Refused, namespace: '/other', ...refusal });
      await all.link.say(connected('/other'));
      expect(all.log.at(-1)).toEqual(['other connect', told(1)]);
    });

    test('after a close for good nothing is left to tell', async () => {
      const { all } = await lost();
      await all.link.drop({ code: 4409, reason: 'evicted', by: 'server' });
      all.socket.connect();
      await all.transport.link.open();
      await all.transport.link.say(welcome({ session: 's3' }), connected());
      expect(all.log.at(-1)).toEqual(['connect', { recovered: false, unconfirmed: 0 }]);
    });
  });
});

describe('offline', () => {
  test('a full outbox refuses loudly, and takes again after a confirmation', async () => {
    const { socket, transport } = scene({ offlinePacketsMax: 2 });
    socket.emit('1');
    socket.emit('2');
    expect(() => socket.emit('3')).toThrow(expect.objectContaining({ code: 'ERR_OUTBOX_FULL' }));
    await expect(socket.emitWithAck('4')).rejects.toMatchObject({ code: 'ERR_OUTBOX_FULL' });
    await transport.link.open();
    await transport.link.say(welcome(), connected(), { type: PacketType.Sack, received: 2 });
    socket.emit('5');
    expect(briefs(await transport.link.read())).toEqual(['EVENT / 5 []']);
  });

  test('what was said to a namespace that was left is not sent in another session, and is told', async () => {
    const all = await open();
    const admin = all.socket.of('/admin');
    await settle();
    await all.link.say({ type: PacketType.Connected, namespace: '/admin', id: 'a' });
    await all.link.drop();
    admin.emit('1');
    all.socket.emit('2');
    admin.disconnect();
    await all.advance(1_000);
    const { link } = all.transport;
    await link.open();
    admin.connect();
    await link.say(welcome({ session: 's2', reason: 'unknown-session' }));
    expect(briefs(await link.read())).toEqual(['RESET', 'EVENT / 2 []', 'CONNECT /admin undefined']);
    await link.say(connected('/', 'id2'));
    expect(all.log.at(-1)).toEqual(['connect', { recovered: false, reason: 'unknown-session', unconfirmed: 1 }]);
  });

  test('a namespace that is left behind a HELLO is left in the session that this makes', async () => {
    const all = await open();
    const admin = all.socket.of('/admin');
    await settle();
    await all.link.say({ type: PacketType.Connected, namespace: '/admin', id: 'a' });
    await all.link.drop();
    await all.advance(1_000);
    const { link } = all.transport;
    await link.open();
    admin.disconnect();
    await link.say(welcome({ session: 's2', reason: 'unknown-session' }));
    admin.connect();
    await settle();
    expect(briefs(await link.read()).slice(-3)).toEqual(['RESET', 'DISCONNECT /admin', 'CONNECT /admin undefined']);
  });

  test('a full outbox keeps nobody from leaving', async () => {
    const { socket, link } = await open({ offlinePacketsMax: 2 });
    const admin = socket.of('/admin');
    await link.read();
    // It is let in after it was left.
    socket.emit('1');
    admin.disconnect();
    expect(() => socket.emit('2')).toThrow(expect.objectContaining({ code: 'ERR_OUTBOX_FULL' }));
    await link.say({ type: PacketType.Connected, namespace: '/admin', id: 'a' });
    expect(briefs(await link.read())).toEqual(['EVENT / 1 []', 'DISCONNECT /admin', 'DISCONNECT /admin']);
    socket.connection.close();
    expect(link.closed?.code).toBe(1000);
  });

  test('what was refused leaves no acknowledgement behind', async () => {
    const { socket, transport } = scene({ offlinePacketsMax: 1 });
    socket.emit('1');
    for (let i = 0; i < 20_000; i++) socket.emitWithAck('2').catch(() => {});
    await transport.link.open();
    await transport.link.say(welcome(), connected(), { type: PacketType.Sack, received: 1 });
    const reply = socket.emitWithAck('3');
    const [asked] = await transport.link.read();
    await transport.link.say({ type: PacketType.Ack, ack: (asked as { ack: number }).ack, value: 'yes' });
    expect(await reply).toBe('yes');
  });

  test('what is emitted before the first connect() waits for that, and no longer than it may', async () => {
    const { socket, transport, advance } = scene({ autoConnect: false, ackTimeoutMs: 500, offlinePacketsMax: 3 });
    socket.emit('first', 1);
    const late = socket.emitWithAck('late').catch((error) => [error.code, error.details.left]);
    expect(() => socket.emit('x', new Map())).toThrow(expect.objectContaining({ code: 'ERR_NOT_ENCODABLE' }));
    const args = { at: 'the time' };
    socket.emit('then', args);
    args.at = 'later';
    expect(() => socket.emit('more')).toThrow(expect.objectContaining({ code: 'ERR_OUTBOX_FULL' }));
    await advance(500);
    expect(await late).toEqual(['ERR_ACK_TIMEOUT', false]);
    expect([socket.active, transport.links.length]).toEqual([false, 0]);
    const other = socket.of('/other');
    other.emit('aside');
    other.connect();
    await settle();
    expect(briefs(await transport.link.open()).slice(1)).toEqual(['EVENT /other aside []']);
    await transport.link.say(welcome(), connected('/other'));
    socket.connect();
    await transport.link.say({ type: PacketType.Sack, received: 1 });
    expect(briefs(await transport.link.read())).toEqual([
      'CONNECT / undefined',
      'EVENT / first [1]',
      'EVENT / then [{"at":"the time"}]',
    ]);
  });

  test('what waits for connect() is bounded for all namespaces together, and what is over makes place', async () => {
    const { socket, advance } = scene({ autoConnect: false, offlinePacketsMax: 2, offlineBytesMax: 150 });
    const [full, other] = [{ code: 'ERR_OUTBOX_FULL' }, socket.of('/other')];
    const fails = (emit: () => void) => expect(emit).toThrow(expect.objectContaining(full));
    const errors: unknown[][] = [];
    watch(socket, errors);
    socket.timeout(500).emit('a');
    other.timeout(500).emit('b');
    fails(() => socket.emit('c'));
    fails(() => other.emit('c'));
    await advance(500);
    expect(errors).toEqual([['error', 'ERR_ACK_TIMEOUT']]);
    socket.timeout(500).emit('d', 'x'.repeat(170));
    fails(() => other.emit('e', 'x'.repeat(70)));
    await advance(500);
    other.emit('e', 'x'.repeat(70));
    other.emit('f');
    fails(() => socket.emit('g'));
  });

  test('who leaves when told what fails at connect() has left, and nothing else of that is sent', async () => {
    const { socket, transport } = scene({ autoConnect: false, offlineBytesMax: 60 });
    const other = socket.of('/other');
    other.connect();
    other.emit('first', 'x'.repeat(70));
    // Behind it there is no room.
    socket.emit('second');
    const third = socket.emitWithAck('third').catch((error) => error.code);
    const log: unknown[][] = [];
    watch(socket, log);
    socket.on('error', () => socket.disconnect());
    socket.connect();
    expect(socket.active).toBe(false);
    expect(log).toEqual([['error', 'ERR_OUTBOX_FULL']]);
    expect(briefs(await transport.link.open())).toEqual([
      'HELLO /other',
      expect.stringContaining('EVENT /other first'),
    ]);
    expect(await third).toBe('ERR_DISCONNECTED');
  });

  test('bytes are bounded too', () => {
    const { socket } = scene({ offlineBytesMax: 100 });
    socket.emit('a', 'x'.repeat(70));
    // What goes past the limit is taken, whatever its size.
    socket.emit('b', 'x'.repeat(700));
    expect(() => socket.emit('c')).toThrow(expect.objectContaining({ code: 'ERR_OUTBOX_FULL' }));
  });

  test('an acknowledgement waited for times out without a connection', async () => {
    const { socket, advance } = scene({ ackTimeoutMs: 500 });
    const reply = socket.emitWithAck('ask').catch((error) => error.code);
    const slow = socket
      .timeout(900)
      .emitWithAck('ask')
      .catch((error) => error.code);
    await advance(500);
    expect(await reply).toBe('ERR_ACK_TIMEOUT');
    let settled = false;
    slow.then(() => (settled = true));
    await settle();
    expect(settled).toBe(false);
    await advance(400);
    expect(await slow).toBe('ERR_ACK_TIMEOUT');
  });
});

describe('limits of the server', () => {
  test('a frame over frameBytesMax is refused at the emit, measured in bytes', async () => {
    const { socket, transport } = scene();
    await transport.link.open();
    await transport.link.say(welcome({ settings: { ...defaultSettings, frameBytesMax: 100 } }), connected());
    socket.emit('a', 'x'.repeat(80));
    expect(() => socket.emit('b', 'ü'.repeat(80))).toThrow(expect.objectContaining({ code: 'ERR_FRAME_TOO_BIG' }));
    await expect(socket.emitWithAck('b', 'x'.repeat(100))).rejects.toMatchObject({ code: 'ERR_FRAME_TOO_BIG' });
    expect(await transport.link.read()).toHaveLength(1);
  });

  test.each(['a', 'é', '\u07ff', '\u0800', '\ud7ff', '\ue000', '\uffff', '𝄞', 'a𝄞é漢'])(
    'text is measured as UTF-8 where nothing can encode it: %s',
    async (text) => {
      vi.stubGlobal('TextEncoder', undefined);
      try {
        const { socket, transport } = scene();
        await transport.link.open();
        const bytes = Buffer.byteLength('[2,"/","e",[""]]') + 100 * Buffer.byteLength(text);
        const send = async (frameBytesMax: number) => {
          const { link } = transport;
          await link.say(welcome({ settings: { ...defaultSettings, frameBytesMax } }), connected());
          return () => socket.emit('e', text.repeat(100));
        };
        expect(await send(bytes - 1)).toThrow(expect.objectContaining({ code: 'ERR_FRAME_TOO_BIG' }));
        socket.disconnect().connect();
        await transport.link.open();
        expect(await send(bytes)).not.toThrow();
      } finally {
        vi.unstubAllGlobals();
      }
    },
  );

  test('what no codec carries is refused with its path', () => {
    const { socket } = scene();
    expect(() => socket.emit('a', { when: new Map() })).toThrow(expect.objectContaining({ code: 'ERR_NOT_ENCODABLE' }));
  });
});

describe('heartbeat', () => {
  test('a silent server is asked, and given up after the timeout; the session is resumed', async () => {
    const all = await open();
    await all.advance(defaultSettings.heartbeatMs + defaultSettings.heartbeatTimeoutMs / 2 - 1);
    expect(briefs(await all.link.read())).not.toContain('PING');
    await all.advance(1);
    expect(briefs(await all.link.read())).toContain('PING');
    await all.advance(defaultSettings.heartbeatTimeoutMs);
    expect(all.link.closed).toMatchObject({ code: 4000 });
    expect(all.log.at(-1)).toEqual(['disconnect', 4000, 'network', true]);
    await all.advance(1_000);
    expect(briefs(await all.transport.link.open())).toEqual(['HELLO / resume s1 1 0']);
  });

  test('one that answers is kept', async () => {
    const all = await open();
    for (let i = 0; i < 5; i++) {
      await all.advance(35_000);
      expect(briefs(await all.link.read())).toContain('PING');
      await all.link.say({ type: PacketType.Pong, received: 0 });
    }
    expect(all.link.closed).toBeUndefined();
  });

  test('handled packets are confirmed after sackDelayMs', async () => {
    const all = await open();
    await all.advance(defaultSettings.sackDelayMs);
    expect(briefs(await all.link.read())).toEqual(['SACK 1']);
    await all.link.say({ type: PacketType.Ping, received: 0 });
    expect(briefs(await all.link.read())).toEqual(['PONG']);
  });
});

describe('namespaces', () => {
  test('one is connected and left over an open connection; the last one ends the session', async () => {
    const { socket, link, log } = await open();
    const admin = socket.of('/admin', { auth: { key: 1 } });
    watch(admin, log, 'admin ');
    admin.emit('early');
    expect(briefs(await link.read())).toEqual(['CONNECT /admin {"key":1}', 'EVENT /admin early []']);
    await link.say(connected('/admin', 'id2'));
    expect([admin.id, admin.connected, admin.connection]).toEqual(['id2', true, socket.connection]);
    expect(socket.of('/admin')).toBe(admin);
    socket.disconnect();
    expect(briefs(await link.read())).toEqual(['DISCONNECT /']);
    socket.emit('x');
    expect(log.pop()).toEqual(['error', 'ERR_NOT_CONNECTED']);
    admin.disconnect();
    expect(link.closed?.code).toBe(1000);
    expect(socket.connection.state).toBe('closed');
    expect(log.slice(1)).toEqual([
      ['admin connect', { recovered: false, unconfirmed: 0 }],
      ['disconnect', 1000, 'client', false],
      ['admin disconnect', 1000, 'client', false],
    ]);
  });

  test('events wait for an auth that takes time, as they were when they were emitted', async () => {
    const { socket, link } = await open({ offlinePacketsMax: 2 });
    let give = (_: object) => {};
    const admin = socket.of('/admin', { auth: () => new Promise((resolve) => (give = resolve as never)) });
    const list = [1];
    admin.emit('early', list);
    list.push(2);
    const reply = admin.emitWithAck('ask');
    expect(() => admin.emit('third')).toThrow(expect.objectContaining({ code: 'ERR_OUTBOX_FULL' }));
    expect(() => admin.emit('bad', new Map())).toThrow();
    expect(await link.read()).toEqual([]);
    await link.say({ type: PacketType.Sack, received: 0 });
    give({ key: 1 });
    await settle();
    // The outbox has room for CONNECT and one event.
    expect(briefs(await link.read())).toEqual(['CONNECT /admin {"key":1}', 'EVENT /admin early [[1]]']);
    await expect(reply).rejects.toMatchObject({ code: 'ERR_OUTBOX_FULL' });
  });

  test('an auth that fails is a connect_error of that namespace alone', async () => {
    const { socket, link, log } = await open();
    const admin = socket.of('/admin', {
      auth: () => {
        throw new Error('no key');
      },
    });
    watch(admin, log, 'admin ');
    const reply = admin.emitWithAck('ask');
    await expect(reply).rejects.toMatchObject({ code: 'ERR_AUTH' });
    expect(log.at(-1)).toEqual(['admin connect_error', 'ERR_AUTH']);
    expect(socket.connected).toBe(true);
    expect(link.closed).toBeUndefined();
  });

  test('one wanted while away is asked for by CONNECT in the resumed session', async () => {
    const all = await open();
    await all.link.drop();
    all.socket.of('/b', { auth: { b: 1 } }).emit('x');
    await all.advance(1_000);
    expect(briefs(await all.transport.link.open())).toEqual([
      'HELLO / /b{"b":1} resume s1 1 0',
      'CONNECT /b {"b":1}',
      'EVENT /b x []',
    ]);
    await all.transport.link.say(welcome({ session: 's2', reason: 'unknown-session' }));
    expect(briefs(await all.transport.link.read())).toEqual(['RESET', 'EVENT /b x []']);
  });

  test('one wanted between a resuming HELLO and WELCOME is asked for in the session that WELCOME names', async () => {
    for (const recovered of [true, false]) {
      const all = await open();
      await reconnect(all);
      const late = all.socket.of('/late');
      const reply = late.emitWithAck('x');
      expect(briefs(await all.link.read())).toEqual([]);
      await all.link.say(welcome({ recovered, session: recovered ? 's1' : 's2' }));
      expect(briefs(await all.link.read())).toEqual([
        ...(recovered ? [] : ['RESET']),
        'CONNECT /late undefined',
        'EVENT /late x [] #1',
      ]);
      await all.link.say(connected(), connected('/late'), { type: PacketType.Ack, ack: 1, value: 5 });
      expect(await reply).toBe(5);
    }
  });

  test('one left and wanted again between a resuming HELLO and WELCOME is asked for once', async () => {
    for (const recovered of [true, false]) {
      const all = await open();
      all.socket.of('/other');
      await all.link.say(connected('/other'));
      await reconnect(all);
      all.socket.disconnect().connect();
      all.socket.emit('x');
      await all.link.read();
      await all.link.say(welcome({ recovered, received: recovered ? 1 : 0, session: recovered ? 's1' : 's2' }));
      expect(briefs(await all.link.read())).toEqual(
        recovered ? ['CONNECT / undefined', 'EVENT / x []'] : ['RESET', 'EVENT / x []'],
      );
    }
  });

  test('an answer to an earlier question is no connect for who has asked once more since', async () => {
    const all = await open();
    all.socket.of('/other');
    await all.link.say(connected('/other', 'o1'));
    all.socket.disconnect().connect();
    await all.link.read();
    all.socket.disconnect().connect();
    await all.link.read();
    await all.link.say(connected('/', 'id2'));
    all.socket.once('disconnect', () => all.socket.disconnect().connect());
    const before = all.log.length;
    await all.link.say(connected('/', 'id3'));
    await all.link.read();
    expect(all.log.slice(before)).toEqual([['disconnect', 1000, 'client', true]]);
    await all.link.say(connected('/', 'id4'));
    expect([all.log.at(-1), all.socket.id]).toEqual([['connect', { recovered: false, unconfirmed: 0 }], 'id4']);
  });

  test('HELLO that is said again lists what it listed', async () => {
    const { socket, transport, advance } = scene();
    socket.of('/left');
    const [hello] = await transport.link.open();
    socket.of('/left').disconnect();
    await transport.link.drop();
    await advance(1_000);
    const [again, ...flight] = await transport.link.open();
    expect(again).toEqual({ ...hello, generation: 2, left: 1 });
    expect(briefs(flight)).toEqual(['DISCONNECT /left']);
  });

  test('as many as HELLO can list', () => {
    const { socket } = scene();
    for (let i = 1; i < 64; i++) socket.of(`/${i}`);
    expect(() => socket.of('/64')).toThrow(expect.objectContaining({ code: 'ERR_NAMESPACES_FULL' }));
    socket.of('/1').disconnect();
    socket.of('/64');
  });

  test('a slow auth asked for before the connection was lost does not connect twice', async () => {
    const all = await open();
    const gives: ((auth: object) => void)[] = [];
    const admin = all.socket.of('/admin', { auth: () => new Promise((resolve) => gives.push(resolve as never)) });
    admin.emit('held');
    await all.link.drop({ code: 4410 });
    await all.advance(1_000);
    expect(await all.transport.link.open()).toEqual([]);
    gives[1]!({ second: 1 });
    expect(briefs(await all.transport.link.read())).toEqual(['HELLO / /admin{"second":1}', 'EVENT /admin held []']);
    gives[0]!({ first: 1 });
    await all.transport.link.say(welcome({ session: 's2' }));
    expect(await all.transport.link.read()).toEqual([]);
  });

  test('one whose auth is slow is in the session that HELLO made instead', async () => {
    const all = await open();
    const gives: ((auth: object) => void)[] = [];
    await all.link.drop();
    all.socket.of('/slow', { auth: () => new Promise((resolve) => gives.push(resolve as never)) }).emit('held');
    await all.advance(1_000);
    await all.transport.link.open();
    gives[1]!({ n: 2 });
    expect(briefs(await all.transport.link.read())).toEqual(['HELLO / /slow{"n":2} resume s1 1 0']);
    await all.transport.link.say(welcome({ session: 's2' }));
    expect(briefs(await all.transport.link.read())).toEqual(['RESET', 'EVENT /slow held []']);
    gives[0]!({ n: 1 });
    expect(await all.transport.link.read()).toEqual([]);
  });

  test('refused by the server: a PublicError, the other namespaces go on', async () => {
    const { socket, link, log } = await open();
    const admin = socket.of('/admin');
    const errors: unknown[] = [];
    admin.on('connect_error', (error) => errors.push(error));
    await link.say({
      type: PacketType.Refused,
      namespace: '/admin',
      code: 'ERR_NO',
      message: 'not you',
      data: { why: 1 },
    });
    expect(errors).toEqual([expect.objectContaining({ name: 'PublicError', code: 'ERR_NO', data: { why: 1 } })]);
    expect([admin.connected, socket.connected, link.closed]).toEqual([false, true, undefined]);
    expect(log).toHaveLength(1);
    await link.read();
    admin.connect();
    expect(briefs(await link.read())).toEqual(['CONNECT /admin undefined']);
  });

  test('refused and the only one: the connection closes, and connect() tries again', async () => {
    const { socket, transport, log } = scene({ auth: { bad: 1 } });
    await transport.link.open();
    await transport.link.say(welcome(), {
      type: PacketType.Refused,
      namespace: '/',
      code: 'ERR_NO',
      message: '',
      data: undefined,
    });
    expect(log).toEqual([['connect_error', 'ERR_NO']]);
    expect(transport.link.closed?.code).toBe(1000);
    socket.connect();
    expect(transport.links).toHaveLength(2);
    expect(briefs(await transport.link.open())).toEqual(['HELLO /{"bad":1}']);
  });

  test('a refusal whose handler connects again keeps the connection', async () => {
    const { socket, transport } = scene();
    socket.once('connect_error', () => socket.connect());
    await transport.link.open();
    await transport.link.say(welcome(), {
      type: PacketType.Refused,
      namespace: '/',
      code: 'ERR_NO',
      message: '',
      data: undefined,
    });
    expect(transport.link.closed).toBeUndefined();
    expect(briefs(await transport.link.read())).toEqual(['CONNECT / undefined']);
  });

  test('disconnected by the server: not connected again by itself', async () => {
    const { socket, link, log } = await open();
    const other = socket.of('/other');
    await link.say(connected('/other'));
    await link.read();
    await link.say({ type: PacketType.Disconnect, namespace: '/', reason: 'kicked' });
    expect(log.at(-1)).toEqual(['disconnect', 1000, 'server', false]);
    expect([socket.connected, other.connected]).toEqual([false, true]);
    expect(await link.read()).toEqual([]);
    socket.connect();
    expect(briefs(await link.read())).toEqual(['CONNECT / undefined']);
  });

  test('one left before its CONNECTED came is left again', async () => {
    const { socket, link } = await open();
    const other = socket.of('/other');
    await settle();
    other.disconnect();
    expect(briefs(await link.read())).toEqual(['CONNECT /other undefined', 'DISCONNECT /other']);
    await link.say(connected('/other'), event('x', [], 1, '/other'));
    expect(other.connected).toBe(false);
    expect(briefs(await link.read())).toEqual([
      'DISCONNECT /other',
      'ERROR #1 ERR_NO_HANDLER No handler for this event. undefined',
    ]);
  });

  test('one left and wanted again before its CONNECTED came is told both answers, with a disconnect between', async () => {
    const { socket, link } = await open();
    const other = socket.of('/other');
    const log: unknown[][] = [];
    watch(other, log);
    await settle();
    other.disconnect();
    other.connect();
    await settle();
    const asked = ['CONNECT /other undefined', 'DISCONNECT /other', 'CONNECT /other undefined'];
    expect(briefs(await link.read())).toEqual(asked);
    await link.say(connected('/other', 'id1'), connected('/other', 'id2'));
    expect(log).toEqual([
      ['connect', { recovered: false, unconfirmed: 0 }],
      ['disconnect', 1000, 'client', true],
      ['connect', { recovered: false, unconfirmed: 0 }],
    ]);
    expect(other.id).toBe('id2');
  });
});

test('the client names itself with the version of its package', async () => {
  const { version } = (await import('../../package.json')).default;
  const { transport } = scene();
  const [hello] = await transport.link.open();
  expect(hello).toMatchObject({ client: `halyard-js/${version}` });
  expect(brief(hello!)).toBe('HELLO /');
});

describe('a frame that is too big', () => {
  /** Bytes of a server that takes less than others do. */
  const settings = { ...defaultSettings, frameBytesMax: 100_000 };
  const big = (n: number) => 'x'.repeat(n);

  test('waits until it is known how large one may be, and then fails alone; the others arrive', async () => {
    const { socket, transport, log } = scene();
    socket.emit('before', 1);
    socket.emit('big', big(2 << 20));
    const reply = socket.emitWithAck('asks', big(100_000));
    socket.emit('large', big(99_000));
    const other = socket.emitWithAck('after', 2);
    expect(briefs(await transport.link.open())).toEqual(['HELLO /', 'EVENT / before [1]']);
    await transport.link.say(welcome({ settings }), connected());
    await expect(reply).rejects.toThrow(/^more than 100000 bytes.*server's frameBytesMax/);
    expect(log).toEqual([
      ['error', 'ERR_FRAME_TOO_BIG'],
      ['connect', { recovered: false, unconfirmed: 0 }],
    ]);
    expect(briefs(await transport.link.read()).map((line) => line.slice(0, 20))).toEqual([
      'EVENT / large ["xxxx',
      'EVENT / after [2] #2',
    ]);
    // The numbers are those of what has left.
    await transport.link.say({ type: PacketType.Sack, received: 3 }, { type: PacketType.Ack, ack: 2, value: 'ok' });
    expect(await other).toBe('ok');
    expect(socket.connection.state).toBe('open');
    expect(() => socket.emit('big', big(100_000))).toThrow(expect.objectContaining({ code: 'ERR_FRAME_TOO_BIG' }));
  });

  test('is refused by a server that takes less than the one before it', async () => {
    const all = await open();
    await all.link.drop();
    all.socket.emit('big', big(200_000));
    all.socket.emit('small');
    await all.advance(1_000);
    const { link } = all.transport;
    expect(briefs(await link.open())).toEqual(['HELLO / resume s1 1 0']);
    await link.say(welcome({ settings, recovered: true }));
    expect(all.log.slice(2)).toEqual([
      ['error', 'ERR_FRAME_TOO_BIG'],
      ['connect', { recovered: true, unconfirmed: 0 }],
    ]);
    expect(briefs(await link.read())).toEqual(['EVENT / small []']);
  });

  test('is one that the connection of now does not carry', async () => {
    const { socket, transport, log } = scene();
    socket.emit('big', big(70_000));
    const { link } = transport;
    link.frameBytesMax = 70_000;
    await link.open();
    await link.say(welcome({ settings }), connected());
    expect(log[0]).toEqual(['error', 'ERR_FRAME_TOO_BIG']);
    expect(() => socket.emit('big', big(70_000))).toThrow(/more than 70000 bytes.*httpBodyBytesMax/);
  });

  test('has no place in a new session either', async () => {
    const all = await open();
    await all.link.drop();
    all.socket.emit('big', big(200_000));
    all.socket.emit('small');
    await all.advance(1_000);
    const { link } = all.transport;
    await link.open();
    await link.say(welcome({ settings, session: 's2', reason: 'unknown-session' }), connected());
    expect(briefs(await link.read())).toEqual(['RESET', 'EVENT / small []']);
    expect(all.log.slice(2)).toEqual([
      ['error', 'ERR_FRAME_TOO_BIG'],
      ['connect', { recovered: false, unconfirmed: 0, reason: 'unknown-session' }],
    ]);
  });
});

describe('an event whose time is over', () => {
  test('never leaves if it has not left', async () => {
    const { socket, transport, advance, log } = scene();
    const codes: string[] = [];
    const ask = (n: number) =>
      socket
        .timeout(100)
        .emitWithAck('ask', n)
        .catch(({ code, details }) => codes.push(`${code} ${details.left}`));
    for (const n of [1, 2, 3]) ask(n);
    socket.timeout(100).emit('tell', 4);
    socket.emit('stays', 5);
    const late = socket.timeout(5_000).emitWithAck('ask', 6);
    await advance(100);
    expect(codes).toEqual(Array(3).fill('ERR_ACK_TIMEOUT false'));
    expect(log).toEqual([['error', 'ERR_ACK_TIMEOUT']]);
    expect(briefs(await transport.link.open())).toEqual(['HELLO /', 'EVENT / stays [5]', 'EVENT / ask [6] #5']);
    await transport.link.say(welcome(), connected(), { type: PacketType.Ack, ack: 5, value: 'ok' });
    expect(await late).toBe('ok');
  });

  test('that has left is sent again, and nothing is told of one without a reply to wait for', async () => {
    const all = await open();
    all.socket.timeout(100).emit('tell');
    const reply = all.socket
      .timeout(100)
      .emitWithAck('ask')
      .catch(({ code, details }) => [code, details]);
    await all.link.drop();
    await all.advance(100);
    expect(await reply).toEqual(['ERR_ACK_TIMEOUT', { left: true }]);
    await all.advance(1_000);
    expect(briefs(await all.transport.link.open()).slice(1)).toEqual(['EVENT / tell []', 'EVENT / ask [] #2']);
    expect(all.log.slice(1)).toEqual([['disconnect', 1006, 'network', true]]);
  });

  test('that is given up with its session before it could leave is told, once', async () => {
    const { socket, transport, log } = scene();
    const failed: string[] = [];
    socket.emit('tell');
    socket.emitWithAck('ask').catch(({ code, message }) => failed.push(code, message));
    socket.timeout(100).emit('in time');
    socket.disconnect();
    await settle();
    const message = 'not sent, or not answered: the socket was disconnected (1000)';
    expect(failed).toEqual(['ERR_DISCONNECTED', message]);
    expect(log).toEqual(Array(2).fill(['error', 'ERR_DISCONNECTED']));
    socket.connect();
    expect(briefs(await transport.link.open())).toEqual(['HELLO /']);
  });

  test('that had left when its session ended for good may have come: nothing is told', async () => {
    const all = await open();
    all.socket.emit('tell');
    await all.link.drop({ code: 4409, reason: 'evicted', by: 'server' });
    expect(all.socket.connection.state).toBe('closed');
    expect(all.log.filter(([what]) => what === 'error')).toEqual([]);
  });

  test('is not waited for by a socket that has been disconnected', async () => {
    const all = await open();
    const settings = { ...defaultSettings, windowPacketsMax: 1 };
    await all.link.drop();
    await all.advance(1_000);
    await all.transport.link.open();
    await all.transport.link.say(welcome({ recovered: true, settings }));
    all.socket.emit('flies');
    all.socket.timeout(100).emit('waits');
    all.socket.disconnect();
    expect(all.socket.connection.state).toBe('open');
    await all.transport.link.say({ type: PacketType.Sack, received: 1 });
    expect(briefs(await all.transport.link.read())).toContain('EVENT / waits []');
  });

  test('fails while its namespace is asked for', async () => {
    const all = await open();
    let give = (_: object) => {};
    const other = all.socket.of('/other', { auth: () => new Promise((resolve) => (give = resolve as never)) });
    watch(other, all.log, 'other ');
    const reply = other
      .timeout(100)
      .emitWithAck('ask')
      .catch((error) => error.code);
    other.timeout(100).emit('tell');
    other.timeout(5_000).emit('stays');
    await all.advance(100);
    expect(await reply).toBe('ERR_ACK_TIMEOUT');
    expect(all.log.slice(1)).toEqual([['other error', 'ERR_ACK_TIMEOUT']]);
    give({ a: 1 });
    expect(briefs(await all.link.read())).toEqual(['CONNECT /other {"a":1}', 'EVENT /other stays []']);
    await all.advance(5_000);
    expect(all.log).toHaveLength(2);
  });
});

test('what was answered is not counted among what nobody knows', async () => {
  const all = await open();
  const answered = all.socket.emitWithAck('answered');
  all.socket.emitWithAck('asked').catch(() => {});
  all.socket
    .timeout(100)
    .emitWithAck('timed out')
    .catch(() => {});
  all.socket.emit('told');
  await all.link.say({ type: PacketType.Ack, ack: 1, value: 'ok' });
  expect(await answered).toBe('ok');
  await all.advance(100);
  await reconnect(all);
  await all.link.say(welcome({ session: 's2', reason: 'unknown-session' }), connected());
  expect(all.log.at(-1)).toEqual(['connect', { recovered: false, reason: 'unknown-session', unconfirmed: 3 }]);
});
