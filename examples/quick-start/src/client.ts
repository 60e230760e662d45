import { connect } from '@halyard/client';
import type { ClientToServer, ServerToClient } from './events';

export const socket = connect<ServerToClient, ClientToServer>('http://localhost:3000', { auth: { name: 'Ada' } });
socket.on('connect', ({ recovered }) => console.log(recovered ? 'back, and nothing was missed' : 'a new session'));
socket.on('message', ({ from, text }) => console.log(`${from}: ${text}`));

const { id } = await socket.emitWithAck('message:send', 'lobby', 'hello');
console.log(`sent as ${id}`);
