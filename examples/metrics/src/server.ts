import { healthHandler, Server } from '@halyard/server';
import { prometheus } from '@halyard/server/prometheus';

export const io = new Server({
  fetch: async (request) => {
    if (new URL(request.url).pathname !== '/metrics') return health(request); // /livez and /readyz
    return new Response(await registry.metrics(), { headers: { 'content-type': registry.contentType } });
  },
});
const health = healthHandler(io);
const registry = prometheus(io);

io.on('connection', (socket) => {
  socket.join('lobby');
  socket.on('say', (text: string) => io.to('lobby').emit('said', text));
});
await io.listen(Number(process.env.PORT ?? 3000));
