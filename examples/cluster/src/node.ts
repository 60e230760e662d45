// One server of many: the chat, with a name, and a way to kill it.
import { redis } from '@halyard/adapter-redis';
import { chatServer } from '@halyard/example-chat';
import { handleSignals } from '@halyard/server';

const { NODE_NAME = 'one', PORT = '3000', REDIS_URL = 'redis://127.0.0.1:6379' } = process.env;

const io = chatServer({ adapter: redis({ url: REDIS_URL }) });
io.on('connection', (socket) => {
  socket.emit('node', NODE_NAME);
  // Nobody can say any more that it was handled: so the next server gets it again, and it names whom it means.
  socket.on('node:kill', (name) => {
    if (name === NODE_NAME) process.kill(process.pid, 'SIGKILL');
  });
});
// Before it listens: who is told to stop as it starts leaves the store, too.
handleSignals(io);
await io.listen(Number(PORT));
