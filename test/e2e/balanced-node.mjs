// A server of balanced.test.ts, as a program: it shares a Redis, and may be killed. Arguments: its name, its port, the URL of the Redis.
import { redis } from '@halyard/adapter-redis';
import { json } from '@halyard/codec/json';
import { msgpack } from '@halyard/codec-msgpack';
import { Server } from '@halyard/server';

const [name, port, url] = process.argv.slice(2);
const io = new Server({
  adapter: redis({ url }),
  codecs: [json(), msgpack()],
  fetch: () => new Response(name, { headers: { 'cache-control': 'no-store' } }),
});
io.on('connection', (socket) => {
  socket.join('room');
  socket.on('say', (who, i) => {
    io.to('room').emit('said', who, i);
    socket.emit('counted', i);
    return i;
  });
  socket.on('where', () => name);
});
await io.listen(Number(port), '127.0.0.1');
process.send('listening');
