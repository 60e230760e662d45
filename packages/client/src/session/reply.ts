// The answer to an event that asks for one: what a handler gave, or its error, as much of it as the other side may know.
import { failureOf, type Packet, PacketType, PublicError } from '@halyard/protocol';
import type { Presence, Reply } from './presence';

export const noHandler = new PublicError('ERR_NO_HANDLER', 'No handler for this event.');

/**
 * @param send may throw; then `presence` hears of it, and what cannot be sent is answered as a failed handler; a PublicError whose `data` cannot
 *   be sent without that
 */
export function createReply(ack: number, presence: Presence | undefined, send: (packet: Packet) => void): Reply {
  const reply: Reply = (error, value) => {
    try {
      if (error) send({ type: PacketType.Error, ack, ...failureOf(error, 'ERR_HANDLER', 'The handler failed.') });
      else send({ type: PacketType.Ack, ack, value });
    } catch (failure) {
      presence?.fire('error', failure);
      reply(error instanceof PublicError && error.data ? new PublicError(error.code, error.message) : failure);
    }
  };
  return reply;
}
