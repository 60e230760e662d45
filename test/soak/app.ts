// The server that clients come to: with a short recovery window, so that what they leave is soon over.
import { Server, type ServerOptions } from '@halyard/server';

const soakOptions: ServerOptions = {
  recoveryWindowMs: 2_000,
  heartbeatMs: 5_000,
  heartbeatTimeoutMs: 5_000,
  connectionsPerAddressMax: 1_000_000,
  opensPerAddressPerSecondMax: 1_000_000,
};

export async function visited(options: ServerOptions): Promise<Server> {
  const io = new Server({ ...soakOptions, ...options });
  for (const namespace of [io, io.of('/chat')]) {
    namespace.on('connection', (socket) => {
      socket.on('join', async (room: string) => {
        await socket.join(['all', room]);
        socket.to(room).emit('joined', room);
        socket.emit('welcome', room);
        return room;
      });
    });
  }
  return io.listen(0, '127.0.0.1');
}

/** What a server says of how much there is, by name and labels. */
export function gaugesOf(io: Server): Record<string, number> {
  const gauges: Record<string, number> = {};
  for (const { name, type, samples } of io.metrics()) {
    if (type !== 'gauge') continue;
    for (const { labels, value } of samples) gauges[[name, ...Object.values(labels)].join(' ')] = value;
  }
  return gauges;
}
