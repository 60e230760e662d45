// The board: handlers see nothing that the contract does not have, and who may take a card away, a guard says.
import type { Incoming, Outgoing } from '@halyard/contract';
import { PublicError, Server, type ServerOptions } from '@halyard/server';
import { board, type Card } from './contract.js';

interface Data {
  user: string;
  isAdmin: boolean;
}

export function boardServer(options: ServerOptions = {}): Server<Incoming<typeof board>, Outgoing<typeof board>, Data> {
  const cards = new Map<string, Card>();
  const io = new Server<Incoming<typeof board>, Outgoing<typeof board>, Data>({
    ...options,
    contract: board,
    // In production clients that check would find it, and say so in their console.
    validateEmits: process.env.NODE_ENV !== 'production',
  });

  // Who it is, a real app proves: see examples/auth.
  io.use(({ auth, data }) => {
    if (typeof auth.user !== 'string') throw new PublicError('ERR_USER', 'Who is it?');
    data.user = auth.user;
    data.isAdmin = auth.user === 'ann';
  });

  io.guard('card:delete', ({ data }, id) => data.isAdmin || cards.get(id)?.by === data.user);
  io.guard(['card:move', 'card:delete'], (_socket, id) => {
    if (!cards.has(id)) throw new PublicError('ERR_NO_CARD', 'There is no such card.');
    return true;
  });

  io.on('connection', (socket) => {
    for (const card of cards.values()) socket.emit('card', card);
    socket.on('card:add', (title) => {
      const card: Card = { id: crypto.randomUUID(), title, column: 'to do', by: socket.data.user };
      cards.set(card.id, card);
      io.emit('card', card);
      // The contract lets nothing but the id out.
      return card;
    });
    socket.on('card:move', (id, column) => {
      const card: Card = { ...(cards.get(id) as Card), column };
      cards.set(id, card);
      io.emit('card', card);
    });
    socket.on('card:delete', (id) => {
      cards.delete(id);
      io.emit('card:deleted', id);
    });
  });
  io.on('refused', (socket, event, { code }) => console.warn(`${socket.id}: ${event} was refused, ${code}`));
  return io;
}
