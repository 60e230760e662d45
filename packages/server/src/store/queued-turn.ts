// The turn of a server whose store others share: what is emitted waits until it is stored, and is then released in the order in
// which it was emitted. While a commit is in flight the next one gathers, so that throughput does not fall with the way to the
// store. Longer than other files: what waits, is stored, and is released is one list, in one order.
import { type Frame, LocalUsageError, type Position } from '@halyard/protocol';
import type { UnderWay } from '../base/under-way';
import type { Follower } from '../log/follower';
import type { Log } from '../log/log';
import type { Stamps } from '../log/stamp';
import { isLetter } from './answers';
import { type Batched, Commits, type StepItem } from './commits';
import type { Feed } from './feed';
import type { Feeds } from './feeds';
import type { Lost, Written } from './lately';
import { Impatience, type Patience } from './patience';
import { PlacedLists } from './placed-lists';
import type { CommitResult, Letter, NewEntry, Step, Store, StoredLetter } from './store';
import { Strays } from './strays';
import type { Publication, Recorded, Recording, Sender, Top, Turn } from './turn';

/** What an entry is behind, the store says later. */
const unsaid = [0, ''] as const;

/** How many are read at a time. */
export const lettersMax = 512;

/** No timer of Node waits longer. */
const timerMsMax = 2 ** 31 - 1;

/** What waits to be released, in the order in which it was emitted. */
type Item = StepItem | Sender<never> | (() => unknown);

/** Where a log has to come before anything else is released. */
interface Awaited {
  readonly feed: Feed;
  readonly epoch: string;
  readonly offset: number;
}

const none: readonly Awaited[] = [];

/** What is under way to the store together, and what waits for it. */
interface Batch extends Batched {
  readonly steps: readonly StepItem[];
  readonly items: readonly Item[];
}

/** What goes to a session from here. */
export interface Overheard {
  readonly letters: readonly Letter[];
  end(): void;
}

export interface QueueContext {
  readonly store: Store;
  readonly patience: Patience;
  readonly stamps: Stamps;
  /** Told of each commit. */
  readonly underWay: UnderWay;
  /** What is published and not stored may have so many bytes: then clients' events wait before their handlers. */
  readonly storeQueueBytesMax: number;
  /** How long it is waited for that something is stored, if nobody says otherwise. */
  readonly storedMsMax: number;
  /** Calls something at the end of this turn, or later. */
  soon(run: () => void): void;
  /** What could be has been released. */
  released(): void;
  /** A partition has lost some of what this node has stored. @returns once logs have an epoch in which something may be stored */
  rolledBack(partition: number, lost: Lost, logs: ReadonlySet<string>): Promise<void>;
  report(error: unknown, where: string): void;
}

export class QueuedTurn implements Turn {
  readonly isShared = true;
  readonly stamps: Stamps;
  /** Up to this stamp everything that was published here is stored, and its turn to be delivered has come. */
  releasedStamp = -1;
  readonly #context: QueueContext;
  readonly #store: Store;
  #feeds!: Feeds;
  #steps: StepItem[] = [];
  #items: Item[] = [];
  #touched = new Map<Recorded, Set<string>>();
  /** How those are to be stored that are not this node's any more by then. */
  #parting = new Map<Recorded, Recording>();
  /** What sessions said of their last write. */
  readonly #written = new WeakMap<Recorded, unknown>();
  /** What they said of the last write that is stored. */
  readonly #snapshots = new WeakMap<Recorded, unknown>();
  /** Those that other nodes have. */
  readonly #forgotten = new WeakSet<Recorded>();
  readonly #commits: Commits;
  readonly #strays: Strays;
  /** What goes to sessions from here that come here now. */
  readonly #overheard = new Map<string, Letter[]>();
  /** What is being stored. */
  #storing: readonly StepItem[] = [];
  #stepCount = 0;
  #isScheduled = false;
  #isStoring = false;
  #asked = new Set<number>();
  /** Waits for the records of sessions that were to be written as a whole. */
  #kept: Item[] = [];
  /** Stored, and waits to be released. */
  #releasing: Item[] = [];
  #isReleasing = false;
  /** What precedes this message has come, or will not: it is not waited for once more. */
  #preceded: Item | undefined;
  #bytes = 0;
  #idle: (() => void)[] = [];
  #whenLow: (() => void)[] = [];
  #whenAnswered: (() => void)[] = [];
  /** Who waits for something to be stored is told if that will not be known. */
  readonly #unstored = new Set<() => void>();
  #isClosed = false;

  constructor(context: QueueContext) {
    this.#context = context;
    this.#store = context.store;
    this.stamps = context.stamps;
    const { store, patience, underWay, rolledBack, report } = context;
    this.#strays = new Strays(store, patience, (letter) => this.#post(letter), report);
    this.#commits = new Commits(store, patience, underWay, rolledBack, this.#strays);
  }

  /** The logs that are followed; they need to know what is released. */
  set feeds(feeds: Feeds) {
    this.#feeds = feeds;
  }

  /** Whether so much waits to be stored that nothing more should be begun. */
  get isHigh(): boolean {
    return this.#bytes > this.#context.storeQueueBytesMax;
  }

  /** What was published and is not stored, in bytes. */
  get queuedBytes(): number {
    return this.#bytes;
  }

  /** When the store was back that had been away: nobody could come back to a session meanwhile. */
  get backAt(): number {
    return this.#context.patience.backAt;
  }

  /** Calls `run` once less waits. */
  whenLow(run: () => void): void {
    this.#whenLow.push(run);
  }

  follow(name: string, follower: Follower): Log {
    return this.#feeds.follow(name, follower);
  }

  unfollow(log: Log, follower: Follower): void {
    this.#feeds.unfollow(log, follower);
  }

  /** The log is needed from a place on, or from now on. */
  start(log: Log, from: Position | undefined): void {
    this.#feeds.start(log, from);
  }

  /** Calls `run` once a log has come so far. */
  whenAt(log: Log, offset: number, run: () => void, epoch?: string): void {
    this.#feeds.whenAt(log, offset, run, epoch);
  }

  /** Whether a log has an epoch, or had it while it was followed here: what it has lost of that is told here. */
  hasKnown(log: Log, epoch: string): boolean {
    return this.#feeds.hasKnown(log, epoch);
  }

  load(log: Log, after: number): Promise<boolean> {
    return this.#feeds.load(log, after);
  }

  /** Something for one session that another node has. @throws LocalUsageError `ERR_STORE_AWAY` */
  post(to: string, body: Frame, key?: string): void {
    this.#checkQueue();
    this.#post({ to, stamp: this.stamps.next(), body, key });
  }

  /** The same, however much waits: for a few bytes that have to be said. */
  tell(to: string, body: Frame): void {
    this.#post({ to, stamp: this.stamps.next(), body });
  }

  /** @returns letters of a session behind a number, in order */
  letters(session: string, after: number): Promise<readonly StoredLetter[]> {
    const { patience } = this.#context;
    return patience.until(
      () => this.#store.letters(session, after, lettersMax),
      (letters) => letters.every(isLetter),
    );
  }

  /**
   * What this node has said to a session that comes here, and may not be stored by then: it comes before what is said to it here.
   * @returns that, and until `end` is called all that is said to it
   */
  overhear(session: string): Overheard {
    const steps = [...this.#storing, ...this.#steps].map(({ step }) => step);
    const letters = steps.filter((step): step is Letter => 'to' in step && step.to === session);
    letters.unshift(...this.#strays.waitingFor(session));
    this.#overheard.set(session, letters);
    return { letters, end: () => this.#overheard.delete(session) };
  }

  /** Appends to the logs of rooms. Who appends does not deliver: each log's follower does, here and on other nodes. */
  publish({ logs, except, bodies, key, latest }: Publication): void {
    this.#checkQueue();
    const stamp = this.stamps.next();
    const first = this.#steps.length;
    const { partitions } = this.#store;
    const inOrder =
      logs.length === 1 || partitions === 1
        ? logs
        : logs.toSorted((a, b) => this.#store.partitionOf(a) - this.#store.partitionOf(b));
    const places = Array.from({ length: logs.length - 1 }, (_, i) => first + i);
    for (const [earlier, log] of inOrder.entries()) {
      const item = this.#add({ log, stamp, except, bodies, places, earlier, key, latest });
      item.unpin = this.#feeds.pin(log);
    }
    for (const body of bodies) this.#bytes += (body?.length ?? 0) * logs.length;
  }

  /**
   * Asks where a log is, among everything that is emitted.
   * @param isStart whether the log is needed from there on
   * @param then called once that is known
   */
  top(log: Log, isStart: boolean, then: (position: Position) => void): Top {
    const item = this.#add({ topOf: log.name });
    if (isStart) item.starts = log;
    const unpin = this.#feeds.pin(log.name);
    this.after(() => {
      then(item.position as Position);
      unpin();
    });
    return item;
  }

  send<Frame>(sender: Sender<Frame>, frame: Frame): void {
    // Its record says that it is there, so that a commit stores it.
    sender.take(frame, this.stamps.next());
    this.#items.push(sender as Sender<never>);
    this.#schedule();
  }

  after(run: () => unknown): void {
    this.#items.push(run);
    this.#schedule();
  }

  /** @returns the last entry that this node has written to a log lately */
  writtenTo(log: string, epoch: string): Written | undefined {
    return this.#commits.writtenTo(log, epoch);
  }

  /** Calls `run` once every partition has said whether it still has what this node has stored. */
  probe(run: () => unknown): void {
    for (let one = 0; one < this.#store.partitions; one++) this.#asked.add(one);
    this.after(run);
  }

  /** Looks whether what was stored is still there, in partitions in which nothing was since this was called last. */
  lookAtQuiet(): void {
    this.#commits.lookAtQuiet((partition) => {
      this.#asked.add(partition);
      this.#schedule();
    });
  }

  touch(session: Recorded, what?: string): void {
    if (this.#forgotten.has(session)) return;
    let changed = this.#touched.get(session);
    if (changed === undefined) {
      changed = new Set();
      this.#touched.set(session, changed);
    }
    if (what !== undefined) changed.add(what);
    this.#schedule();
  }

  forget(session: Recorded): void {
    this.#touched.delete(session);
    this.#forgotten.add(session);
  }

  /**
   * Stores a session once more as it is now, whatever becomes of it here.
   * @returns once that is done
   */
  part(session: Recorded): Promise<void> {
    this.#record(this.#parting, session, this.#touched.get(session) ?? new Set());
    this.#touched.delete(session);
    return new Promise((resolve) => this.after(resolve));
  }

  /** What the store has of a session is not what was written last: all of it is written. */
  rewrite(session: Recorded): void {
    this.#written.delete(session);
    this.touch(session);
  }

  /** @returns once a session is stored as it is now: whether it is still this node's */
  confirm(session: Recorded): Promise<boolean> {
    if (this.#forgotten.has(session)) return Promise.resolve(false);
    this.touch(session);
    return new Promise((resolve) => this.after(() => resolve(!this.#forgotten.has(session))));
  }

  /** @returns once it is known what this node has written, of all that is on its way to the store now */
  written(): Promise<void> {
    return this.#commits.answered();
  }

  /** @returns once the store has answered what is on its way there now, and all of it is known here */
  answered(): Promise<void> {
    return this.#isStoring ? new Promise((resolve) => this.#whenAnswered.push(resolve)) : Promise.resolve();
  }

  /** Whether nothing that was emitted waits to be stored, or to be released. */
  get isIdle(): boolean {
    const waiting = [this.#items, this.#steps, this.#storing, this.#kept, this.#releasing];
    return !this.#isStoring && !this.#isReleasing && waiting.every(({ length }) => length === 0);
  }

  /** @param advice what to do then @returns once what was emitted is stored. Rejects with `ERR_STORE_AWAY`: then it may be stored later, or not; with `ERR_CLOSED` once the server is closed */
  stored(timeoutMs = this.#context.storedMsMax, advice = 'Say it again with the same idempotencyKey'): Promise<void> {
    if (this.#isClosed) {
      const message = 'The server is closed: nothing is stored any more. Say it before close(), or by an Emitter.';
      return Promise.reject(new LocalUsageError('ERR_CLOSED', message));
    }
    return new Promise((resolve, reject) => {
      const fail = (why: string): void => {
        over();
        reject(new LocalUsageError('ERR_STORE_AWAY', `${why}: it may be stored all the same. ${advice}`));
      };
      const closed = (): void => fail('The server is closed, and it is not known what was stored');
      const cancel = this.#context.patience.after(Math.min(timeoutMs, timerMsMax), () =>
        fail(`Not stored within ${timeoutMs} ms (timeout)`),
      );
      const over = (): void => {
        cancel();
        this.#unstored.delete(closed);
      };
      this.#unstored.add(closed);
      this.after(() => {
        over();
        resolve();
      });
    });
  }

  /** @returns once nothing waits to be stored or to be released */
  drained(): Promise<void> {
    return new Promise((resolve) => {
      this.#idle.push(resolve);
      this.#schedule();
    });
  }

  /** The store is open. */
  begin(): void {
    this.#schedule();
  }

  /** Nothing is stored any more. */
  end(): void {
    for (const run of this.#idle.splice(0)) run();
  }

  /** The server is closed. */
  close(): void {
    this.#isClosed = true;
    this.end();
    for (const tell of [...this.#unstored]) tell();
  }

  #post(letter: Letter): void {
    this.#overheard.get(letter.to)?.push(letter);
    if (this.#strays.follow(letter)) return;
    this.#add(letter);
    this.#bytes += letter.body.length;
  }

  #checkQueue(): void {
    if (this.#bytes <= this.#context.storeQueueBytesMax * 4) return;
    throw new LocalUsageError('ERR_STORE_AWAY', `${this.#bytes} bytes that were published wait to be stored`);
  }

  #add(step: Step): StepItem {
    const item: StepItem = { id: ++this.#stepCount, step, position: undefined };
    this.#steps.push(item);
    this.#items.push(item);
    this.#schedule();
    return item;
  }

  #schedule(): void {
    if (this.#isScheduled || this.#isStoring) return;
    this.#isScheduled = true;
    this.#context.soon(() => {
      this.#isScheduled = false;
      this.#commit();
    });
  }

  #commit(): void {
    if (this.#isStoring || !this.#context.patience.isBegun) return;
    if (this.#items.length === 0 && this.#touched.size === 0 && this.#asked.size === 0) {
      if (this.#releasing.length === 0) this.end();
      return;
    }
    const batch = this.#batch();
    this.#isStoring = true;
    this.#storing = batch.steps;
    const stored = this.#commits.store(batch);
    if (!(stored instanceof Promise)) this.#isStored(batch, stored);
    else {
      stored.then(
        (result) => this.#isStored(batch, result),
        (error) => {
          // Nobody hears of what is not stored.
          if (!(error instanceof Impatience)) throw error;
          this.end();
        },
      );
    }
  }

  #batch(): Batch {
    const records = this.#parting;
    this.#parting = new Map();
    const touched = this.#touched;
    this.#touched = new Map();
    for (const [session, changed] of touched) this.#record(records, session, changed);
    const batch = { steps: this.#steps, records, items: this.#items, asked: this.#asked };
    this.#asked = new Set();
    this.#steps = [];
    this.#items = [];
    return batch;
  }

  #record(records: Map<Recorded, Recording>, session: Recorded, changed: ReadonlySet<string>): void {
    try {
      const recording = session.write(changed, this.#written.get(session));
      this.#written.set(session, recording.written);
      records.set(session, recording);
    } catch (error) {
      session.failed(error);
    }
  }

  #isStored({ steps, records, items }: Batch, { positions, repeated, fenced, missing, mailed }: CommitResult): void {
    this.#storing = [];
    const placed = new PlacedLists((at) => positions[at] as Position);
    for (const i of repeated) (steps[i] as StepItem).isRepeated = true;
    for (const [i, item] of steps.entries()) {
      item.position = positions[i];
      // At once: what is released behind it waits for it.
      if (item.starts !== undefined) this.#feeds.start(item.starts, item.position);
      const position = item.position as Position;
      if ('to' in item.step) {
        if (position[1] === 0) this.#strays.add(item.step);
        continue;
      }
      if ('topOf' in item.step) {
        this.#feeds.known(item.step.topOf, position, undefined);
        continue;
      }
      this.#feeds.known(item.step.log, position, item.isRepeated ? undefined : item.step.stamp);
      item.step = { ...item.step, places: placed.of(item.step.places, item.step.earlier) };
    }
    for (const run of this.#whenAnswered.splice(0)) run();
    const generations = new Map(fenced);
    const missed = new Set(missing);
    const hasMail = new Set(mailed);
    // Not who was let go meanwhile.
    let isRewriting = false;
    for (const [session, { snapshot }] of records) {
      const generation = generations.get(session.id);
      if (generation !== undefined) {
        this.forget(session);
        // Before anything else: what it has here may be another's by then.
        session.fenced(generation, this.#snapshots.get(session));
      } else if (missed.has(session.id)) {
        this.rewrite(session);
        isRewriting ||= this.#touched.has(session);
      } else this.#snapshots.set(session, snapshot);
    }
    const isOurs = (item: Item): boolean => !generations.has((item as Partial<Recorded>).id as string);
    const stored = (): void => {
      for (const [session, { snapshot }] of records) {
        if (generations.has(session.id) || missed.has(session.id)) continue;
        session.stored(snapshot);
        if (hasMail.has(session.id)) session.mailed();
      }
    };
    // Nothing overtakes what a session is to be sent that is written again.
    this.#kept = [...this.#kept, ...items].filter(isOurs);
    this.#kept.push(stored);
    if (!isRewriting) {
      for (const item of this.#kept) this.#releasing.push(item);
      this.#kept = [];
    }
    this.#isStoring = false;
    this.#releaseAll();
    this.#schedule();
  }

  /** In the order in which it was emitted. Where entries of other nodes come first in the logs of its rooms, they are waited for. */
  #releaseAll(): void {
    if (this.#isReleasing) return;
    this.#isReleasing = true;
    let awaited = none;
    let at = 0;
    while (at < this.#releasing.length) {
      const item = this.#releasing[at] as Item;
      awaited = this.#precede(at, item);
      if (awaited.length > 0) break;
      at++;
      try {
        if (typeof item === 'function') item();
        else if ('release' in item) item.release();
        else if ('log' in item.step) awaited = this.#deliver(item, item.step);
        else if ('to' in item.step) this.#bytes -= item.step.body.length;
      } catch (error) {
        this.#context.report(error, 'releasing what is stored');
      }
      if (awaited.length > 0) break;
    }
    this.#releasing.splice(0, at);
    this.#context.released();
    if (!this.isHigh) for (const run of this.#whenLow.splice(0)) run();
    let waits = Math.max(1, awaited.length);
    const goOn = (): void => {
      waits--;
      if (waits > 0) return;
      this.#isReleasing = false;
      if (this.#releasing.length > 0) this.#releaseAll();
      else this.#schedule();
    };
    if (awaited.length === 0) goOn();
    for (const { feed, epoch, offset } of awaited) feed.whenAt(offset, goOn, epoch);
  }

  /**
   * Who is in several rooms of a message gets it by the first of them, and not before what precedes it in any.
   * @returns where their logs have to come first
   */
  #precede(at: number, item: Item): readonly Awaited[] {
    if (!('step' in item) || !('log' in item.step)) return none;
    const { earlier, places } = item.step;
    if (earlier > 0 || places.length === 0) return none;
    const isDone = item === this.#preceded;
    this.#preceded = undefined;
    if (isDone) return none;
    const awaited: Awaited[] = [];
    for (const entry of this.#releasing.slice(at, at + 1 + places.length) as StepItem[]) {
      if (entry.isRepeated) continue;
      const [epoch, offset] = entry.position as Position;
      const feed = this.#feeds.notAt((entry.step as NewEntry).log, [epoch, offset - 1]);
      if (feed !== undefined) awaited.push({ feed, epoch, offset: offset - 1 });
    }
    if (awaited.length > 0) {
      this.#preceded = item;
      this.#feeds.waitFor(awaited);
    }
    return awaited;
  }

  /** @returns where a log has to come before the rest */
  #deliver({ position, unpin, isRepeated }: StepItem, entry: NewEntry): readonly Awaited[] {
    const { log, stamp, except, bodies, earlier, latest } = entry;
    const [epoch, offset] = position as Position;
    this.releasedStamp = stamp;
    unpin?.();
    for (const body of bodies) this.#bytes -= body?.length ?? 0;
    const places = entry.places as readonly Position[];
    const its = { offset, node: '', stamp, after: unsaid, except, places, earlier, bodies, latest };
    const feed = this.#feeds.released(log, epoch, isRepeated ? undefined : its);
    return feed === undefined ? none : [{ feed, epoch, offset }];
  }
}
