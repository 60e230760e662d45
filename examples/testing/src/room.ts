// The app: one room, in which everybody hears what is said, and a client that keeps what it heard.
import { type ClientOptions, connect, type Socket } from '@halyard/client';
import type { Server } from '@halyard/server';

export interface ClientToServer {
  say(text: string): number;
}
export interface ServerToClient {
  said(text: string): void;
}

/** @returns the server, with the app's handlers */
export function serveRoom(io: Server<ClientToServer, ServerToClient>): typeof io {
  let count = 0;
  io.on('connection', (socket) => {
    socket.join('room');
    socket.on('say', (text) => {
      socket.to('room').emit('said', text);
      return ++count;
    });
  });
  return io;
}

/** What a page of the app starts with: it connects by itself, and says so after two seconds without a connection. */
export function openRoom(
  show: (line: string) => void,
  options?: ClientOptions,
): Socket<ServerToClient, ClientToServer> {
  const socket = connect<ServerToClient, ClientToServer>('https://app.example', options);
  let notice: ReturnType<typeof setTimeout> | undefined;
  socket.on('connect', () => clearTimeout(notice));
  socket.on('disconnect', () => {
    notice = setTimeout(show, 2_000, 'connecting …');
  });
  socket.on('said', show);
  return socket;
}
