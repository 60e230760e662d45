// One contract for both ends: what it refuses never reaches a handler, and who sent it is told the path and the rule, never the value.
import { type PublicError, polling, sse, websocket } from '@halyard/client';
import { connect } from '@halyard/client/contract';
import { contract } from '@halyard/contract';
import { Server } from '@halyard/server';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { hosts } from '../kit/hosts';
import { served } from '../kit/served';
import { untilHolds } from '../kit/until';
import { WireClient } from '../kit/wire';

const slow = z.string().refine(async (text) => text !== 'never', 'is not wanted');

const chat = contract({
  clientToServer: {
    say: { args: [z.string().trim(), z.string().max(5)], reply: z.object({ id: z.string() }) },
    later: { args: [slow], reply: z.string() },
    note: { args: [z.string()] },
    broken: { reply: z.object({ id: z.string() }) },
    'broken later': { reply: z.string().refine(async (text) => text === 'right', 'is not right') },
  },
  serverToClient: {
    said: { args: [z.object({ text: z.string(), at: z.number().default(7) })] },
    ask: { args: [z.string()], reply: z.boolean() },
  },
});

const transports = [
  ['websocket', websocket],
  ['sse', sse],
  ['polling', polling],
] as const;

describe.each(hosts)('on %s', (_name, host) => {
  const { cleanUp, serve } = served(host);

  async function start() {
    const heard: unknown[][] = [];
    const errors: [code: unknown, where: string][] = [];
    const refused: [event: string, code: string, message: string][] = [];
    const io = new Server({ host: host(), contract: chat, validateEmits: true });
    io.on('error', (error, { where }) => errors.push([(error as PublicError).code, where]));
    io.on('refused', (_socket, event, { code, message }) => refused.push([event, code, message]));
    io.on('connection', (socket) => {
      socket.on('say', (room, text) => {
        heard.push(['say', room, text]);
        return { id: room, password: 'planted' };
      });
      socket.on('later', async (text) => {
        heard.push(['later', text]);
        return text;
      });
      socket.on('note', (text) => {
        heard.push(['note', text]);
        return 'whatever';
      });
      socket.on('broken', () => ({ id: 4711 }) as never);
      socket.on('broken later', () => 'planted');
      socket.onAny((event) => heard.push(['any', event]));
    });
    await io.listen(0, '127.0.0.1');
    cleanUp.push(() => io.close());
    return { io, heard, errors, refused };
  }

  describe.each(transports)('over %s', (_transport, transport) => {
    function dial(io: Server<never, never>) {
      const socket = connect(`http://127.0.0.1:${io.port}`, { contract: chat, transports: [transport()] });
      cleanUp.push(() => socket.connection.close());
      return socket;
    }

    test('handlers get what the schemas make, and the reply is what its own makes', async () => {
      const { io, heard } = await start();
      const socket = dial(io as never);
      expect(await socket.emitWithAck('say', ' lobby ', 'hello')).toEqual({ id: 'lobby' });
      expect(await socket.emitWithAck('later', 'soon')).toBe('soon');
      expect(await socket.emitWithAck('note', 'it')).toBeUndefined();
      expect(heard).toEqual([
        ['any', 'say'],
        ['say', 'lobby', 'hello'],
        ['any', 'later'],
        ['later', 'soon'],
        ['any', 'note'],
        ['note', 'it'],
      ]);
    });

    test('what comes is checked, and so is what clients reply', async () => {
      const { io } = await start();
      const socket = dial(io as never);
      const said: unknown[] = [];
      socket.on('said', (message) => said.push(message));
      let answer: unknown = true;
      socket.on('ask', () => answer as boolean);
      await untilHolds(() => expect(socket.connected).toBe(true));
      io.emit('said', { text: 'hi' });
      expect(await io.emitWithAck('ask', 'why')).toEqual({ replies: [true], missing: [] });
      expect(said).toEqual([{ text: 'hi', at: 7 }]);
      const errors: unknown[] = [];
      socket.on('error', (error) => errors.push((error as PublicError).code));
      answer = 'planted';
      expect(await io.emitWithAck('ask', 'why')).toEqual({ replies: [], missing: [socket.id] });
      expect(errors).toEqual(['ERR_REPLY_INVALID']);
    });
  });

  /** A client that checks nothing. */
  async function raw(io: Server<never, never>): Promise<WireClient> {
    const wire = await WireClient.open(io.port);
    cleanUp.push(() => wire.cut());
    wire.send([0]);
    await wire.packet(11);
    return wire;
  }

  test('what breaks it is refused: its sender is told the rule, handlers and middleware see nothing of it', async () => {
    const { io, heard, refused } = await start();
    const seen: string[] = [];
    io.on('connection', (socket) => void socket.use(([event]) => void seen.push(event)));
    const wire = await raw(io as never);
    const secret = 'planted-secret';
    wire.send(
      [2, '/', 'say', ['lobby', secret], 1],
      [2, '/', 'say', [{ [secret]: 1 }, 'a'], 2],
      [2, '/', 'say', ['lobby'], 3],
      [2, '/', 'say', ['lobby', 'a', secret], 4],
      [2, '/', 'sing', [secret], 5],
      [2, '/', 'constructor', [], 6],
      [2, '/', 'later', ['never'], 7],
      [2, '/', 'note', [7]],
      [6, '/', 'note', [8]],
      [2, '/', 'say', ['lobby', 'a'], 9],
    );
    await wire.packet(3, ([, ack]) => ack === 9);
    expect(wire.received.filter(([type]) => type === 4).map((tuple) => tuple.slice(1, 4))).toEqual([
      [1, 'ERR_INVALID', '"say": argument 2: Too big: expected string to have <=5 characters'],
      [2, 'ERR_INVALID', '"say": argument 1: Invalid input: expected string'],
      [3, 'ERR_INVALID', '"say": argument 2: Invalid input: expected string'],
      [4, 'ERR_INVALID', '"say": it takes 2 arguments, and not 3'],
      [5, 'ERR_UNKNOWN_EVENT', 'The contract has no event "sing" in this direction.'],
      [6, 'ERR_UNKNOWN_EVENT', 'The contract has no event "constructor" in this direction.'],
      [7, 'ERR_INVALID', '"later": argument 1: is not wanted'],
    ]);
    expect(JSON.stringify([wire.received, refused])).not.toContain(secret);
    expect(seen).toEqual(['say']);
    expect(heard).toEqual([
      ['any', 'say'],
      ['say', 'lobby', 'a'],
    ]);
    const codes = refused.map(([event, code]) => `${event} ${code}`);
    expect(codes.slice(-2)).toEqual(['note ERR_INVALID', 'note ERR_INVALID']);
    const [metric] = io.metrics().filter(({ name }) => name === 'halyard_refused_events_total');
    expect(metric?.samples).toEqual([
      { labels: { code: 'ERR_INVALID' }, value: 7 },
      { labels: { code: 'ERR_UNKNOWN_EVENT' }, value: 2 },
    ]);
    expect(wire.closed).toBeUndefined();
  });

  test('an event whose schema takes its time keeps its place', async () => {
    const { io, heard } = await start();
    const wire = await raw(io as never);
    wire.send(
      [2, '/', 'later', ['a']],
      [2, '/', 'note', ['b']],
      [2, '/', 'later', ['never'], 1],
      [2, '/', 'note', ['c']],
    );
    wire.send([2, '/', 'later', ['d'], 2]);
    await wire.packet(3, ([, ack]) => ack === 2);
    expect(heard.filter(([kind]) => kind !== 'any').map(([, text]) => text)).toEqual(['a', 'b', 'c', 'd']);
  });

  test('a reply that breaks it is the fault of the server: that is told, and the caller without the value', async () => {
    const { io, errors } = await start();
    const wire = await raw(io as never);
    wire.send([2, '/', 'broken', [], 1], [2, '/', 'broken later', [], 2]);
    await wire.packet(4, ([, ack]) => ack === 2);
    const message = 'The reply of the server was not as the contract has it.';
    expect(wire.received.filter(([type]) => type === 4)).toEqual([
      [4, 1, 'ERR_REPLY_INVALID', message],
      [4, 2, 'ERR_REPLY_INVALID', message],
    ]);
    expect(errors).toEqual([
      ['ERR_REPLY_INVALID', 'the handler of "broken" in namespace /'],
      ['ERR_REPLY_INVALID', 'the handler of "broken later" in namespace /'],
    ]);
  });

  test('a reply of a client that breaks it is an error', async () => {
    const { io } = await start();
    const wire = await raw(io as never);
    const [socket] = io.sockets.values();
    const reply = socket!.emitWithAck('ask', 'why');
    const [, , , , ack] = await wire.packet(2);
    wire.send([3, ack, 'planted']);
    await expect(reply).rejects.toMatchObject({
      code: 'ERR_INVALID',
      message: '"ask": reply: Invalid input: expected boolean',
    });
  });

  test('what the server emits is checked if it is to be', async () => {
    const { io } = await start();
    await raw(io as never);
    const [socket] = io.sockets.values();
    const emits = [
      () => io.emit('said', { text: 7 } as never),
      () => io.to('room').volatile.emit('said', { text: 7 } as never),
      () => socket!.emit('said', { text: 7 } as never),
      () => socket!.volatile.emit('said', { text: 7 } as never),
    ];
    const wrong = { code: 'ERR_INVALID', message: '"said": argument 1: text: Invalid input: expected string' };
    for (const emit of emits) expect(emit).toThrow(expect.objectContaining(wrong));
    await expect(io.emitWithAck('ask', 7 as never)).rejects.toMatchObject({ code: 'ERR_INVALID' });
    await expect(socket!.emitWithAck('ask', 7 as never)).rejects.toMatchObject({ code: 'ERR_INVALID' });
    expect(() => (io as Server).emit('sing')).toThrow(expect.objectContaining({ code: 'ERR_UNKNOWN_EVENT' }));
  });

  test('what a server says that has none, or does not look at it, is checked by the client', async () => {
    const io = await serve({}, (server) => server.on('connection', (socket) => socket.on('say', () => ({ id: 7 }))));
    const socket = connect(`http://127.0.0.1:${io.port}`, { contract: chat });
    cleanUp.push(() => socket.connection.close());
    const [heard, errors]: [unknown[], unknown[]] = [[], []];
    socket.onAny((event, ...args) => heard.push([event, ...args]));
    socket.on('error', (error) => errors.push((error as PublicError).message));
    await untilHolds(() => expect(socket.connected).toBe(true));
    io.emit('said', { text: 'planted'.length });
    io.emit('sung');
    io.emit('said', { text: 'right' });
    await untilHolds(() => expect(heard).toEqual([['said', { text: 'right', at: 7 }]]));
    expect(errors).toEqual([
      '"said": argument 1: text: Invalid input: expected string',
      'The contract has no event "sung" in this direction.',
    ]);
    const wrong = { code: 'ERR_INVALID', message: '"say": reply: id: Invalid input: expected string' };
    await expect(socket.emitWithAck('say', 'a', 'b')).rejects.toMatchObject(wrong);
    await expect(socket.timeout(1_000).emitWithAck('say', 'a', 'b')).rejects.toMatchObject(wrong);
    expect(() => socket.emit('note', 7 as never)).toThrow(expect.objectContaining({ code: 'ERR_INVALID' }));
    await expect(socket.emitWithAck('say', 'a', 'too long')).rejects.toMatchObject({ code: 'ERR_INVALID' });
  });

  test('each namespace has its own, also those of a pattern', async () => {
    const admin = contract({ clientToServer: { ban: { args: [z.string()], reply: z.number() } } });
    const io = await serve({}, (server) => {
      for (const namespace of [
        server.of('/admin', { contract: admin }),
        server.of(/^\/rooms\//, { contract: admin }),
      ]) {
        namespace.on('connection', (socket) => socket.on('ban', (user) => user.length));
      }
    });
    const main = connect(`http://127.0.0.1:${io.port}/admin`, { contract: admin });
    cleanUp.push(() => main.connection.close());
    expect(await main.emitWithAck('ban', 'ann')).toBe(3);
    const room = main.of('/rooms/a', { contract: admin });
    expect(await room.emitWithAck('ban', 'ann')).toBe(3);
    const unchecked = main.of('/rooms/b');
    await expect(unchecked.emitWithAck('ban', 7)).rejects.toMatchObject({ code: 'ERR_INVALID' });
    await expect(unchecked.emitWithAck('say')).rejects.toMatchObject({ code: 'ERR_UNKNOWN_EVENT' });
    expect(() => main.of('/rooms/a', { contract: chat })).toThrow('contract: that which /rooms/a has already');
  });

  test('what is no contract is an error that says so', async () => {
    const rule = (kind: string) => `contract takes what contract(…) of @halyard/contract has made, and not ${kind}.`;
    expect(() => new Server({ contract: { clientToServer: {} } as never })).toThrow(rule('an object'));
    const io = new Server();
    expect(() => io.of('/a', { contract: 'chat' as never })).toThrow(rule('a text'));
    expect(() => io.of('/a', { contracts: chat } as never)).toThrow(
      'of takes the option contract, and has no "contracts".',
    );
    io.of('/a', { contract: chat });
    io.of('/a', { contract: chat });
    expect(() => io.of('/a', { contract: contract() })).toThrow(
      'A namespace has one contract, and this one has another',
    );
    expect(() => connect('http://x', { contract: {} as never })).toThrow('contract: what contract(…)');
  });
});
