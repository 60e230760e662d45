// The session of an Express app: its middleware reads the cookie of the request that opened the connection, on any host.
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { type Handshake, PublicError, Server, type ServerOptions } from '@halyard/server';
import { RedisStore } from 'connect-redis';
import express, { type Express, type Request, type RequestHandler, type Response } from 'express';
import session, { type SessionData, type Store } from 'express-session';
import type { Redis } from 'ioredis';

declare module 'express-session' {
  interface SessionData {
    user: string;
  }
}

/**
 * One for the app and for the server of sockets.
 * @param store where sessions are, such as `redisStore`, so that all processes know them. Default: in this process
 */
export function sessions(store?: Store): RequestHandler {
  // Everybody else's secret is not in the source.
  return session({
    secret: 'keep this somewhere else',
    resave: false,
    saveUninitialized: false,
    ...(store && { store }),
  });
}

/** Sessions in Redis. */
export function redisStore(client: Redis): Store {
  return new RedisStore({ client });
}

export function loginApp(withSession: RequestHandler): Express {
  const app = express();
  app.use(withSession);
  app.post('/login/:user', (request, response) => {
    request.session.user = request.params.user as string;
    response.send('signed in');
  });
  return app;
}

/** The session that a handshake's cookie names. */
async function sessionOf({ headers, url }: Handshake, withSession: RequestHandler): Promise<Partial<SessionData>> {
  const request = Object.assign(new IncomingMessage(new Socket()), {
    ...{ method: 'GET', url, originalUrl: url },
    headers: { cookie: headers.get('cookie') },
  }) as unknown as Request;
  // Nothing is written to it.
  const response = new ServerResponse(request) as unknown as Response;
  await new Promise<void>((resolve, reject) => {
    void withSession(request, response, (error?: unknown) => (error === undefined ? resolve() : reject(error)));
  });
  return request.session;
}

export function sessionServer(withSession: RequestHandler, options: ServerOptions = {}): Server {
  const io = new Server(options);
  io.use(async (handshake) => {
    const { user, cookie } = await sessionOf(handshake, withSession);
    if (user === undefined) throw new PublicError('ERR_SIGNED_OUT', 'Sign in first.');
    handshake.data.user = user;
    if (cookie?.expires instanceof Date) handshake.expiresAt = cookie.expires;
  });
  io.on('connection', (socket) => {
    // Signing out of the app: io.in(`user:${user}`).disconnectSockets(true)
    socket.join(`user:${socket.data.user}`);
    socket.on('who', () => socket.data.user);
  });
  return io;
}
