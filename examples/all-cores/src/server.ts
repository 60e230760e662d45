import cluster from 'node:cluster';
import { availableParallelism } from 'node:os';
import { redis } from '@halyard/adapter-redis';
import { Server } from '@halyard/server';

const { PORT = 3000, REDIS_URL = 'redis://127.0.0.1:6379', WORKERS = availableParallelism() } = process.env;
if (cluster.isPrimary) {
  for (let i = 0; i < Number(WORKERS); i++) cluster.fork();
  cluster.on('exit', () => setTimeout(() => cluster.fork(), 1_000)); // one that dies is replaced
} else {
  const io = new Server({ adapter: redis({ url: REDIS_URL }) });
  io.on('connection', (socket) => {
    socket.join('lobby');
    socket.on('say', (text: string) => io.to('lobby').emit('said', text)); // at all of them
    socket.on('where', () => process.pid);
  });
  await io.listen(Number(PORT), { reusePort: true });
}
