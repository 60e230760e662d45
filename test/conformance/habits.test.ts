// What people type who come from Socket.IO: accepted, or answered with what does it here. Longer than other files: habit by habit.
import { createServer } from 'node:http';
import { inspect } from 'node:util';
import { connect } from '@halyard/client';
import { memory, PublicError, Server, type ServerOptions, type Socket, type Warning } from '@halyard/server';
import { Emitter } from '@halyard/server/emitter';
import { describe, expect, test } from 'vitest';
import { hosts } from '../kit/hosts';
import { served } from '../kit/served';
import { Poller } from './poller';

describe('new Server', () => {
  test.each<[what: string, options: unknown, message: string]>([
    [
      'an http.Server',
      createServer(),
      'new Server(…) takes options, not an http.Server: make it by new Server(), and await io.attach(httpServer).',
    ],
    [
      'a port',
      3000,
      'new Server(…) takes an object of options, not 3000: for a port, make it by new Server(), and await io.listen(port).',
    ],
    [
      'an app',
      (_request: unknown, _response: unknown) => {},
      'new Server(…) takes options, not an app: make it by new Server(), and await io.attach(http.createServer(app)).',
    ],
    [
      'a port in digits',
      '3000',
      'new Server(…) takes an object of options, not "3000": for a port, make it by new Server(), and await io.listen(port).',
    ],
    [
      'nothing',
      null,
      'new Server(…) takes an object of options, not null: for a port, make it by new Server(), and await io.listen(port).',
    ],
  ])('of %s', (_what, options, message) => {
    expect(() => new Server(options as ServerOptions)).toThrow(
      expect.objectContaining({ code: 'ERR_OPTION', message }),
    );
  });

  test('and options behind it, as where a server is what comes first', async () => {
    const more = { path: '/x', cors: { origin: '*' } } as never;
    expect(() => new Server(undefined, more)).toThrow(
      expect.objectContaining({
        code: 'ERR_OPTION',
        message: 'new Server(…) takes options as the only argument: new Server({ path, origins }).',
      }),
    );
    await expect(new Server().attach(createServer(), more)).rejects.toMatchObject({
      code: 'ERR_OPTION',
      message: 'attach takes the server alone: its options go to new Server({ path, origins }).',
    });
  });

  test.each([
    ['cors', { origin: '*' }, 'origins'],
    ['pingInterval', 25_000, 'heartbeatMs'],
    ['pingTimeout', 20_000, 'heartbeatTimeoutMs'],
    ['maxHttpBufferSize', 1e6, 'frameBytesMax'],
    ['connectionStateRecovery', {}, 'recoveryWindowMs'],
    ['upgradeTimeout', 1_000, 'stays on the one that it has'],
    ['allowRequest', (_request: unknown, _done: unknown) => {}, 'there is no callback'],
    ['adapter', memory, 'adapter: it may be redis({ url }), or memory(): call it.'],
    ['fetch', Object.assign(() => {}, { use() {}, listen() {} }), 'an app of Express is attached'],
    ['constructor', 1, 'is not an option: known ones are'],
    ['port', 3000, 'The server option "port" is not an option: it is given to listen: await io.listen(3000'],
    ['server', {}, 'an http.Server is given to attach: await io.attach(httpServer)'],
  ])('with the option %s', (name, value, ours) => {
    const make = (): Server => new Server(Object.fromEntries([[name, value]]) as ServerOptions);
    expect(make).toThrow(ours);
    expect(make).toThrow(expect.objectContaining({ code: 'ERR_OPTION', details: { option: name } }));
  });
});

describe.each(hosts)('on %s', (_name, host) => {
  const { serve, open } = served(host);

  test('a port may be digits, as the environment has it, and nothing else', async () => {
    const io = await new Server({ host: host() }).listen('0', '127.0.0.1');
    expect(io.port).toBeGreaterThan(0);
    await io.close();
    for (const [port, given] of [
      ['', '""'],
      ['3000a', '"3000a"'],
      ['-1', '"-1"'],
      ['/tmp/socket', '"/tmp/socket"'],
      ['70000', '"70000"'],
      [undefined, 'undefined'],
      [1.5, '1.5'],
    ] as const) {
      await expect(new Server({ host: host() }).listen(port as string)).rejects.toMatchObject({
        code: 'ERR_OPTION',
        message: `The port is ${given}: it may be a whole number from 0 to 65535.`,
      });
    }
  });

  test('what else is given to listen by habit is answered with what does it here', async () => {
    for (const [args, message] of [
      [[createServer()], 'listen takes a port, not an http.Server: await io.attach(httpServer) for that.'],
      [[{ port: 3000 }], 'listen takes a port and then options: await io.listen(port, { address }).'],
      [[null], 'The port is null: it may be a whole number from 0 to 65535.'],
      [[0, () => {}], 'listen takes no callback: it has begun once await io.listen(port) returns.'],
      [[0, '0.0.0.0', () => {}], 'listen takes no callback: it has begun once await io.listen(port) returns.'],
    ] as const) {
      const listening = new Server({ host: host() }).listen(...(args as unknown as [number, string]));
      await expect(listening).rejects.toMatchObject({ code: 'ERR_OPTION', message });
    }
  });

  test('middleware that waits for a next is told that there is none', async () => {
    const io = new Server({ host: host() });
    const rule = /takes the \w+ alone, and no next: it returns, or resolves, to let it pass/;
    const refused = expect.objectContaining({ code: 'ERR_HANDLER_TYPE', message: expect.stringMatching(rule) });
    const step = (_socket: unknown, next: () => void): void => next();
    for (const of of [io, io.of('/b'), io.of(/c/)]) {
      for (const take of ['use', 'renew', 'onResume'] as const) {
        expect(() => of[take](step as never)).toThrow(refused);
        expect(() => of[take](undefined as never)).toThrow(expect.objectContaining({ code: 'ERR_HANDLER_TYPE' }));
      }
    }
    const listening = await serve({}, (server) => {
      server.on('connection', (socket) => {
        expect(() => socket.use(step as never)).toThrow(refused);
        socket.emit('asked');
      });
    });
    const wire = await open(listening);
    wire.send([0, [['/']]]);
    expect((await wire.packet(2))[2]).toBe('asked');
  });

  test('a server that was closed listens no more, and says so', async () => {
    const io = await new Server({ host: host() }).listen(0, '127.0.0.1');
    await io.close();
    const closed = { code: 'ERR_CLOSED', message: expect.stringContaining('make a new Server') };
    await expect(io.listen(0)).rejects.toMatchObject(closed);
    await expect(io.attach(createServer())).rejects.toMatchObject(closed);
    // Nor one that is closed while it starts.
    const early = new Server({ host: host() });
    const listening = expect(early.listen(0, '127.0.0.1')).rejects.toMatchObject(closed);
    await early.close();
    await listening;
  });

  test('a callback at the end of an emit is answered with what waits for replies', async () => {
    const io = await serve();
    const wire = await open(io);
    wire.send([0]);
    const [, , id] = (await wire.packet(11)) as [number, string, string];
    const socket = io.sockets.get(id);
    const callback = (): void => {};
    const refused = { code: 'ERR_NOT_ENCODABLE', details: { path: 'args[1]' }, message: /emitWithAck/ };
    const failure = expect.objectContaining({ ...refused, message: expect.stringMatching(refused.message) });
    for (const emitter of [socket, socket?.volatile, io, io.to('room'), io.volatile]) {
      expect(() => emitter?.emit('question', 'why', callback)).toThrow(failure);
    }
    for (const asked of [
      socket?.emitWithAck('question', 'why', callback),
      io.emitWithAck('question', 'why', callback),
      socket?.emitDurable('question', 'why', callback),
      io.to('room').emitDurable('question', 'why', callback),
    ]) {
      await expect(asked).rejects.toEqual(failure);
    }
    expect(() => io.serverSideEmit('question', 'why', callback)).toThrow(failure);
    await wire.settle();
    expect(wire.events).toEqual([]);
  });

  test('an event that nobody handles is told of, whether or not a reply is waited for', async () => {
    const heard: unknown[] = [];
    const io = await serve({}, (server) => {
      server.on('unhandled', (socket, event, args) => heard.push([socket.id, socket.namespace, event, args]));
      server.of('/b').on('connection', () => {});
      server.on('connection', (socket) => {
        socket.onAny(() => 'not its own handler');
        socket.on('handled', () => undefined);
        socket.on('removed', () => 1);
        socket.off('removed');
      });
    });
    const wire = await open(io);
    wire.send([0, [['/'], ['/b']]]);
    const [, , id] = await wire.packet(11, ([, namespace]) => namespace === '/');
    const [, , other] = await wire.packet(11, ([, namespace]) => namespace === '/b');
    wire.send(
      [2, '/', 'handled', []],
      [2, '/', 'handeld', ['x', { y: 1 }]],
      [6, '/', 'volatile', []],
      [2, '/b', 'asked', [], 1],
      [2, '/', 'removed', [], 2],
      [2, '/', 'handled', [], 3],
    );
    expect(await wire.packet(3)).toEqual([3, 3]);
    expect(heard).toEqual([
      [id, '/', 'handeld', ['x', { y: 1 }]],
      [id, '/', 'volatile', []],
      [other, '/b', 'asked', []],
      [id, '/', 'removed', []],
    ]);
    expect(wire.received.filter(([type]) => type === 4).map(([, ack, code]) => [ack, code])).toEqual([
      [1, 'ERR_NO_HANDLER'],
      [2, 'ERR_NO_HANDLER'],
    ]);
  });

  test('an event that nobody handles, waits for, sees or asks for is a warning, once for each name', async () => {
    const warnings: string[] = [];
    const io = await serve({}, (server) => {
      server.on('warning', ({ code, message }) => warnings.push(`${code}: ${message.split(', where')[0]}`));
      server.on('connection', (socket) => socket.on('handled', () => undefined));
      server.of('/seen').on('connection', (socket) => {
        const once = () => void socket.offAny(once);
        socket.onAny(once);
      });
    });
    const wire = await open(io);
    wire.send([0, [['/'], ['/seen']]]);
    await wire.packet(11, ([, namespace]) => namespace === '/seen');
    wire.send(
      ...[1, 2, 3].map(() => [2, '/', 'handeld', []]),
      [2, '/', 'asked', [], 1],
      [2, '/seen', 'seen', []],
      [6, '/', 'typing', []],
      [2, '/', 'handled', [], 2],
    );
    await wire.packet(3, ([, ack]) => ack === 2);
    expect(warnings).toEqual([
      'ERR_NO_HANDLER: ERR_NO_HANDLER: a client has sent "handeld" in the namespace "/"',
      'ERR_NO_HANDLER: ERR_NO_HANDLER: a client has sent "typing" in the namespace "/"',
    ]);
    const heard: string[] = [];
    io.on('unhandled', (_socket, event) => heard.push(event));
    wire.send([2, '/', 'later', []], [2, '/', 'handled', [], 3]);
    await wire.packet(3, ([, ack]) => ack === 3);
    expect([heard, warnings.length]).toEqual([['later'], 2]);
  });

  test('a handler of "unhandled" that fails is reported, and the session goes on', async () => {
    const errors: string[] = [];
    const io = await serve({}, (server) => {
      server.on('error', (error, { where }) => errors.push(`${where}: ${(error as Error).message}`));
      server.on('unhandled', () => {
        throw new Error('boom');
      });
    });
    const poller = await Poller.open(io.port);
    await poller.send([0], [2, '/', 'x', [], 1]);
    expect(await poller.packet(4)).toEqual([4, 1, 'ERR_NO_HANDLER', 'Nothing handles "x".']);
    expect(errors).toEqual(['a handler of "unhandled": boom']);
  });

  test('who confirms nothing is told which option of the server says how much may wait', async () => {
    const warnings: string[] = [];
    const io = await serve({ outboxPacketsMax: 16 }, (server) => {
      server.on('warning', ({ code }) => warnings.push(code));
      server.on('connection', (socket) => {
        for (let i = 0; i < 20; i++) socket.emit('n', i);
      });
    });
    const wire = await open(io);
    wire.send([0]);
    const { code, reason } = await wire.until(({ closed }) => closed);
    expect(code).toBe(4413);
    expect(reason).toMatch(
      /^ERR_OUTBOX_FULL: 16 packets \(\d+ bytes\) wait for the client: see the server's outboxPacketsMax$/,
    );
    expect(warnings).toEqual(['outboxPacketsMax']);
  });
});

describe.each(hosts)('by habit, on %s', (_host, make) => {
  const { serve, cleanUp } = served(make);

  test('what has another name here says which', async () => {
    const io = (await serve()) as unknown as Record<string, unknown>;
    const names = [
      'engine',
      'adapter',
      'bind',
      'httpServer',
      'once',
      'off',
      'send',
      'allSockets',
      'compress',
      'origins',
    ];
    for (const name of [...names, 'listenerCount', 'clients', 'connected']) {
      expect(() => io[name]).toThrow(
        expect.objectContaining({
          code: 'ERR_NO_SUCH_MEMBER',
          message: expect.stringContaining(`io.${name} is not there: `),
        }),
      );
    }
    const namespace = (io as unknown as Server).of('/other') as unknown as Record<string, unknown>;
    for (const name of ['connected', 'clients', 'listenerCount']) {
      expect(() => namespace[name]).toThrow(`namespace.${name} is not there: `);
    }
    const target = (io as unknown as Server).to('room') as unknown as Record<string, unknown>;
    for (const name of ['allSockets', 'sockets', 'send', 'serverSideEmitWithAck']) {
      expect(() => target[name]).toThrow(`io.to(…).${name} is not there: `);
    }
    // What an app puts there is the app's.
    io.engine = 'mine';
    expect(io.engine).toBe('mine');
  });

  test('io.sockets is a Map, and a pattern no namespace', async () => {
    const io = await serve();
    const sockets = io.sockets as unknown as Record<string, unknown>;
    for (const name of ['emit', 'on', 'to', 'in', 'sockets', 'adapter', 'disconnectSockets', 'once', 'connected']) {
      expect(() => sockets[name]).toThrow(`io.sockets.${name} is not there: `);
    }
    expect([io.sockets.size, [...io.sockets], inspect(io.sockets)]).toEqual([0, [], expect.stringContaining('Map(0)')]);
    const pattern = io.of(/^\/room-/) as unknown as Record<string, unknown>;
    for (const name of ['emit', 'to', 'sockets', 'socketsJoin', 'timeout']) {
      expect(() => pattern[name]).toThrow(`io.of(pattern).${name} is not there: a pattern says`);
    }
  });

  test('a lifecycle event of sockets is none of a server', async () => {
    const io = (await serve()) as unknown as { on(event: string, handler: () => void): unknown };
    for (const [event, rule] of [
      ['connect', 'A server has no event "connect": io.on("connection", (socket) => …) hears of each new socket.'],
      [
        'disconnect',
        'A server has no event "disconnect": each socket has its own: socket.on("disconnect", …) within io.on("connection", (socket) => …).',
      ],
      [
        'new_namespace',
        'A server has no event "new_namespace": io.of(pattern) makes namespaces on demand, and its on("connection", …) hears of their sockets.',
      ],
    ] as const) {
      expect(() => io.on(event, () => {})).toThrow(
        expect.objectContaining({ code: 'ERR_RESERVED_EVENT', message: rule }),
      );
    }
  });

  test.each([5, {}, Symbol('x'), undefined, null, ['a']])(
    'what is no text is the name of no event: %s',
    async (name) => {
      const io = (await serve()) as unknown as {
        on(event: unknown, handler: () => void): unknown;
        of(name: string): typeof io;
      };
      const emitter = new Emitter(memory({ shared: true }));
      cleanUp.push(() => emitter.close());
      expect(() => io.on(name, () => {})).toThrow(expect.objectContaining({ code: 'ERR_EVENT_NAME' }));
      expect(() => io.of('/q').on(name, () => {})).toThrow(expect.objectContaining({ code: 'ERR_EVENT_NAME' }));
      expect(() => emitter.on(name as never, () => {})).toThrow(
        expect.objectContaining({ code: 'ERR_RESERVED_EVENT' }),
      );
      expect(() => emitter.of(name as never)).toThrow('of() of an emitter takes the name of a namespace, and not ');
    },
  );

  test('an event that looks like one of a server, and is none, is one of other servers, and a warning', async () => {
    const io = (await serve()) as unknown as Server & { on(event: string, handler: () => void): unknown };
    const warnings: Warning[] = [];
    io.on('warning', (warning) => void warnings.push(warning));
    for (const event of ['conection', 'session-expierd', 'work']) io.on(event, () => {});
    expect(warnings.map(({ code, message }) => `${code} ${message}`)).toEqual([
      'ERR_EVENT_NAME io.on("conection", …) hears what other servers emit by that name (serverSideEmit). If "connection" is meant, it is mistyped.',
      expect.stringContaining('If "session-expired" is meant'),
    ]);
  });

  test('of a namespace and of a socket too', async () => {
    const io = await serve();
    expect(() => (io.of('/x') as unknown as { adapter: unknown }).adapter).toThrow('io.of(name).rooms');
    // As there, the slash is added.
    expect(io.of('x')).toBe(io.of('/x'));
    const came = new Promise<Socket>((resolve) => io.on('connection', resolve));
    const client = connect(`http://127.0.0.1:${io.port}`);
    cleanUp.push(() => client.connection.close());
    const socket = (await came) as unknown as Record<string, unknown>;
    for (const name of ['nsp', 'client', 'request', 'server', 'adapter', 'disconnected', 'local', 'compress', 'send']) {
      expect(() => socket[name]).toThrow(expect.objectContaining({ code: 'ERR_NO_SUCH_MEMBER' }));
    }
    socket.client = 'mine';
    expect(socket.client).toBe('mine');
    const timed = (socket.timeout as (ms: number) => { emit: unknown }).call(socket, 5);
    expect(() => timed.emit).toThrow('take await socket.timeout(ms).emitWithAck(event, …)');
    const { headers } = socket.handshake as { headers: { get(name: string): string | undefined } };
    expect(() => (headers as unknown as { cookie: string }).cookie).toThrow(
      "handshake.headers.cookie is not there: take handshake.headers.get('cookie').",
    );
    expect(() => (headers as unknown as Record<string, string>)['x-user-id']).toThrow(
      "handshake.headers['x-user-id'] is not there: take handshake.headers.get('x-user-id').",
    );
    expect(inspect(headers)).toContain('host');
    const { conn } = socket as { conn: Record<string, unknown> };
    for (const name of ['on', 'remoteAddress', 'request'])
      expect(() => conn[name]).toThrow(`socket.conn.${name} is not there: `);
    expect(conn.transport).toBe('websocket');
    for (const event of ['error', 'connection', 'connect', 'connect_error']) {
      for (const take of ['on', 'once'] as const) {
        expect(() =>
          (socket[take] as (event: string, handler: () => void) => void).call(socket, event, () => {}),
        ).toThrow(
          expect.objectContaining({
            code: 'ERR_RESERVED_EVENT',
            message: expect.stringContaining(`no event "${event}": `),
          }),
        );
      }
    }
    expect(headers.get('Host')).toBe(`127.0.0.1:${io.port}`);
  });

  test('a handler that calls its callback if it is given one is told that there is none, once for each event', async () => {
    const warnings: string[] = [];
    const io = await serve({}, (io) => {
      io.on('warning', ({ code, message }) => warnings.push(`${code}: ${message.split(' has a parameter')[0]}`));
      io.on('connection', (socket) => {
        socket.on('save', (_text: string, callback?: (value: string) => void) => callback?.('saved'));
        socket.once('later', async (cb?: (value: string) => void) => cb?.('later'));
        socket.on('default', (_text: string, ack = (_value: string): void => {}) => ack('x'));
        socket.on('note', (_text: string, _at?: number) => {});
        socket.on('given', (_text: string, _reply: string) => {});
        socket.on('fields', ({ done: _done, next: _next }: { done?: boolean; next?: string }) => {});
        socket.on('options', (_text: string, _options = { x: [1], done: false }) => {});
        socket.on('reply', (_text: string, _callback?: () => void) => 'reply');
        socket.on('null', (_text: string, _callback?: () => void) => null);
      });
    });
    const client = connect(`http://127.0.0.1:${io.port}`);
    cleanUp.push(() => client.connection.close());
    client.emit('save', 'x');
    expect(await client.emitWithAck('save', 'x')).toBeUndefined();
    expect(await client.emitWithAck('save', 'y')).toBeUndefined();
    expect(await client.emitWithAck('reply', 'x')).toBe('reply');
    for (const event of ['note', 'default', 'null', 'options']) await client.emitWithAck(event, 'x');
    await client.emitWithAck('given', 'x', 'y');
    await client.emitWithAck('fields', {});
    await client.emitWithAck('later');
    expect(warnings).toEqual(['save', 'default', 'later'].map((event) => `ERR_NO_CALLBACK: The handler of "${event}"`));
  });

  test('off without a name removes all handlers', async () => {
    const io = await serve({}, (io) => {
      io.on('connection', (socket) => {
        socket.on('a', () => 1);
        socket.on('b', () => 2);
        socket.off('b', undefined);
        socket.on('off', () => void socket.off());
      });
    });
    const client = connect(`http://127.0.0.1:${io.port}`);
    cleanUp.push(() => client.connection.close());
    expect(await client.emitWithAck('a')).toBe(1);
    await client.emitWithAck('off');
    const [socket] = io.sockets.values();
    expect(() => (socket as unknown as { on(event: unknown, handler: () => void): void }).on(1, () => {})).toThrow(
      'The name of an event is 1: it may be text.',
    );
    for (const event of ['a', 'b', 'off'])
      await expect(client.emitWithAck(event)).rejects.toMatchObject({ code: 'ERR_NO_HANDLER' });
  });

  test('a host that is not called is told so', async () => {
    await expect(new Server({ host: make as never }).listen(0, '127.0.0.1')).rejects.toMatchObject({
      code: 'ERR_OPTION',
      message: 'host: it may be node(), or uws(): call it.',
    });
  });

  test('close takes options alone, and those that it has', async () => {
    const io = await serve();
    for (const [options, message] of [
      [3000, 'close takes options, such as { drainMs: 10_000 }, and not 3000.'],
      [{ drain: 3000 }, 'The option "drain" of close is not an option: known ones are drainMs, url.'],
      [{ drainMs: '5s' }, 'drainMs is "5s": it may be a number of milliseconds from 0 to 3600000.'],
    ]) {
      await expect(io.close(options as never)).rejects.toMatchObject({ code: 'ERR_OPTION', message });
    }
    const client = connect(`http://127.0.0.1:${io.port}`);
    cleanUp.push(() => client.connection.close());
    await expect(client.emitWithAck('x')).rejects.toMatchObject({ code: 'ERR_NO_HANDLER' });
  });

  test('data of a socket may be set as a whole, before and after', async () => {
    const io = await serve({}, (io) => {
      io.use((handshake) => {
        handshake.data = { user: 'ann' };
      });
      io.on('connection', (socket) => {
        const { user } = socket.data;
        socket.data = { ...socket.data, team: 'blue' };
        socket.on('who', () => [user, socket.data, socket.handshake.data]);
      });
    });
    const client = connect(`http://127.0.0.1:${io.port}`);
    cleanUp.push(() => client.connection.close());
    const data = { user: 'ann', team: 'blue' };
    expect(await client.emitWithAck('who')).toEqual(['ann', data, data]);
    const [remote] = await io.fetchSockets();
    expect(remote?.data).toEqual(data);
  });

  test('what middleware puts on the handshake, and would be gone at the next server, is refused', async () => {
    const errors: string[] = [];
    const io = await serve({}, (io) => {
      io.on('error', (error) => errors.push((error as Error).message));
      io.use((handshake) => {
        (handshake as unknown as { username: string }).username = 'ann';
      });
    });
    const client = connect(`http://127.0.0.1:${io.port}`);
    cleanUp.push(() => client.connection.close());
    await new Promise((resolve) => client.on('connect_error', resolve));
    expect(errors).toEqual(['Cannot add property username, object is not extensible']);
  });

  test('middleware that takes the handshake for a socket is told which it is', async () => {
    const errors: string[] = [];
    const io = await serve({}, (io) => {
      io.on('error', (error) => errors.push((error as Error).message));
      io.use((socket) => void (socket as unknown as { handshake: { auth: unknown } }).handshake.auth);
    });
    const client = connect(`http://127.0.0.1:${io.port}`);
    cleanUp.push(() => client.connection.close());
    await new Promise((resolve) => client.on('connect_error', resolve));
    expect(errors).toEqual([
      'handshake.handshake is not there: middleware of a namespace gets the handshake itself, before there is a socket: take its auth, headers ' +
        "and address, and what is to be the socket's goes into handshake.data.",
    ]);
  });

  test.each<[when: string, takesOut: (io: Server) => void]>([
    [
      'waits for middleware',
      (io) =>
        io.on('connection', (socket) => {
          socket.use(async () => {
            await Promise.resolve();
            socket.disconnect();
          });
          socket.on('x', () => 1);
        }),
    ],
    [
      'is asked about by middleware that throws it out',
      (io) => io.on('connection', (socket) => socket.use(() => socket.disconnect() as unknown as undefined)),
    ],
    [
      'waits for the namespace',
      (io) => {
        io.use(() => new Promise((resolve) => setImmediate(resolve)));
        io.on('connection', (socket) => socket.disconnect());
      },
    ],
  ])('a socket that is taken out while its event %s has an answer', async (_when, takesOut) => {
    const io = await serve({}, (io) => {
      io.of('/keep');
      takesOut(io);
    });
    const kept = connect(`http://127.0.0.1:${io.port}/keep`);
    cleanUp.push(() => kept.connection.close());
    const asked = kept.of('/').timeout(Infinity).emitWithAck('x');
    await expect(asked).rejects.toMatchObject({ code: 'ERR_NAMESPACE_NOT_CONNECTED' });
  });

  test('a callback of close, and of what asks for namespaces', async () => {
    const io = await serve();
    const called = (): unknown => io.close((() => {}) as never);
    expect(called).toThrow('close takes no callback: it is over once await io.close() returns.');
    const pattern = (_name: string, _auth: unknown, _next: unknown): boolean => true;
    expect(() => io.of(pattern as never)).toThrow('there is no next');
    for (const none of [undefined, null, 1, {}]) {
      expect(() => io.of(none as never)).toThrow(
        expect.objectContaining({ code: 'ERR_OPTION', message: expect.stringContaining('a regular expression') }),
      );
    }
    expect(io.of('')).toBe(io.of('/'));
  });

  test('middleware that returns an error, or false, refuses', async () => {
    const io = await serve({}, (io) => {
      io.of('/error').use((() => new Error('no')) as never);
      io.of('/public').use((async () => new PublicError('NO', 'not you')) as never);
      io.of('/false').use((() => false) as never);
      io.on('error', () => {});
    });
    const client = connect(`http://127.0.0.1:${io.port}`);
    cleanUp.push(() => client.connection.close());
    const codes = ['/error', '/public', '/false'].map(
      (name) => new Promise((resolve) => client.of(name).on('connect_error', ({ code }) => resolve(code))),
    );
    expect(await Promise.all(codes)).toEqual(['ERR_REFUSED', 'NO', 'ERR_REFUSED']);
  });

  test('volatile of a socket, before what names others', async () => {
    const io = await serve();
    const came = new Promise<Socket>((resolve) => io.on('connection', resolve));
    const client = connect(`http://127.0.0.1:${io.port}`);
    cleanUp.push(() => client.connection.close());
    const socket = await came;
    const volatile = socket.volatile as unknown as Record<string, unknown>;
    for (const name of ['broadcast', 'to', 'in', 'except', 'local']) {
      expect(() => volatile[name]).toThrow(
        expect.objectContaining({
          code: 'ERR_NO_SUCH_MEMBER',
          message: expect.stringMatching(/^socket\.volatile\.\w+ is not there: .*socket\..*\.volatile/),
        }),
      );
    }
    const timed = socket.timeout(5) as unknown as Record<string, unknown>;
    for (const name of ['to', 'in', 'broadcast']) expect(() => timed[name]).toThrow('socket.to(room).timeout(ms)');
    const heard = new Promise((resolve) => client.on('said', resolve));
    socket.volatile.emit('said', 1);
    expect(await heard).toBe(1);
  });

  test('a namespace of an emitter, without its slash', async () => {
    const adapter = memory({ shared: true });
    const io = await serve({ adapter });
    io.of('/chat');
    const client = connect(`http://127.0.0.1:${io.port}/chat`);
    cleanUp.push(() => client.connection.close());
    await new Promise((resolve) => client.on('connect', () => resolve(undefined)));
    const emitter = new Emitter(adapter);
    cleanUp.push(() => emitter.close());
    const heard = new Promise((resolve) => client.on('said', resolve));
    emitter.of('chat').emit('said', 1);
    expect(await heard).toBe(1);
  });

  test('what instruments a server is an object of functions', async () => {
    const io = await serve();
    for (const none of [undefined, null, 'admin', { handle: true }]) {
      expect(() => io.instrument(none as never)).toThrow(
        expect.objectContaining({
          code: 'ERR_OPTION',
          message: expect.stringContaining('measured, handle, enter, resume'),
        }),
      );
    }
    expect(() => io.instrument({ measured: undefined } as never)()).not.toThrow();
  });

  test('an adapter of Socket.IO is no adapter', () => {
    expect(() => new Server({ adapter: (() => class {}) as never })).toThrow(
      expect.objectContaining({ code: 'ERR_OPTION', message: expect.stringContaining('redis({ url })') }),
    );
  });

  test('a handler that calls what it is given last is told of', async () => {
    const wheres: string[] = [];
    const io = await serve({}, (io) => {
      io.on('error', (_error, { where }) => void wheres.push(where));
      io.on('connection', (socket) => socket.on('save', (_doc: unknown, cb: (reply: string) => void) => cb('done')));
    });
    const client = connect(`http://127.0.0.1:${io.port}`);
    cleanUp.push(() => client.connection.close());
    await expect(client.emitWithAck('save', {})).rejects.toMatchObject({ code: 'ERR_HANDLER' });
    expect(wheres).toEqual([expect.stringContaining('"save" (it is given no callback')]);
  });

  test('a room by its number', async () => {
    const io = await serve();
    for (const target of [
      () => io.to(1 as never),
      () => io.except([2] as never),
      () => io.of('/x').in(undefined as never),
    ]) {
      expect(target).toThrow(expect.objectContaining({ code: 'ERR_ROOM_NAME' }));
    }
  });

  test('what a console shows of a socket opens no session and proves nothing', async () => {
    const io = await serve();
    const came = new Promise<Socket>((resolve) => io.on('connection', resolve));
    const client = connect(`http://127.0.0.1:${io.port}`, {
      auth: { token: 'hunter2' },
      extraHeaders: { cookie: 'sid=hunter3', 'x-api-key': 'hunter4', 'x-team': 'blue' },
    });
    cleanUp.push(() => client.connection.close());
    const socket = await came;
    socket.join('lobby');
    socket.data.name = 'ann';
    const [remote] = await io.fetchSockets();
    for (const thing of [socket, remote, [socket], { socket }]) {
      const shown = inspect(thing, { depth: 8 });
      expect(shown).not.toMatch(/hunter|secret/);
      expect(shown).toContain(socket.id);
      expect(shown).toContain('lobby');
      expect(shown).toContain("name: 'ann'");
      expect(shown).toContain("'x-team': 'blue'");
      expect(shown).toContain("cookie: '(not shown)'");
    }
    // Nor does it go round and round.
    Object.assign(socket.data, { self: socket, others: [socket, socket] });
    expect(inspect(socket).length).toBeLessThan(20_000);
    // What is asked for is shown.
    expect(inspect(socket.handshake.headers)).toContain("cookie: 'sid=hunter3'");
    expect(inspect(io)).not.toMatch(/hunter|secret/);
  });
});
