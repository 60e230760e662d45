// What one client sends to the others of a room, when these speak several codecs over several transports.
import { connect, polling, websocket } from '@halyard/client';
import { json } from '@halyard/codec/json';
import { msgpack } from '@halyard/codec-msgpack';
import { Server } from '@halyard/server';
import { describe, expect, test } from 'vitest';
import { hosts } from '../kit/hosts';

const kinds = [json, msgpack].flatMap((codec) =>
  [websocket, polling].flatMap((transport) => ['a', 'b'].map((name) => ({ codec, transport, name }))),
);

describe.each([...hosts])('on %s', (_, makeHost) => {
  test('each of the others hears it once, in order with all else, and the one that says it does not', async () => {
    const io = new Server({ host: makeHost(), codecs: [json(), msgpack()] });
    io.on('connection', (socket) => {
      socket.join('room');
      socket.on('say', (n) => {
        socket.emit('heard', `${n} to itself`);
        socket.to('room').emit('heard', `${n} to the room`);
        socket.broadcast.emit('heard', `${n} to everyone else`);
        io.to('room').emit('heard', `${n} to all`);
      });
    });
    await io.listen(0, '127.0.0.1');
    const clients = kinds.map(({ codec, transport }) => {
      const socket = connect(`http://127.0.0.1:${io.port}`, { codec: codec(), transports: [transport()] });
      const heard: string[] = [];
      socket.on('heard', (what) => heard.push(what));
      return { socket, heard };
    });
    try {
      for (const { socket } of clients)
        await socket
          .timeout(5_000)
          .emitWithAck('there?')
          .catch(() => {});
      for (const [n, { socket }] of clients.entries()) {
        socket.emit('say', n);
        const all = `${n} to all`;
        await expect.poll(() => clients.filter(({ heard }) => heard.at(-1) === all).length).toBe(clients.length);
      }
      for (const [i, { heard }] of clients.entries()) {
        expect(heard).toEqual(
          kinds.flatMap((_, n) =>
            n === i ? [`${n} to itself`, `${n} to all`] : [`${n} to the room`, `${n} to everyone else`, `${n} to all`],
          ),
        );
      }
    } finally {
      for (const { socket } of clients) socket.connection.close();
      await io.close();
    }
  });
});
