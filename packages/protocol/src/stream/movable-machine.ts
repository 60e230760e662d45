// A session machine that can go on elsewhere: its state as plain data. Only servers have it: a client's machine stays with it.
import type { OutboxLimits, SessionSettings } from '../wire/limits';
import { PendingAcks } from './acks';
import { SessionMachine, type SessionSink } from './machine';

export interface StreamState<Frame> {
  /** How many counted packets of the peer need not come again. */
  readonly received: number;
  /** How many frames the peer has confirmed, … */
  readonly confirmed: number;
  /** … and those after them, each with its mark. */
  readonly frames: readonly (readonly [frame: Frame, mark: number])[];
  /** Number of the last acknowledgement that was asked for. */
  readonly asked: number;
  /** Everything that was transmitted with a stamp up to this one is known to be handled by the peer. */
  readonly confirmedStamp: number;
}

export class MovableMachine<F extends { readonly length: number }> extends SessionMachine<F> {
  /** @param state what a machine before this one had come to */
  constructor(
    sink: SessionSink<F>,
    settings: SessionSettings,
    limits: OutboxLimits,
    state: StreamState<F> | undefined,
  ) {
    super(sink, settings, limits);
    if (state === undefined) return;
    this.received = state.received;
    this.confirmedStamp = state.confirmedStamp;
    this.outbox.confirmed = this.outbox.carried = state.confirmed;
    // They were within the limits when they were sent.
    const all = { ...limits, outboxPacketsMax: Infinity, outboxBytesMax: Infinity };
    for (const [frame, mark] of state.frames) this.outbox.push(frame, mark, all);
    if (state.asked > 0) this.acks = new PendingAcks(state.asked);
  }

  /** @returns what another machine needs to go on */
  snapshot(): StreamState<F> {
    return {
      received: this.received,
      confirmed: this.confirmed,
      frames: [...this.outbox],
      asked: this.acks?.last ?? 0,
      confirmedStamp: this.confirmedStamp,
    };
  }
}
