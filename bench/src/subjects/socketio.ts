// Socket.IO 4: on ws, on uWebSockets.js, and with connection state recovery. No compression, and no transport but the
// one that is measured.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Server, ServerOptions } from 'socket.io';
import type { Plan } from '../contract/plan';
import type { Running, Subject, Tally } from './subject';

/** As long as Halyard's. */
export const recoveryWindowMs = 120_000;

export const socketioOnWs: Subject = {
  name: 'socketio-ws',
  title: 'Socket.IO on ws',
  dialect: 'socketio',
  pollingDialect: 'socketio-polling',
  start: (plan, tally) => onHttp(plan, tally, {}),
};

export const socketioRecovery: Subject = {
  name: 'socketio-recovery',
  title: 'Socket.IO on ws, with connection state recovery',
  dialect: 'socketio',
  pollingDialect: 'socketio-polling',
  start: (plan, tally) =>
    onHttp(plan, tally, { connectionStateRecovery: { maxDisconnectionDuration: recoveryWindowMs } }),
};

export const socketioOnUws: Subject = {
  name: 'socketio-uws',
  title: 'Socket.IO on uWebSockets.js',
  dialect: 'socketio',
  pollingDialect: 'socketio-polling',
  async start(plan, tally) {
    const { Server } = await import('socket.io');
    const { default: uWS } = await import('uWebSockets.js');
    const io = new Server(options(plan));
    const app = uWS.App();
    io.attachApp(app);
    const port = await new Promise<number>((resolve, reject) => {
      app.listen('127.0.0.1', 0, (socket) => {
        if (socket) resolve(uWS.us_socket_local_port(socket));
        else reject(new Error('cannot listen'));
      });
    });
    return running(io, port, tally);
  },
};

/** @param extra options beside those that all have */
export async function onHttp(plan: Plan, tally: Tally, extra: Partial<ServerOptions>): Promise<Running> {
  const { Server } = await import('socket.io');
  const server = createServer();
  const io = new Server(server, { ...options(plan), ...extra });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return running(io, (server.address() as AddressInfo).port, tally);
}

function options(plan: Plan): Partial<ServerOptions> {
  return {
    transports: [plan.polling ? 'polling' : 'websocket'],
    serveClient: false,
    perMessageDeflate: false,
    httpCompression: false,
    ...(plan.heartbeatMs === undefined ? {} : { pingInterval: plan.heartbeatMs }),
  };
}

function running(io: Server, port: number, tally: Tally): Running {
  io.on('connection', (socket) => {
    socket.on('echo', (payload: unknown, answer: (value: unknown) => void) => {
      tally.handled++;
      answer(payload);
    });
    socket.on('join', (room: string, answer: (value: unknown) => void) => {
      tally.handled++;
      socket.join(room);
      answer(true);
    });
    socket.on('say', (room: string, payload: unknown) => {
      tally.handled++;
      socket.to(room).emit('message', payload);
    });
  });
  return {
    port,
    emit(rooms, payload) {
      if (rooms === undefined) io.emit('message', payload);
      else io.to([...rooms]).emit('message', payload);
    },
  };
}
