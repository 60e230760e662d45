// Events that wait until their namespace may be asked for.
import {
  ackTimeout,
  type ClientLimits,
  type Clock,
  type Frame,
  HalyardError,
  outboxFull,
  type Settle,
} from '@halyard/protocol';
import type { Presence } from './presence';

export const disconnected = (why: string): HalyardError =>
  new HalyardError('ERR_DISCONNECTED', `not sent, or not answered: the socket was disconnected (${why})`);

/**
 * Lets an event wait with what its presence holds.
 * @param frame what it is, for its size
 * @param timeoutMs for how long it may; 0: as long as it has to
 * @param told of its failure, @param go sends it; what that throws is told
 * @throws LocalUsageError `ERR_OUTBOX_FULL`
 */
export type Hold = (presence: Presence, frame: Frame, timeoutMs: number, told: Settle, go: () => void) => void;

export const defaultLimits: ClientLimits = { offlinePacketsMax: 16_384, offlineBytesMax: 1 << 23 };

/** What the limits say is for all presences together. As in the outbox, one more may be of any size. */
export function createHold({ clock, offlinePacketsMax, offlineBytesMax }: ClientLimits & { clock: Clock }): Hold {
  let packets = 0;
  let bytes = 0;
  return (presence, { length }, timeoutMs, told, go) => {
    if (packets >= offlinePacketsMax || bytes > offlineBytesMax) throw outboxFull();
    packets++;
    bytes += length;
    const over = (error?: unknown) => {
      packets--;
      bytes -= length;
      cancel?.();
      presence.held?.delete(over);
      try {
        if (error) throw error;
        go();
      } catch (failure) {
        told(failure as HalyardError);
      }
    };
    const cancel =
      timeoutMs && timeoutMs < Infinity ? clock.after(timeoutMs, () => over(ackTimeout(false))) : undefined;
    presence.held!.add(over);
  };
}

/** Lets go of what was held: it is sent, or fails; also what is left when somebody who is told of one ends it all. */
export function release(presence: Presence, error?: unknown): void {
  const held = presence.held ?? [];
  presence.held = undefined;
  for (const over of held) over(error ?? (presence.phase ? undefined : disconnected('disconnect()')));
}
