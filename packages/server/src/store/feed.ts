// The log of one room as this node has it: what is stored arrives in any order, with gaps or twice, and is delivered in the log's
// order, each entry once. A gap is read from the store and never guessed over; if the store cannot fill it, that is told.
// Longer than other files: every way in which an entry comes ends in the same few lines.
import type { Codec } from '@halyard/codec';
import { HalyardError, type Position } from '@halyard/protocol';
import { Latest } from '../log/except';
import type { Follower } from '../log/follower';
import { Log, type OlderEntry } from '../log/log';
import type { Retention } from '../log/retention';
import type { Stamps } from '../log/stamp';
import { isEntry, isPage, isPosition } from './answers';
import type { Detours } from './detours';
import { Before, differ, type Known, nameOf, unknown } from './known';
import { Names } from './names';
import { Impatience } from './patience';
import { placed } from './placed';
import { Renewal, type RenewalContext } from './renewal';
import type { LogPage, LogState, StoredEntry } from './store';
import { WaitingEntries } from './waiting-entries';

/** What feeds need of the server. */
export interface FeedContext extends RenewalContext {
  readonly retention: Retention;
  readonly stamps: Stamps;
  readonly codecs: readonly Codec[];
  readonly detours: Detours;
  /** All feeds that are ready, by the epochs of their logs. */
  readonly byEpoch: Map<string, Feed>;
  /** Id of this node. */
  readonly node: string;
  /** Whether what this node has emitted at a stamp may be delivered: it goes out in the order in which it was emitted. */
  isReleased(stamp: number): boolean;
  /** @returns once the store has answered what is on its way there now */
  answered(): Promise<void>;
}

/** As long as an entry may take by another way, in milliseconds: then it is read. */
const gapMs = 20;
const pageEntriesMax = 512;
/** Entries that wait for one before them; what comes then is read again later. */
const waitingEntriesMax = 4_096;

/** Of a message to more rooms than that what is behind it in one does not wait for it in those before. */
const earlierMax = 16;
/** It waits for no longer than that, in milliseconds. */
const aheadMs = 1_000;

/** How a log is here: up to which offset it is known to go, and up to which it was delivered. */
export interface FeedState {
  readonly epoch: string;
  readonly top: number;
  readonly last: number;
}

/** Who waits until the log has come so far. */
interface Waiter {
  readonly offset: number;
  /** Of which epoch; undefined: of that which it has. */
  readonly epoch: string | undefined;
  readonly run: () => void;
}

export class Feed {
  readonly log: Log;
  /** Who is told of entries. */
  follower: Follower | undefined;
  readonly #context: FeedContext;
  #state: 'idle' | 'starting' | 'ready' | 'renewing' | 'stopped' = 'idle';
  readonly #waiting = new WaitingEntries();
  /** Those that came before it was known which epoch the log has. */
  readonly #early: (readonly [epoch: string, entry: StoredEntry])[] = [];
  /** Offset of the newest entry that there is known to be. */
  #top = 0;
  #waiters: Waiter[] = [];
  /** From where its entries are wanted, as long as it is not ready. */
  readonly #wanted: Position[] = [];
  #isReading = false;
  /** Offset of the newest entry that there was as it was started, … */
  #topAtStart = 0;
  /** … and behind which it has begun. */
  #begunAt = 0;
  /** Whether the store had an entry in the place of another one that was delivered here: it was not. */
  #isLacking = false;
  /** Up to here somebody who is here has read it at other nodes. */
  #readElsewhere = 0;
  /** Whether something may have been missed since the read that is under way has begun. */
  #isInDoubt = false;
  readonly #names: Names;
  readonly #renewal: Renewal;
  /** How many there are who will need it: entries and places of this node that are not stored yet, reads. */
  pins = 0;
  #cancelGap: (() => void) | undefined;
  /** The entry that waits for another log; 0 if none does. */
  #waitsAt = 0;
  /** Entries up to this one wait for no other log. */
  #hurriedTo = 0;

  constructor(name: string, context: FeedContext) {
    this.#context = context;
    this.log = new Log(name, '', context.retention.limits, true);
    this.#names = new Names(this.log, context.node);
    this.#renewal = new Renewal(name, context);
  }

  get isReady(): boolean {
    return this.#state === 'ready';
  }

  /** Whether it is asked for where it is. */
  get isStarting(): boolean {
    return this.#state === 'starting';
  }

  /** Whether anybody waits for entries, or, while it is renewed, for what becomes of it: who has left may have to be told. */
  get isAwaited(): boolean {
    return this.#waiters.length > 0 || this.pins > 0 || this.#state === 'renewing';
  }

  /** Follows the log. @param from where its entries begin that are wanted; undefined: with the next one */
  async start(from: Position | undefined): Promise<void> {
    if (from !== undefined) {
      // A record may know more of it than the store does, if that has lost something.
      if (this.isReady || this.#state === 'renewing') this.announced(from[0], [from[1], 0, '', false]);
      if (!this.isReady) this.#wanted.push(from);
      else if (from[0] === this.log.id) this.#readElsewhere = Math.max(this.#readElsewhere, from[1]);
    }
    if (this.#state !== 'idle') return;
    this.#state = 'starting';
    const { store, patience } = this.#context;
    const [epoch, top] = await patience.until(() => store.follow(this.log.name), isPosition);
    // What was stored before, and not answered, may have its place before that.
    await this.#context.answered();
    let page: LogPage | undefined;
    if (this.#wantedFrom(epoch, top) < top) page = await this.#page(this.#wantedFrom(epoch, top), 1);
    if (this.#state !== 'starting') return;
    const wanted = this.#wantedFrom(epoch, top);
    if (page?.epoch !== epoch) this.#restart(epoch, wanted);
    else {
      // What is missed was for who was here before: that is seen where it is missing.
      this.#restart(epoch, Math.max(wanted, page.missed));
      if (page.first > this.log.nextOffset) this.#skip(page);
      this.#begunAt = this.log.lastOffset;
    }
    this.#state = 'ready';
    this.#topAtStart = top;
    this.#top = Math.max(this.#top, top);
    this.#takeWanted();
    this.#takeEarly();
    this.#advance();
    if (this.#top > this.log.lastOffset || this.#isInDoubt) this.#readOn();
  }

  #restart(epoch: string, base: number): void {
    const { retention, byEpoch } = this.#context;
    byEpoch.delete(this.log.id);
    retention.restart(this.log, epoch, base);
    byEpoch.set(epoch, this);
    this.#begunAt = base;
    this.#waitsAt = this.#hurriedTo = 0;
  }

  #wantedFrom(epoch: string, top: number): number {
    let from = top;
    for (const [its, offset] of this.#wanted) if (its === epoch) from = Math.min(from, offset);
    return from;
  }

  /** There are entries as far as they are wanted, or have been. */
  #takeWanted(): void {
    const { id } = this.log;
    for (const [epoch, offset] of this.#wanted.splice(0)) {
      if (epoch !== id) continue;
      this.#top = Math.max(this.#top, offset);
      this.#readElsewhere = Math.max(this.#readElsewhere, offset);
    }
  }

  /** Entries that came before it was known which epoch the log has. */
  #takeEarly(): void {
    const { id, base } = this.log;
    for (const [epoch, entry] of this.#early.splice(0)) {
      if (epoch !== id || entry.offset <= base) continue;
      this.#waiting.set(entry);
      this.#top = Math.max(this.#top, entry.offset);
    }
  }

  stop(): void {
    this.#state = 'stopped';
    this.#cancelGap?.();
    this.#context.store.unfollow(this.log.name);
    this.#context.byEpoch.delete(this.log.id);
    this.#wake();
  }

  /** Calls `run` once the log has come so far, or is another one. @param epoch the one that it has, or is going to have */
  whenAt(offset: number, run: () => void, epoch?: string): void {
    const isIts = epoch === undefined || epoch === this.log.id;
    if (this.#state === 'stopped' || (this.isReady && isIts && this.log.lastOffset >= offset)) {
      run();
      return;
    }
    this.#waiters.push({ offset, run, epoch });
    if (isIts) this.#watchGap();
    if (!this.isReady || isIts) return;
    // It waits for what is gone, or for an epoch that has come since: the store says which.
    this.#isInDoubt = this.#isReading;
    this.#readOn();
  }

  /** Whether the log has an epoch, or had it while it was followed here. */
  hasKnown(epoch: string): boolean {
    return epoch === this.log.id || this.#renewal.hasHad(epoch);
  }

  /** Whether an entry that is stored in this epoch will come here. */
  expects(epoch: string): boolean {
    return this.#state !== 'idle' && this.#state !== 'stopped' && epoch !== this.#renewal.before?.epoch;
  }

  /** What this node has emitted is stored. */
  stored([epoch, offset]: Position): void {
    // It is delivered in the order in which it was emitted: not as if it had been there before.
    if (this.isStarting) this.#wanted.push([epoch, offset - 1]);
    // There was another one when the log was followed, and that was before this one was on its way.
    else if (this.isReady && epoch === this.log.id && offset <= this.log.base) this.#askForRenewal();
  }

  /** An entry is stored. It may come twice, and before others. */
  arrived(epoch: string, entry: StoredEntry): void {
    const { log } = this;
    if (this.#state === 'idle' || this.#state === 'stopped') return;
    if (!isEntry(entry)) {
      this.#context.report(new Error(`Not an entry of ${this.log.name}.`), 'the store');
      return;
    }
    if (!this.isReady) {
      if (this.#early.length < waitingEntriesMax) this.#early.push([epoch, entry]);
      return;
    }
    if (epoch !== log.id) {
      // Of another log: the store says which one it is.
      this.#readOn();
      return;
    }
    this.#top = Math.max(this.#top, entry.offset);
    if (entry.offset <= log.lastOffset) {
      const names = this.#names;
      if (differ(names.at(entry.offset), names.of(entry))) this.#hasOther(names.of(entry));
      // What comes from here is delivered before the store has told what it is behind.
      else if (!names.isBehind(entry)) this.#hasOther(nameOf(entry.after[1], entry.after[0]));
      return;
    }
    const before = this.#waiting.at(entry.offset);
    if (before !== undefined && before.stamp !== entry.stamp) {
      this.#askForRenewal();
      return;
    }
    if (this.#waiting.count < waitingEntriesMax) this.#waiting.set(entry);
    this.#advance();
    this.#watchGap();
  }

  /** Entries may have been missed. */
  doubt(): void {
    // What is being read may have been asked for before.
    this.#isInDoubt = this.#isReading || this.#state === 'starting';
  }

  /** Compares how the store has the log with how it was here. @param then what `state` was before the store was asked */
  compare({ epoch, top, newest: [stamp, node] }: LogState, then: FeedState): void {
    const { log } = this;
    if (!this.isReady || log.id !== then.epoch) return;
    const isOther = top === then.last && differ(this.#names.at(top), nameOf(node, stamp));
    if (epoch !== log.id) this.renewed(epoch);
    else if (isOther) this.#hasOther(nameOf(node, stamp));
    else if (top < then.top) this.#askForRenewal();
    // What came behind says what it is behind.
    else if (top > then.last) this.#readOn();
  }

  /** How the log is here. */
  get state(): FeedState {
    return { epoch: this.log.id, top: Math.max(this.#top, this.log.lastOffset), last: this.log.lastOffset };
  }

  /** How another node has known a log. @returns as `known` */
  announced(epoch: string, its: Known): Known {
    const mine = this.known(epoch, its);
    this.#watchGap();
    return mine;
  }

  /** How somebody has known the log. @returns how it was known here */
  known(epoch: string, its: Known): Known {
    const { before } = this.#renewal;
    if (before?.epoch === epoch) {
      // Others have gone on as well, and did not know of it.
      if (before.add(its) && this.isReady) {
        this.#lose(this.log.id, this.log.lastOffset, 'what was stored is lost');
        this.#renewal.tell();
      }
      return before.known;
    }
    const { id, lastOffset } = this.log;
    if (epoch !== id || !this.isReady) return unknown;
    this.#top = Math.max(this.#top, its[0]);
    return [this.#top, lastOffset, this.#names.at(lastOffset) ?? '', false];
  }

  /** The log has another epoch, because the store has lost some of it. Who had all of it goes on. */
  renewed(epoch: string): void {
    if (this.#state === 'renewing') this.#renewal.again(epoch);
    if (this.#state === 'starting') this.#isInDoubt = true;
    if (!this.isReady || epoch === this.log.id) return;
    if (this.#renewal.hasHad(epoch)) {
      // Its renewal is lost too. Positions of that epoch mean something else by now.
      this.#askForRenewal(epoch);
      return;
    }
    const before = new Before(this.log.id, this.#top, this.log.lastOffset, this.#names.all(), this.#readElsewhere);
    if (this.#isLacking) before.isWhole = false;
    this.#state = 'renewing';
    this.follower?.onDoubt?.();
    this.log.next = epoch;
    this.#waiting.clear();
    // What comes from here on is known to come by this log.
    const detours = this.#context.detours.around(epoch);
    this.#renewal.begin(epoch, before, (...how) => this.#settled(...how, detours));
  }

  /** All nodes have told each other how they knew the log. */
  #settled(epoch: string, isWhole: boolean, detours: ReadonlySet<string>): void {
    if (this.#state !== 'renewing') return;
    if (isWhole) this.follower?.onRenewed?.(epoch, detours);
    this.#top = this.#topAtStart = this.#readElsewhere = 0;
    this.#isLacking = false;
    this.#restart(epoch, 0);
    this.#state = 'ready';
    this.#takeWanted();
    this.#takeEarly();
    if (isWhole) this.#stopWaiting();
    else this.#tellLost('what was stored is lost');
    this.#advance();
    this.#readOn();
  }

  /** The store has something else in the place of what was delivered here. */
  #hasOther(name: string): void {
    // What it has lost may have been said again, and have another place there.
    if (![...this.#names.all().values()].includes(name)) this.#isLacking = true;
    this.#askForRenewal();
  }

  /** The store has lost something of it, and nobody has said so. */
  #askForRenewal(epoch = this.log.id): void {
    this.#renewal.ask(epoch, (epoch) => this.renewed(epoch));
  }

  /** What this node has emitted may be delivered now. */
  released(epoch: string, entry: StoredEntry): void {
    this.#waiting.moved(this.#context.node, entry);
    this.arrived(epoch, entry);
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
    const { retention, stamps } = this.#context;
    await new Promise<void>((resolve) => this.whenAt(0, resolve));
    // Else what was emitted later, in another log, would be read before.
    await new Promise<void>((resolve) => this.whenAt(this.#top, resolve));
    const epoch = log.id;
    while (after < log.base) {
      if (log.trimmed.hasAny) return false;
      const last = log.base;
      const before = await this.#readBefore(after, last, epoch);
      if (before === undefined || !this.isReady || log.id !== epoch) return false;
      // Others may have read some of it meanwhile.
      if (after >= log.base) break;
      const { entries, top } = before;
      const older = entries.slice(0, Math.max(0, entries.length - (last - log.base)));
      // Between what is gone and what is here nothing can be put.
      if (log.isWhole) {
        // Their places are not behind what is to come.
        for (const { emitted } of older) stamps.observe(emitted + 1);
        retention.prepend(log, older);
        if (log.trimmed.hasAny) return false;
      } else if (!older.every(({ except }) => except instanceof Latest && log.has(except.key))) return false;
      log.extendTo(after, top);
    }
    return log.id === epoch;
  }

  /**
   * @returns entries from behind one offset to another, but for the first ones if newer ones up to `top` have taken their places; undefined
   *   if any is missed
   */
  async #readBefore(
    after: number,
    last: number,
    epoch: string,
  ): Promise<{ entries: OlderEntry[]; top: number } | undefined> {
    const older: OlderEntry[] = [];
    let top = 0;
    for (let at = after; at < last; ) {
      const { first, missed, entries, ...page } = await this.#page(at, Math.min(last - at, pageEntriesMax));
      if (!this.isReady || page.epoch !== epoch) return undefined;
      if (first > at + 1) {
        if (missed > after) return undefined;
        older.length = 0;
        at = first - 1;
        top = page.top;
        continue;
      }
      if (entries.length === 0) return undefined;
      for (const entry of entries.slice(0, last - at)) older.push(this.#placed(entry));
      at += Math.min(entries.length, last - at);
    }
    return { entries: older, top };
  }

  #advance(): void {
    const { log } = this;
    const { node, isReleased } = this.#context;
    while (this.isReady) {
      const entry = this.#waiting.first(log.nextOffset);
      if (entry === undefined || (entry.node === node && !isReleased(entry.stamp))) break;
      if (!this.#names.isBehind(entry)) {
        this.#askForRenewal();
        break;
      }
      if (entry.earlier > 0 && this.#isAhead(entry)) break;
      this.#waiting.shift();
      this.#deliver(entry);
      // Who waits for this one comes before the next: a message to several rooms, by the log of another one.
      if (this.#waiters.length > 0) this.#wake();
    }
    this.#wake();
  }

  /**
   * Whether a message to several rooms is still to come by one of those before this, for whom it is in both: what is behind it here is
   * behind it for them. Where one master has both logs, what is waited for was stored before.
   */
  #isAhead({ places, earlier, offset }: StoredEntry): boolean {
    if (earlier > earlierMax || offset <= this.#hurriedTo) return false;
    const { byEpoch, store, patience } = this.#context;
    const partition = store.partitionOf(this.log.name);
    for (const [epoch, at] of places.slice(0, earlier)) {
      const feed = byEpoch.get(epoch);
      if (feed === undefined || !feed.isReady || feed.log.lastOffset >= at) continue;
      if (store.partitionOf(feed.log.name) !== partition) continue;
      if (this.#waitsAt !== offset) {
        this.#waitsAt = offset;
        const goOn = (): void => {
          cancel();
          if (this.#waitsAt === offset) this.#waitsAt = 0;
          this.#advance();
        };
        const cancel = patience.after(aheadMs, () => this.hurry(offset));
        // So far it goes: if that does not come it is read.
        feed.#top = Math.max(feed.#top, at);
        feed.whenAt(at, goOn, epoch);
      }
      return true;
    }
    return false;
  }

  /**
   * What this node has emitted waits until the log has come so far: nothing up to there waits for another log in turn. A message of its own that goes to
   * the store in several calls may have its place in one log before that, and in the other behind.
   */
  hurry(offset: number): void {
    if (offset <= this.#hurriedTo) return;
    this.#hurriedTo = offset;
    this.#advance();
  }

  #deliver(entry: StoredEntry): void {
    const { stamps, retention, report } = this.#context;
    let made: OlderEntry;
    try {
      made = this.#placed(entry);
    } catch (error) {
      report(error, 'an entry of another server');
      this.#lose(this.log.id, entry.offset, 'an entry is not what a server writes');
      return;
    }
    const { emitted, except, frames } = made;
    stamps.observe(emitted);
    this.#names.add(entry);
    const place = stamps.next();
    retention.append(this.log, place, except, frames, emitted);
    // It was stored before, and lost, perhaps with the answer that said so: some have had it.
    const isKnown = this.#renewal.before?.has(this.#names.of(entry));
    if (isKnown) this.follower?.onRepeated?.(emitted, except, frames, place);
    else this.follower?.onEntry(emitted, except, frames);
  }

  #placed(entry: StoredEntry): OlderEntry {
    const { codecs, detours } = this.#context;
    detours.add(this.log.name, entry);
    return placed(entry, this.log.id, codecs);
  }

  #wake(): void {
    if (this.#waiters.length === 0) return;
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const { offset, run, epoch } of waiters) this.whenAt(offset, run, epoch);
  }

  /** Whether entries are missing that there are. */
  get #hasGap(): boolean {
    return this.isReady && this.#top > this.log.lastOffset && this.#waiting.first(this.log.nextOffset) === undefined;
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
        const known = this.#top;
        const page = await this.#page(lastOffset, pageEntriesMax);
        const { epoch, first, top, entries } = page;
        if (!this.isReady) return;
        if (epoch !== this.log.id) {
          this.renewed(epoch);
          return;
        }
        if (top < known) {
          this.#askForRenewal();
          return;
        }
        this.#stopWaiting((waiter) => waiter.epoch !== undefined && waiter.epoch !== epoch);
        if (first > this.log.nextOffset) this.#goOnBehind(page);
        this.#top = Math.max(top, this.#top);
        for (const entry of entries) {
          if (entry.offset > this.log.lastOffset) this.#waiting.set(entry);
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

  /** Entries before a page are gone from the store, and were not read. */
  #goOnBehind(page: LogPage): void {
    const { lastOffset } = this.log;
    const { epoch, first, missed } = page;
    const offset = first - 1;
    if (missed <= lastOffset) this.#skip(page);
    // They were there before it was started, and have become too old since: they were for who was here before.
    else if (lastOffset === this.#begunAt && offset <= this.#topAtStart) this.#restart(epoch, offset);
    else this.#lose(epoch, offset, 'entries are gone that were not read');
  }

  /** Newer entries have taken the places of what is gone before a page. */
  #skip({ first, missed, top }: LogPage): void {
    const { retention, stamps } = this.#context;
    retention.skipTo(this.log, first - 1, missed, top, stamps.next());
  }

  /** Members cannot know what they have missed: that is told. */
  #lose(epoch: string, top: number, why: string): void {
    this.#waiting.clear();
    this.#top = top;
    this.#restart(epoch, top);
    this.#tellLost(why);
  }

  #tellLost(why: string): void {
    const message = `The log of ${this.log.name} goes on from another place: ${why}. Members who lack something are told so.`;
    this.#context.report(new HalyardError('ERR_LOG_LOST', message), 'a log');
    this.follower?.onLost?.();
    this.#stopWaiting();
  }

  /** What they wait for comes no more. @param whose by default of all but those who wait for the epoch that the log has now */
  #stopWaiting(whose: (waiter: Waiter) => boolean = ({ epoch }) => epoch !== this.log.id): void {
    const waiters = this.#waiters;
    this.#waiters = waiters.filter((waiter) => !whose(waiter));
    for (const waiter of waiters) if (whose(waiter)) waiter.run();
  }
}
