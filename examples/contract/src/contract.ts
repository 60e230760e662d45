// What clients and the server of a board say to each other: both import it.
import { contract } from '@halyard/contract';
import { z } from 'zod';

const Card = z.object({ id: z.uuid(), title: z.string(), column: z.enum(['to do', 'doing', 'done']), by: z.string() });

export type Card = z.infer<typeof Card>;

export const board = contract({
  clientToServer: {
    'card:add': {
      description: 'Puts a card on the board.',
      args: [z.string().trim().min(1, 'a card needs a title').max(80, 'too long (max 80)')],
      reply: Card.pick({ id: true }),
    },
    'card:move': { description: 'Puts a card into another column.', args: [Card.shape.id, Card.shape.column] },
    'card:delete': { description: 'Takes a card away: its own, or any for an admin.', args: [Card.shape.id] },
  },
  serverToClient: {
    card: { description: 'A card is new, or was moved.', args: [Card] },
    'card:deleted': { args: [Card.shape.id] },
  },
});

// For `halyard docs`.
export const toJSONSchema = z.toJSONSchema;
export const info = { title: 'Board', version: '1.0.0' };
