// A client that checks what the server sends, and keeps the board as it is.
import { type ContractSocket, connect } from '@halyard/client/contract';
import { board, type Card } from './contract.js';

export interface Board {
  readonly socket: ContractSocket<typeof board>;
  readonly cards: ReadonlyMap<string, Card>;
}

export function openBoard(url: string, user: string): Board {
  const cards = new Map<string, Card>();
  const socket = connect(url, { contract: board, auth: { user } });
  socket.on('connect', ({ recovered }) => {
    if (!recovered) cards.clear();
  });
  socket.on('card', (card) => void cards.set(card.id, card));
  socket.on('card:deleted', (id) => void cards.delete(id));
  return { socket, cards };
}
