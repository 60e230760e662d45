// The answer to an event that asks for one: what a handler gave, or its error, as much of it as the other side may know.
import { type HalyardError, type Packet, PacketType, PublicError } from '@halyard/protocol';
import type { Reply } from './presence';

/** What the other side learns of an error that was not meant for it. */
const hidden = { code: 'ERR_HANDLER', message: 'The handler failed.', data: undefined };

export const noHandler = new PublicError('ERR_NO_HANDLER', 'No handler for this event.');

/** @param send may throw; then `report` gets the error, and what cannot be sent is answered as a failed handler */
export function createReply(ack: number, send: (packet: Packet) => void, report: (error: unknown) => void): Reply {
  const reply: Reply = (error, value) => {
    const { code, message, data } = error instanceof PublicError ? error : hidden;
    try {
      if (error) send({ type: PacketType.Error, ack, code, message: message.slice(0, 1_024), data });
      else send({ type: PacketType.Ack, ack, value });
    } catch (failure) {
      report(failure);
      if ((failure as HalyardError).code !== 'ERR_OUTBOX_FULL') reply(failure);
    }
  };
  return reply;
}
