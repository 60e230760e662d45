// A JWT says who somebody is and until when, and another one takes its place over the live connection.
import { type Handshake, PublicError, Server, type ServerOptions } from '@halyard/server';
import { jwtVerify, SignJWT } from 'jose';

/** A signed token for a user, good for so long. */
export function tokenOf(user: string, lastsMs: number, key: Uint8Array): Promise<string> {
  return new SignJWT({ until: Date.now() + lastsMs })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(user)
    .setExpirationTime(new Date(Date.now() + lastsMs + 1_000))
    .sign(key);
}

export function jwtServer(key: Uint8Array, options: ServerOptions = {}): Server {
  const io = new Server(options);
  const verify = async (handshake: Handshake): Promise<void> => {
    const { data } = handshake;
    const { payload } = await jwtVerify(String(handshake.auth.token), key).catch(() => {
      throw new PublicError('ERR_TOKEN', 'Sign in again.');
    });
    // The socket stays in the rooms of who it was.
    if (data.user !== undefined && data.user !== payload.sub)
      throw new PublicError('ERR_USER', 'That is somebody else.');
    data.user = payload.sub;
    // Seconds in a JWT, milliseconds here. This one has a finer claim of its own.
    handshake.expiresAt = Number(payload.until ?? (payload.exp ?? 0) * 1_000);
  };
  io.use(verify);
  io.renew(verify);
  io.on('connection', (socket) => {
    socket.join(`user:${socket.data.user}`);
    socket.on('who', () => socket.data.user);
  });
  return io;
}
