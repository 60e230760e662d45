import { connect } from '@halyard/client';
import type { ClientToServer, ServerToClient } from './events.js';

export const socket = connect<ServerToClient, ClientToServer>('http://localhost:3000');
socket.on('message', ({ from, text }) => console.log(`${from}: ${text}`));
const { id } = await socket.emitWithAck('message:send', 'lobby', 'hello');
console.log(`sent as ${id}`);
