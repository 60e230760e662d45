// Acknowledgements waited for. Every one settles: by the reply, an error, its deadline, or the end of the session.
import { type HalyardError, LocalUsageError, PublicError, RemoteProtocolError } from './errors';
import type { AckPacket, ErrorPacket } from './packet';
import { PacketType } from './packet';
import type { Value } from './value';

/** Called once, with the reply or with the error. MUST NOT throw: others may settle after it. */
export type Settle = (error: HalyardError | undefined, value: Value | undefined) => void;

interface PendingAck {
  readonly settle: Settle;
  readonly deadline: number;
}

const expiredMax = 1_024;

export class PendingAcks {
  /** When the next one times out, or Infinity. */
  deadline = Number.POSITIVE_INFINITY;
  #last = 0;
  readonly #pending = new Map<number, PendingAck>();
  /** Timed out here, so that a late reply is not taken for one that nobody asked for. */
  readonly #expired = new Set<number>();
  /** Numbers up to this one were expired and then forgotten. */
  #forgotten = 0;

  /** @returns the number the reply must carry. @throws LocalUsageError `ERR_ACKS_FULL` */
  expect(deadline: number, pendingMax: number, settle: Settle): number {
    if (this.#pending.size >= pendingMax) {
      throw new LocalUsageError('ERR_ACKS_FULL', `${pendingMax} acknowledgements are waited for: see pendingAcksMax`);
    }
    const id = ++this.#last;
    this.#pending.set(id, { settle, deadline });
    if (deadline < this.deadline) this.deadline = deadline;
    return id;
  }

  /** The packet that asked for it was never sent. */
  cancel(id: number): void {
    this.#pending.delete(id);
  }

  /** @throws RemoteProtocolError `ERR_ACK_UNKNOWN` for a number that was not asked for, or was answered before */
  receive(packet: AckPacket | ErrorPacket): void {
    const pending = this.#pending.get(packet.ack);
    if (pending === undefined) {
      if (this.#expired.delete(packet.ack) || (packet.ack <= this.#forgotten && packet.ack > 0)) return;
      throw new RemoteProtocolError('ERR_ACK_UNKNOWN', `nothing waits for acknowledgement ${packet.ack}`);
    }
    this.#pending.delete(packet.ack);
    if (this.#pending.size === 0) this.deadline = Number.POSITIVE_INFINITY;
    if (packet.type === PacketType.Ack) pending.settle(undefined, packet.value);
    else pending.settle(new PublicError(packet.code, packet.message, packet.data), undefined);
  }

  /** Settles what is due at `now`. */
  expire(now: number): void {
    if (now < this.deadline) return;
    this.deadline = Number.POSITIVE_INFINITY;
    const due: Settle[] = [];
    for (const [id, { settle, deadline }] of this.#pending) {
      if (deadline > now) {
        if (deadline < this.deadline) this.deadline = deadline;
        continue;
      }
      this.#pending.delete(id);
      this.#expired.add(id);
      due.push(settle);
    }
    for (const id of this.#expired) {
      if (this.#expired.size <= expiredMax) break;
      this.#expired.delete(id);
      this.#forgotten = Math.max(this.#forgotten, id);
    }
    for (const settle of due) settle(new LocalUsageError('ERR_ACK_TIMEOUT', 'no reply within the timeout'), undefined);
  }

  /** Settles all but those in `kept` with `error`. */
  fail(error: HalyardError, kept?: ReadonlySet<number>): void {
    const due: Settle[] = [];
    for (const [id, { settle }] of this.#pending) {
      if (kept?.has(id)) continue;
      this.#pending.delete(id);
      due.push(settle);
    }
    if (this.#pending.size === 0) this.deadline = Number.POSITIVE_INFINITY;
    for (const settle of due) settle(error, undefined);
  }
}
