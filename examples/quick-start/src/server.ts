import { Server } from '@halyard/server';
import type { ClientToServer, ServerToClient } from './events.js';

export const io = new Server<ClientToServer, ServerToClient>();
io.on('connection', (socket) => {
  socket.join('lobby');
  socket.on('message:send', (room, text) => {
    socket.to(room).emit('message', { from: socket.id, text });
    return { id: crypto.randomUUID() }; // what a handler returns is the reply
  });
});
await io.listen(3000);
console.log(`Listening on port ${io.port}.`);
