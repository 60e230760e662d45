// The log of one room as this node has it: what is stored arrives in any order, with gaps or twice, and is delivered in the log's
// order, each entry once. A gap is read from the store and never guessed over; if the store cannot fill it, that is told.
// Longer than other files: every way in which an entry comes ends in the same few lines.
import type { Codec } from '@halyard/codec';
import { type Frame, PacketType, type Position } from '@halyard/protocol';
import { compactOf } from '../base/compact-list';
import { Earlier, type Except, Places } from '../log/except';
import { type Follower, type Frames, Log, type OlderEntry } from '../log/log';
import type { Retention } from '../log/retention';
import type { Stamps } from '../log/stamp';
import { Impatience, type Patience } from './patience';
import type { LogPage, Store, StoredEntry } from './store';

/** What feeds need of the server. */
export interface FeedContext {
  readonly store: Store;
  readonly patience: Patience;
  readonly retention: Retention;
  readonly stamps: Stamps;
  readonly codecs: readonly Codec[];
  /** Id of this node. */
  readonly node: string;
  /** Whether what this node has emitted at a stamp may be delivered: it goes out in the order in which it was emitted. */
  isReleased(stamp: number): boolean;
  /** Something else than was expected has come from the store. */
  report(error: unknown, where: string): void;
}

/** As long as an entry may take by another way, in milliseconds: then it is read. */
const gapMs = 20;
const pageEntriesMax = 512;
/** Entries that wait for one before them; what comes then is read again later. */
const waitingEntriesMax = 4_096;

export class Feed {
  readonly log: Log;
  readonly #context: FeedContext;
  #follower: Follower | undefined;
  #state: 'idle' | 'starting' | 'ready' | 'stopped' = 'idle';
  /** Stored entries that wait for those before them, by offset. */
  readonly #waiting = new Map<number, StoredEntry>();
  /** Offset of the newest entry that there is known to be. */
  #top = 0;
  #waiters: { readonly offset: number; readonly run: () => void }[] = [];
  /** From where its entries are wanted, as long as it starts. */
  readonly #wanted: Position[] = [];
  #isReading = false;
  /** Whether something may have been missed since the read that is under way has begun. */
  #isInDoubt = false;
  /** How many there are who will need it: entries and places of this node that are not stored yet, reads. */
  pins = 0;
  #cancelGap: (() => void) | undefined;

  constructor(name: string, context: FeedContext) {
    this.#context = context;
    this.log = new Log(name, '', context.retention.limits, true);
  }

  get isReady(): boolean {
    return this.#state === 'ready';
  }

  /** Whether it is asked for where it is. */
  get isStarting(): boolean {
    return this.#state === 'starting';
  }

  get follower(): Follower | undefined {
    return this.#follower;
  }

  set follower(follower: Follower | undefined) {
    this.#follower = follower;
  }

  /** Whether anybody waits for entries. */
  get isAwaited(): boolean {
    return this.#waiters.length > 0 || this.pins > 0;
  }

  /** Follows the log. @param from where its entries begin that are wanted; undefined: with the next one */
  async start(from: Position | undefined): Promise<void> {
    if (from !== undefined && !this.isReady) this.#wanted.push(from);
    if (this.#state !== 'idle') return;
    this.#state = 'starting';
    const { store, patience, retention } = this.#context;
    const [epoch, top] = await patience.until(() => store.follow(this.log.name), isPosition);
    let base = top;
    for (const [its, offset] of this.#wanted.splice(0)) if (its === epoch) base = Math.min(base, offset);
    if (base < top) {
      const page = await this.#page(base, 1);
      // What is gone was for who was here before: that is seen where it is missing.
      if (page.epoch === epoch) base = Math.max(base, page.first - 1);
    }
    if (this.#state !== 'starting') return;
    retention.restart(this.log, epoch, base);
    this.#state = 'ready';
    this.#top = Math.max(this.#top, top);
    for (const offset of [...this.#waiting.keys()]) if (offset <= base) this.#waiting.delete(offset);
    this.#advance();
    if (this.#top > this.log.lastOffset || this.#isInDoubt) this.#readOn();
  }

  stop(): void {
    this.#state = 'stopped';
    this.#cancelGap?.();
    this.#context.store.unfollow(this.log.name);
    this.#wake();
  }

  /** Calls `run` once the log has come so far, or is another one. */
  whenAt(offset: number, run: () => void): void {
    if (this.#state === 'stopped' || (this.isReady && this.log.lastOffset >= offset)) run();
    else this.#waiters.push({ offset, run });
  }

  /** An entry is stored. It may come twice, and before others. */
  arrived(epoch: string, entry: StoredEntry): void {
    const { log } = this;
    if (this.#state === 'idle' || this.#state === 'stopped') return;
    if (!isEntry(entry)) {
      this.#context.report(new Error(`Not an entry of ${this.log.name}.`), 'the store');
      return;
    }
    this.#top = Math.max(this.#top, entry.offset);
    if (this.isReady && epoch !== log.id) {
      // Of another log: the store says which one it is.
      this.#readOn();
      return;
    }
    if (this.isReady && entry.offset <= log.lastOffset) {
      const emitted = log.emittedAt(entry.offset);
      if (emitted !== undefined && emitted !== entry.stamp)
        this.#lose(epoch, entry.offset, 'an offset was given twice');
      return;
    }
    const before = this.#waiting.get(entry.offset);
    if (before !== undefined && before.stamp !== entry.stamp) {
      this.#lose(epoch, entry.offset, 'an offset was given twice');
      return;
    }
    if (this.#waiting.size < waitingEntriesMax) this.#waiting.set(entry.offset, entry);
    this.#advance();
    this.#watchGap();
  }

  /** Entries may have been missed. */
  check(): void {
    // What is being read may have been asked for before.
    this.#isInDoubt = this.#isReading || this.#state === 'starting';
    if (this.isReady) this.#readOn();
  }

  /** What this node has emitted may be delivered now. */
  released(): void {
    this.#advance();
  }

  /** @returns whether all entries after an offset are here that are known of, read from the store if they were not */
  async load(after: number): Promise<boolean> {
    this.pins++;
    try {
      return await this.#load(after);
    } finally {
      this.pins--;
    }
  }

  async #load(after: number): Promise<boolean> {
    const { log } = this;
    await new Promise<void>((resolve) => this.whenAt(0, resolve));
    // Else what was emitted later, in another log, would be read before.
    await new Promise<void>((resolve) => this.whenAt(this.#top, resolve));
    const epoch = log.id;
    while (after < log.base) {
      const wanted = log.base - after;
      // Between what is gone and what is here nothing can be put.
      if (log.trimmed.hasAny) return false;
      const older: OlderEntry[] = [];
      for (let at = after; older.length < wanted; ) {
        const page = await this.#page(at, Math.min(wanted - older.length, pageEntriesMax));
        if (!this.isReady || page.epoch !== epoch || log.id !== epoch || page.first > at + 1) return false;
        if (page.entries.length === 0) return false;
        for (const entry of page.entries.slice(0, wanted - older.length)) older.push(this.#made(epoch, entry));
        at = after + older.length;
      }
      // Others may have read some of it meanwhile.
      if (after >= log.base) break;
      // Their places are not behind what is to come.
      for (const { emitted } of older) this.#context.stamps.observe(emitted + 1);
      if (!this.#context.retention.prepend(log, older.slice(0, log.base - after))) return false;
    }
    return log.id === epoch;
  }

  #advance(): void {
    const { log } = this;
    const { node, isReleased } = this.#context;
    while (this.isReady) {
      const entry = this.#waiting.get(log.nextOffset);
      if (entry === undefined || (entry.node === node && !isReleased(entry.stamp))) break;
      this.#waiting.delete(entry.offset);
      this.#deliver(entry);
    }
    this.#wake();
  }

  #deliver(entry: StoredEntry): void {
    const { stamps, retention, report } = this.#context;
    let made: OlderEntry;
    try {
      made = this.#made(this.log.id, entry);
    } catch (error) {
      report(error, 'an entry of another server');
      this.#lose(this.log.id, entry.offset, 'an entry is not what a server writes');
      return;
    }
    const { emitted, except, frames } = made;
    stamps.observe(emitted);
    retention.append(this.log, stamps.next(), except, frames, emitted);
    this.#follower?.onEntry(emitted, except, frames);
  }

  #made(epoch: string, { offset, stamp, except, earlier, bodies }: StoredEntry): OlderEntry {
    const { codecs } = this.#context;
    const positions: Position[] = [[epoch, offset]];
    // Servers may have different codecs while they are replaced one by one.
    const frames: Frames = codecs.map((codec, i) => {
      const body = bodies[i];
      return body === undefined ? undefined : placed(codec, body, positions);
    });
    return { emitted: stamp, except: exceptOf(except, earlier), frames };
  }

  #wake(): void {
    if (this.#waiters.length === 0) return;
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const { offset, run } of waiters) this.whenAt(offset, run);
  }

  /** Whether entries are missing that there are. */
  get #hasGap(): boolean {
    return this.isReady && this.#top > this.log.lastOffset && !this.#waiting.has(this.log.nextOffset);
  }

  #watchGap(): void {
    if (!this.#hasGap || this.#isReading || this.#cancelGap !== undefined) return;
    this.#cancelGap = this.#context.patience.after(gapMs, () => {
      this.#cancelGap = undefined;
      if (this.#hasGap) this.#readOn();
    });
  }

  #readOn(): void {
    this.#read().catch((error: unknown) => {
      if (!(error instanceof Impatience)) this.#context.report(error, 'reading a log');
    });
  }

  /** Reads on from the store, until nothing is missing. */
  async #read(): Promise<void> {
    if (this.#isReading) return;
    this.#isReading = true;
    try {
      while (this.isReady) {
        const { lastOffset } = this.log;
        const { epoch, first, top, entries } = await this.#page(lastOffset, pageEntriesMax);
        if (!this.isReady) return;
        if (epoch !== this.log.id) this.#lose(epoch, top, 'the log is another one');
        else if (first > this.log.nextOffset) this.#lose(epoch, first - 1, 'entries are gone that were not read');
        this.#top = Math.max(top, this.#top);
        for (const entry of entries) {
          if (entry.offset > this.log.lastOffset) this.#waiting.set(entry.offset, entry);
        }
        this.#advance();
        if (this.#isInDoubt) this.#isInDoubt = false;
        else if (!this.#hasGap || this.log.lastOffset === lastOffset) break;
      }
    } finally {
      this.#isReading = false;
    }
    this.#watchGap();
  }

  async #page(after: number, count: number): Promise<LogPage> {
    const { store, patience } = this.#context;
    return patience.until(
      () => store.read(this.log.name, after, count),
      (page) => isPage(page, after),
    );
  }

  /** Members cannot know what they have missed: that is told. */
  #lose(epoch: string, top: number, why: string): void {
    const { retention, report } = this.#context;
    report(new Error(`The log of ${this.log.name} goes on from another place: ${why}.`), 'a log');
    this.#waiting.clear();
    this.#top = top;
    retention.restart(this.log, epoch, top);
    this.#follower?.onLost?.();
    // What they wait for comes no more.
    for (const { run } of this.#waiters.splice(0)) run();
  }
}

function placed(codec: Codec, body: Frame, positions: readonly Position[]): Uint8Array {
  let frame = codec.withPositions?.(body, positions);
  if (frame === undefined) {
    const packet = codec.decode(body);
    frame = packet.type === PacketType.Publish ? codec.encode({ ...packet, positions }) : body;
  }
  return typeof frame === 'string' ? Buffer.from(frame) : frame;
}

function exceptOf(names: readonly string[], earlier: readonly Position[]): Except {
  const except = compactOf(names);
  return earlier.length === 0 ? except : new Earlier(except, new Places(earlier), earlier.length);
}

function isEntry(entry: StoredEntry | undefined | null): boolean {
  if (typeof entry !== 'object' || entry === null) return false;
  const { offset, stamp, except, earlier, bodies } = entry;
  return isCount(offset) && Number.isSafeInteger(stamp) && [except, earlier, bodies].every(Array.isArray);
}

function isPosition(position: Position): boolean {
  return Array.isArray(position) && typeof position[0] === 'string' && isCount(position[1]);
}

function isPage({ epoch, first, top, entries }: LogPage, after: number): boolean {
  if (typeof epoch !== 'string' || !isCount(first) || !isCount(top) || first > top + 1) return false;
  return entries.every((entry, i) => isEntry(entry) && entry.offset === after + 1 + i && entry.offset <= top);
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
