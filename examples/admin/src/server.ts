// ADMIN_PASSWORD=… npx tsx server.ts, and then http://localhost:3000/halyard-admin
import { admin } from '@halyard/admin';
import { Server } from '@halyard/server';

export const io = new Server({ fetch: (request) => page(request) ?? new Response('Not here.', { status: 404 }) });
const page = admin(io, {
  password: process.env.ADMIN_PASSWORD,
  describe: ({ data }) => data.user as string, // all that is shown of the app's own
});

io.use(({ auth, data }) => {
  data.user = auth.user;
});
io.on('connection', (socket) => socket.join('lobby'));
await io.listen(Number(process.env.PORT ?? 3000));
