// What the store tells of logs, in the order in which that was stored, whichever logs it is of: so that what one server says to several
// rooms keeps its order at others. An entry of this node is delivered once its commit is answered, and what came behind it waits with it.
import type { Store, StoredEntry } from './store';

/** What the order of arrival needs of the server. */
export interface ArrivalsContext {
  readonly store: Pick<Store, 'partitions' | 'partitionOf'>;
  /** Id of this node. */
  readonly node: string;
  /** Whether what this node has emitted at a stamp may be delivered. */
  isReleased(stamp: number): boolean;
  deliver(arrival: Arrival): void;
}

export interface Arrival {
  readonly log: string;
  readonly epoch: string;
  readonly entry: StoredEntry;
}

interface Waiting extends Arrival {
  /** Whether it is of this node, and came before its commit was answered. */
  readonly isEarly: boolean;
}

/** As many wait in a partition. What comes then is not kept waiting: each log has its order all the same. */
const waitingMax = 4_096;

const nothing: ReadonlyMap<string, number> = new Map();

export class Arrivals {
  readonly #context: ArrivalsContext;
  /** By partition, the oldest first. The first of them waits for the answer to a commit. */
  readonly #waiting: Waiting[][];
  /** Up to where logs are waited for by what is released next. */
  #awaited = nothing;

  constructor(context: ArrivalsContext) {
    this.#context = context;
    this.#waiting = Array.from({ length: context.store.partitions }, () => []);
  }

  add(arrival: Arrival): void {
    const { store } = this.#context;
    const waiting = this.#waiting[store.partitions === 1 ? 0 : store.partitionOf(arrival.log)] as Waiting[];
    const isEarly = this.#isEarly(arrival);
    if (waiting.length === 0 && !isEarly) {
      this.#context.deliver(arrival);
      return;
    }
    waiting.push({ ...arrival, isEarly });
    if (waiting.length > waitingMax || this.#isAwaited(arrival)) this.#flush(waiting);
  }

  /**
   * What is released next waits for logs. An entry of its own may be stored before what it waits for, in another log, if not all of it is stored at once: then that
   * does not wait in turn.
   * @param logs up to where, by name
   */
  waitFor(logs: ReadonlyMap<string, number>): void {
    this.#awaited = logs;
    for (const waiting of this.#waiting) {
      if (waiting.some((arrival) => this.#isAwaited(arrival))) this.#flush(waiting);
    }
  }

  /** More of what this node has emitted may be delivered: that is by who has emitted it, and then what came behind. */
  released(): void {
    this.#awaited = nothing;
    for (const waiting of this.#waiting) {
      // One after the other: what is delivered may release more.
      for (let [first] = waiting; first !== undefined && !this.#isEarly(first); [first] = waiting) {
        waiting.shift();
        // The store may have lost it, and have it in another place by now.
        if (!first.isEarly) this.#context.deliver(first);
      }
    }
  }

  /** Nothing waits any longer: it has to be known how far logs go. */
  flush(): void {
    for (const waiting of this.#waiting) this.#flush(waiting);
  }

  #flush(waiting: Waiting[]): void {
    for (let first = waiting.shift(); first !== undefined; first = waiting.shift()) this.#context.deliver(first);
  }

  #isAwaited({ log, entry }: Arrival): boolean {
    return ((entry as StoredEntry | null)?.offset ?? Number.POSITIVE_INFINITY) <= (this.#awaited.get(log) ?? 0);
  }

  /** What is no entry is not: its log says so. */
  #isEarly({ entry }: Arrival): boolean {
    return (entry as StoredEntry | null)?.node === this.#context.node && !this.#context.isReleased(entry.stamp);
  }
}
