// Sessions that nobody came back to, and whose server is gone: one of the others tells the app that they are over, at least once.
import type { Value } from '@halyard/protocol';
import { TimedCall, type TimerWheel } from '../base/wheel';
import { Impatience, type Patience } from '../store/patience';
import type { Expired, Store } from '../store/store';
import { decodeRecord, decodeValue } from './record';

/** What a session was that is over, and whose server could not say so. */
export interface ExpiredSession {
  readonly id: string;
  readonly sockets: readonly ExpiredSocket[];
}

export interface ExpiredSocket {
  readonly id: string;
  readonly namespace: string;
  /** The app's own, as it was stored last. */
  readonly data: Value | undefined;
  /** Rooms it was in, but for that of its own id. */
  readonly rooms: readonly string[];
}

/** If it fails, that is reported. The session is given to nobody else before it has settled, or for `leaseMs`. */
export type ExpiredHandler = (expired: ExpiredSession) => unknown;

export interface ExpiryContext {
  readonly store: Store;
  readonly patience: Patience;
  readonly wheel: TimerWheel;
  readonly recoveryWindowMs: number;
  report(error: unknown, where: string): void;
}

/** How often a node looks for them, in milliseconds. */
const checkMs = 5_000;
/** Nobody else is given a session for so long, in milliseconds. */
const leaseMs = 30_000;
const sessionsMax = 64;

export class Expiry {
  readonly #context: ExpiryContext;
  readonly #handlers: ExpiredHandler[] = [];
  readonly #check = new TimedCall(() => this.#look());

  constructor(context: ExpiryContext) {
    this.#context = context;
  }

  on(handler: ExpiredHandler): void {
    this.#handlers.push(handler);
  }

  /** The store is open: from now on they are looked for. */
  begin(): void {
    const { wheel } = this.#context;
    wheel.schedule(this.#check, wheel.now() + checkMs);
  }

  #look(): void {
    this.#tellAll().then(
      () => this.begin(),
      (error: unknown) => {
        if (error instanceof Impatience) return;
        this.#context.report(error, 'looking for sessions that have expired');
        this.begin();
      },
    );
  }

  async #tellAll(): Promise<void> {
    const { store, patience, wheel, recoveryWindowMs } = this.#context;
    // As long as the store was away nobody could come back.
    while (wheel.now() >= patience.backAt + recoveryWindowMs) {
      const expired = await patience.until(() => store.expired(sessionsMax, leaseMs), Array.isArray);
      for (const one of expired) {
        // Who takes too long is not waited for: another server is given it.
        const isTold = await Promise.race([this.#tell(one).then(() => true), this.#tooLong()]);
        if (isTold) await patience.until(() => store.forget(one.session, one.lease));
      }
      if (expired.length < sessionsMax) return;
    }
  }

  #tooLong(): Promise<false> {
    const { wheel } = this.#context;
    return new Promise((resolve) => {
      wheel.schedule(new TimedCall(() => resolve(false)), wheel.now() + leaseMs);
    });
  }

  async #tell({ session, record }: Expired): Promise<void> {
    const { store, report } = this.#context;
    try {
      const { presences } = decodeRecord(record, store.codec);
      const sockets = presences.map(({ id, namespace, data, memberships }) => ({
        ...{ id, namespace, data: decodeValue(data, store.codec) },
        rooms: memberships.filter(({ room, until }) => room !== '' && until < 0).map(({ room }) => room),
      }));
      const run = async (handler: ExpiredHandler): Promise<unknown> => handler({ id: session, sockets });
      for (const outcome of await Promise.allSettled(this.#handlers.map(run))) {
        if (outcome.status === 'rejected') report(outcome.reason, 'a handler of "session-expired"');
      }
    } catch (error) {
      report(error, `reading the record of session ${session}, which has expired`);
    }
  }
}
