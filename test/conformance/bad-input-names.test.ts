// Names that mean something to JavaScript: plain data everywhere, and no prototype is touched.
import { json } from '@halyard/codec/json';
import { msgpack } from '@halyard/codec-msgpack';
import type { Value } from '@halyard/protocol';
import { afterEach, describe, expect, test } from 'vitest';
import { hosts } from '../kit/hosts';
import { guardedServers } from './guarded-server';
import { RawWebSocket } from './raw';

const names = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'then', 'length'];
const evil = '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":2}},"toString":3,"then":4}';

describe.each(hosts)('names on %s', (_name, host) => {
  const serve = guardedServers(host);
  const before = Object.getOwnPropertyNames(Object.prototype);

  afterEach(() => {
    expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(before);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  test('as keys of arguments, replies, errors and auth they come back as they were', async () => {
    const auths: string[] = [];
    const { port, io, errors } = await serve({}, (server) => {
      server.of('/auth').use(({ auth }) => {
        auths.push(JSON.stringify(auth));
      });
    });
    const socket = await RawWebSocket.connect(port);
    const { id } = await socket.hello();
    socket.message(`[2,"/","echo",[${evil}],1]`);
    const reply = await socket.packet(3);
    expect(JSON.stringify(reply)).toBe(`[3,1,${evil}]`);
    socket.message(`[10,"/auth",${evil}]`);
    await socket.until('CONNECTED', () => socket.packets.some(([type, name]) => type === 11 && name === '/auth'));
    expect(auths).toEqual([evil]);
    const asked = io.sockets.get(id)?.emitWithAck('question', JSON.parse(evil));
    const [, , , args, ack] = await socket.packet(2);
    expect(JSON.stringify(args)).toBe(`[${evil}]`);
    socket.message(`[4,${ack},"__proto__","no",${evil}]`);
    const error = await asked?.catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: '__proto__' });
    expect(JSON.stringify((error as { data: Value }).data)).toBe(evil);
    io.emit('all', JSON.parse(evil));
    expect(JSON.stringify((await socket.packet(5))[4])).toBe(`[${evil}]`);
    expect(errors).toEqual([]);
  });

  test('as keys in msgpack too', async () => {
    const { port } = await serve({ codecs: [json(), msgpack()] });
    const socket = await RawWebSocket.connect(port, { 'Sec-WebSocket-Protocol': 'halyard.v1+msgpack' });
    const value = JSON.parse(evil) as Value;
    const event = { type: 2, namespace: '/', event: 'echo', args: [value], ack: 1 } as const;
    // HELLO by hand: an array of one, the number 0.
    socket.message(Uint8Array.of(0x91, 0));
    socket.message(msgpack().encode(event) as Uint8Array);
    const reply = await socket.until('the reply', () =>
      socket.binary.map((bytes) => msgpack().decode(bytes)).find(({ type }) => type === 3),
    );
    expect(JSON.stringify((reply as { value: Value }).value)).toBe(evil);
  });

  test.each([...names, 'disconnect', 'away', 'resume', 'connection', 'connect', 'error'])(
    'an event "%s" finds no handler that was not put there for it',
    async (event) => {
      const lifecycle: string[] = [];
      const { port, errors } = await serve({}, (io) => {
        io.on('connection', (socket) => {
          socket.on('disconnect', () => lifecycle.push('disconnect'));
          socket.on('away', () => lifecycle.push('away'));
          socket.on('resume', () => lifecycle.push('resume'));
        });
      });
      const socket = await RawWebSocket.connect(port);
      await socket.hello();
      socket.send([6, '/', event, ['volatile']], [2, '/', event, ['told']], [2, '/', event, ['asked'], 1]);
      expect(await socket.packet(4)).toEqual([4, 1, 'ERR_NO_HANDLER', `Nothing handles ${JSON.stringify(event)}.`]);
      expect(lifecycle).toEqual([]);
      expect(errors).toEqual([]);
    },
  );

  test.each(names)('an event "%s" reaches the handler that was put there for it, and comes back', async (event) => {
    const { port } = await serve({}, (io) => {
      io.on('connection', (socket) => {
        socket.on(event, (value: unknown) => {
          socket.emit(event, value);
          return value;
        });
      });
    });
    const socket = await RawWebSocket.connect(port);
    await socket.hello();
    socket.send([2, '/', event, [7], 1]);
    expect(await socket.packet(3)).toEqual([3, 1, 7]);
    expect(await socket.packet(2)).toEqual([2, '/', event, [7]]);
  });

  test.each(names)('a room "%s" has the members that joined it, and no others', async (room) => {
    const { port, io } = await serve();
    const [inside, outside] = [await RawWebSocket.connect(port), await RawWebSocket.connect(port)];
    const { id } = await inside.hello();
    await outside.hello();
    io.to(room).emit('nobody');
    io.sockets.get(id)?.join(room);
    expect([...(io.of('/').rooms.get(room) ?? [])]).toEqual([id]);
    io.to(room).emit('members', 1);
    io.except(room).emit('others', 2);
    inside.send([8]);
    outside.send([8]);
    await Promise.all([inside.packet(9), outside.packet(9)]);
    const events = (socket: RawWebSocket): unknown[] => socket.packets.filter(([type]) => type === 5).map((p) => p[3]);
    expect([events(inside), events(outside)]).toEqual([['members'], ['others']]);
  });

  test.each(names)('a namespace "/%s" exists if the app made it', async (name) => {
    const { port, io } = await serve();
    const socket = await RawWebSocket.connect(port);
    await socket.hello();
    socket.send([10, `/${name}`], [2, `/${name}`, 'x', [], 1]);
    const message = expect.stringMatching(/^There is no namespace "\/.*": on the server io\.of\(name\) makes it\.$/s);
    expect(await socket.packet(12)).toEqual([12, `/${name}`, 'ERR_NAMESPACE_UNKNOWN', message]);
    expect(await socket.packet(4)).toMatchObject({ 2: 'ERR_NAMESPACE_NOT_CONNECTED' });
    io.of(/^\/./);
    socket.send([10, `/${name}`]);
    await socket.until('CONNECTED', () => socket.packets.some(([type, at]) => type === 11 && at === `/${name}`));
    expect(io.of(`/${name}`).sockets.size).toBe(1);
  });

  test('as log names in a resume they name no log', async () => {
    const { port, io } = await serve();
    const first = await RawWebSocket.connect(port);
    const { session, secret } = await first.hello();
    io.emit('missed', 1);
    const second = await RawWebSocket.connect(port);
    second.send([0, [], '', [session, secret, 1, 0, names.flatMap((name) => [name, 9])]]);
    expect(await second.packet(1)).toMatchObject({ 5: true });
    expect((await second.packet(5))[3]).toBe('missed');
  });
});
