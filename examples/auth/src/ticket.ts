// A one-time ticket: the app gives it to who is signed in there, and it is worth nothing once it was shown. It goes in `auth`, so that
// no cookie has to come along, and no URL holds it.
import { randomBytes } from 'node:crypto';
import { PublicError, Server, type ServerOptions } from '@halyard/server';

const ticketMsMax = 30_000;
const ticketsMax = 10_000;

/** Tickets that were given and not shown. Servers that are many keep them where all have them, such as in Redis (`GETDEL`). */
export class Tickets {
  readonly #given = new Map<string, { readonly user: string; readonly until: number }>();

  /** To be called by a route of the app that knows who asks. */
  give(user: string): string {
    const ticket = randomBytes(24).toString('base64url');
    this.#given.set(ticket, { user, until: Date.now() + ticketMsMax });
    // The oldest is first.
    const [oldest] = this.#given.keys();
    if (this.#given.size > ticketsMax) this.#given.delete(oldest as string);
    return ticket;
  }

  /** @returns whose it was, once */
  take(ticket: string): string | undefined {
    const given = this.#given.get(ticket);
    this.#given.delete(ticket);
    return given !== undefined && given.until > Date.now() ? given.user : undefined;
  }
}

export function ticketServer(tickets: Tickets, options: ServerOptions = {}): Server {
  const io = new Server(options);
  io.use(({ auth, data }) => {
    const user = typeof auth.ticket === 'string' ? tickets.take(auth.ticket) : undefined;
    if (user === undefined) throw new PublicError('ERR_TICKET', 'That ticket was used, is too old, or is none.');
    data.user = user;
  });
  io.on('connection', (socket) => {
    socket.on('who', () => socket.data.user);
  });
  return io;
}
