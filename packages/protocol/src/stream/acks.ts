// Acknowledgements waited for. Every one settles: by the reply, an error, its deadline, or the end of the session.
import { type HalyardError, LocalUsageError, PublicError, RemoteProtocolError } from '../wire/errors';
import type { AckPacket, ErrorPacket } from '../wire/packet';
import { PacketType } from '../wire/packet';
import type { Value } from '../wire/value';

/** Called once, with the reply or with the error. MUST NOT throw: others may settle after it. */
export type Settle = (error: HalyardError | undefined, value?: Value) => void;

interface PendingAck {
  readonly settle: Settle | undefined;
  readonly deadline: number;
}

/** @param left whether the event has left: the other side may have handled it, or will */
export const ackTimeout = (left: boolean): LocalUsageError =>
  new LocalUsageError('ERR_ACK_TIMEOUT', left ? 'no reply in time' : 'has not left in time, and never will', { left });

export class PendingAcks {
  /** When the next one times out, or Infinity. */
  deadline = Infinity;
  /** The number that was given last, by this machine or one before it. */
  last = 0;
  readonly #pending = new Map<number, PendingAck>();

  /**
   * @param settle not there if no reply is asked for: then what is due is only known to be
   * @returns the number the reply must carry. @throws LocalUsageError `ERR_ACKS_FULL`
   */
  expect(deadline: number, pendingMax: number, settle: Settle | undefined): number {
    if (this.#pending.size >= pendingMax) {
      throw new LocalUsageError('ERR_ACKS_FULL', `${pendingMax} replies are waited for, which is the most`);
    }
    this.#pending.set(++this.last, { settle, deadline });
    this.deadline = Math.min(this.deadline, deadline);
    return this.last;
  }

  /** Until when a reply is waited for, if it is. */
  deadlineOf(id: number): number | undefined {
    return this.#pending.get(id)?.deadline;
  }

  /** What asked for it was handled: who waits for no reply waits no more. */
  handled(id: number): void {
    if (!this.#pending.get(id)?.settle) this.cancel(id);
  }

  /** The packet that asked for it was never sent. @returns who waits for the reply */
  cancel(id: number): Settle | undefined {
    const settle = this.#pending.get(id)?.settle;
    this.#pending.delete(id);
    if (!this.#pending.size) this.deadline = Infinity;
    return settle;
  }

  /** A reply that comes late, or again, is ignored. @throws RemoteProtocolError `ERR_ACK_UNKNOWN` for a number not yet asked for */
  receive(packet: AckPacket | ErrorPacket): void {
    const { ack } = packet;
    if (ack > this.last) throw new RemoteProtocolError('ERR_ACK_UNKNOWN', `nothing asked for acknowledgement ${ack}`);
    const settle = this.cancel(ack);
    if (packet.type === PacketType.Ack) settle?.(undefined, packet.value);
    else settle?.(new PublicError(packet.code, packet.message, packet.data));
  }

  /** Settles what is due at `now`. */
  expire(now: number): void {
    if (now >= this.deadline) this.fail(ackTimeout(true), undefined, now);
  }

  /** Settles with `error` what is due at `now`, by default all, but for those in `kept`. */
  fail(error: HalyardError, kept?: ReadonlySet<number>, now = Infinity): void {
    const due: (Settle | undefined)[] = [];
    this.deadline = Infinity;
    for (const [id, { settle, deadline }] of this.#pending) {
      if (deadline > now || kept?.has(id)) this.deadline = Math.min(this.deadline, deadline);
      else {
        this.#pending.delete(id);
        due.push(settle);
      }
    }
    for (const settle of due) settle?.(error);
  }
}
