// The app that a server under test has to have (docs/CONFORMANCE.md), on a server of this project.

import { json } from '@halyard/codec/json';
import { msgpack } from '@halyard/codec-msgpack';
import { protobuf } from '@halyard/codec-protobuf';
import {
  type Handshake,
  type HostFactory,
  type Namespace,
  PublicError,
  Server,
  type ServerOptions,
  type Socket,
} from '@halyard/server';

/** Short, so that a run does not take minutes; long enough for a machine that does other things. */
const quick: ServerOptions = {
  heartbeatMs: 1_000,
  heartbeatTimeoutMs: 1_500,
  recoveryWindowMs: 3_000,
  sackDelayMs: 100,
  pollHoldMs: 500,
  helloTimeoutMs: 5_000,
};

/** How long the middleware of `/slow`, and the handler of `slow-echo` take, in milliseconds. */
const slowMs = 600;

/** @param options of the server, besides what the app needs */
export function conformanceServer(host: HostFactory, options: ServerOptions = {}): Server {
  // A machine with much else to do is no fault of a rule.
  const io = new Server({ host, codecs: [json(), msgpack(), protobuf()], overload: false, ...quick, ...options });
  // What handlers throw on purpose.
  io.on('error', () => {});
  io.on('connection', (socket) => serve(io, socket));
  members(io.of('/members'));
  io.of('/lasting').use(lasts).renew(lasts);
  io.of('/slow').use(() => later(undefined));
  io.of('/slow').on('connection', (socket) => {
    socket.on('echo', (...args) => args);
  });
  return io;
}

/** `{"ms":n}` is good for `n` milliseconds. */
function lasts(handshake: Handshake): void {
  const { ms } = handshake.auth;
  if (typeof ms !== 'number') throw new PublicError('ERR_TOKEN', 'That is no token.');
  handshake.expiresAt = handshake.time.getTime() + ms;
}

function members(namespace: Namespace): void {
  namespace.use(({ auth }) => {
    if (auth.token !== 'right') throw new PublicError('ERR_TOKEN', 'Sign in first.', { hint: 'right' });
  });
  namespace.on('connection', (socket) => {
    socket.on('echo', (...args) => args);
  });
}

function serve(io: Server, socket: Socket): void {
  let tally = 0;
  socket.on('echo', (...args) => args);
  socket.on('slow-echo', (...args) => later(args));
  socket.on('tally', () => ++tally);
  socket.on('ask', (...args) => socket.emitWithAck('question', ...args));
  socket.on('fail', () => {
    throw new Error('the password is 1234');
  });
  socket.on('order', (item) => {
    throw new PublicError('ERR_SOLD_OUT', 'There is none left.', { item });
  });
  socket.on('join', (room) => {
    socket.join(room);
  });
  socket.on('leave', (room) => {
    socket.leave(room);
  });
  socket.on('say', (rooms, text) => {
    io.to(rooms).emit('said', text);
  });
  socket.on('tell', (id, text) => {
    io.to(id).emit('told', text);
  });
  socket.on('kick', () => {
    socket.disconnect();
  });
  socket.on('end', () => {
    socket.disconnect(true);
  });
}

function later<T>(value: T): Promise<T> {
  return new Promise((resolve) => setTimeout(() => resolve(value), slowMs));
}
