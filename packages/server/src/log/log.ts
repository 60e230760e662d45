// The ordered messages of one room (or one whole namespace), bounded in count and bytes; retention bounds their age and
// their sum (docs/PROTOCOL.md §5). There may be millions of messages, so that none is an object: the collector would
// have more to carry than the host to send.
import { ByteRing } from '../base/byte-ring';
import type { CompactList } from '../base/compact-list';
import { RowQueue } from '../base/row-queue';
import { type Except, Latest } from './except';
import type { Follower } from './follower';
import { type Frames, lengthOf } from './frames';
import { type Reader, Trimmed } from './trimmed';

export interface LogLimits {
  /** Entries in one log. */
  readonly logPacketsMax: number;
  /** Sum of frame lengths in one log. */
  readonly logBytesMax: number;
}

// The numbers of an entry; its item is whom it was not for.
const stampColumn = 0;
/** Where its frames begin in the log's bytes, one behind the other. */
const positionColumn = 1;
/** One column for each codec begins here, and behind them one for when it was emitted, if that was on another node. */
const lengthsColumn = 2;
/** In place of the length of a frame that there is not. */
const noFrame = -1;

/** An entry that was appended before those that are there. */
export interface OlderEntry {
  readonly emitted: number;
  readonly except: Except;
  readonly frames: Frames;
}

export class Log {
  /** Random, never given twice: another log of the same room is of another epoch (docs/PROTOCOL.md §5.4). */
  id: string;
  /** The id that it is about to have; empty if it is not. What was read here is of `id` until then. */
  next = '';
  /** Which room it is of, in the store. */
  readonly name: string;
  /** Told of every entry that is appended; nobody while nobody is in the room. */
  followers: CompactList<Follower> = undefined;
  /** Offset the next entry gets; the first one gets 1. */
  nextOffset = 1;
  /** Entries up to this offset never were here: other nodes have appended them before this one read. */
  base = 0;
  trimmed = new Trimmed();
  /** Stamp of the newest entry that there ever was. */
  newestStamp = -1;
  readonly #limits: LogLimits;
  /** Whether other nodes append to it too: then stamps are places in the order of this node, and no more when something was emitted. */
  readonly #isShared: boolean;
  #rows: RowQueue<Except> | undefined = undefined;
  /** Of the newest entry of each key, as long as it is kept. */
  #latest: Map<string, Latest> | undefined = undefined;
  #bytes = new ByteRing();
  #codecCount = 0;
  /** Of entries that were dropped when newer ones had taken their places: the last offset, and the last of those newer ones. */
  #replaced = 0;
  #replacedBy = 0;

  constructor(name: string, id: string, limits: LogLimits, isShared = false) {
    this.name = name;
    this.id = id;
    this.#limits = limits;
    this.#isShared = isShared;
  }

  /** Sum of the lengths of the frames kept. */
  get bytes(): number {
    return this.#bytes.length;
  }

  /** Offset of the oldest entry kept. */
  get firstOffset(): number {
    return this.nextOffset - (this.#rows?.length ?? 0);
  }

  /** Offset of the newest entry that there ever was; 0 if there was none. */
  get lastOffset(): number {
    return this.nextOffset - 1;
  }

  /** Whether nothing was dropped of what there was since it was read here. */
  get isWhole(): boolean {
    return this.firstOffset === this.base + 1;
  }

  /** Whether there is an entry of this key. */
  has(key: string): boolean {
    return this.#latest?.has(key) === true;
  }

  /** Whether there is something of which only the newest matters. */
  get hasLatest(): boolean {
    return this.#latest !== undefined;
  }

  /**
   * Whether a newer entry has taken the place of one.
   * @param to the last offset that is for who asks
   */
  isReplaced(offset: number, to: number): boolean {
    if (this.#latest === undefined) return false;
    const except = this.exceptAt(offset);
    return except instanceof Latest && except.replacedBy > 0 && except.replacedBy <= to;
  }

  /**
   * Whether an entry was dropped that was for a reader, or may have been.
   * @param floor the stamp up to which it is known to have handled everything
   * @param position the offset up to which it says it has read
   * @param to the last offset that is for it
   */
  misses(reader: Reader, floor: number, position: number, to: number): boolean {
    if (this.trimmed.misses(reader, floor, position)) return true;
    // Who left before the newer one came was to get the older one.
    const [replaced, by] = [this.#replaced, this.#replacedBy];
    return position < Math.min(replaced, to) && (to < replaced || to < by);
  }

  get isEmpty(): boolean {
    return this.#rows === undefined;
  }

  /** @returns an entry's place in the order of this node; undefined if it is not there yet or no more */
  stampAt(offset: number): number | undefined {
    return this.#number(offset, stampColumn);
  }

  /** @returns when it was emitted, by the clock of the node that did: what exceptions go by */
  emittedAt(offset: number): number | undefined {
    return this.#number(offset, this.#isShared ? lengthsColumn + this.#codecCount : stampColumn);
  }

  /** @returns the offset of the newest entry kept that has its place up to a stamp; 0 if there is none */
  offsetOf(stamp: number): number {
    let low = this.firstOffset;
    let high = this.nextOffset;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.stampAt(middle) as number) <= stamp) low = middle + 1;
      else high = middle;
    }
    return low > this.firstOffset ? low - 1 : 0;
  }

  /** @returns whom an entry was not for */
  exceptAt(offset: number): Except {
    const row = offset - this.firstOffset;
    return row < 0 ? undefined : this.#rows?.itemAt(row);
  }

  /** @returns what a session with this codec is sent; undefined if the entry is not there, or no session used the codec */
  frameAt(offset: number, codecIndex: number): Uint8Array | undefined {
    const length = this.#number(offset, lengthsColumn + codecIndex) ?? noFrame;
    if (length === noFrame) return undefined;
    let position = this.#number(offset, positionColumn) as number;
    for (let i = 0; i < codecIndex; i++) position += Math.max(this.#number(offset, lengthsColumn + i) as number, 0);
    return this.#bytes.read(position, length);
  }

  /** Called by its retention only. @param bytes sum of the lengths of `frames` */
  append(stamp: number, except: Except, frames: Frames, bytes: number, emitted = stamp): void {
    const { logPacketsMax, logBytesMax } = this.#limits;
    this.#codecCount = frames.length;
    this.#rows ??= new RowQueue(lengthsColumn + frames.length + (this.#isShared ? 1 : 0));
    const rows = this.#rows;
    const before = except instanceof Latest ? this.#latest?.get(except.key) : undefined;
    // Room is made before it is used, or the bytes would grow to twice what they keep.
    while (rows.length >= logPacketsMax || (this.#bytes.length + bytes > logBytesMax && rows.length > 0)) {
      this.#drop(rows, before);
    }
    // What cannot be kept throws here, before anything of it is.
    this.#bytes.reserve(bytes);
    const position = this.#bytes.end;
    for (const frame of frames) if (frame !== undefined) this.#bytes.push(frame);
    this.#bytes.shrink();
    const row = rows.push(except);
    if (except instanceof Latest) {
      this.#latest ??= new Map();
      if (before !== undefined) before.replacedBy = this.nextOffset;
      this.#latest.set(except.key, except);
    }
    rows.set(row, stampColumn, stamp);
    rows.set(row, positionColumn, position);
    for (let i = 0; i < frames.length; i++) rows.set(row, lengthsColumn + i, frames[i]?.length ?? noFrame);
    if (this.#isShared) rows.set(row, lengthsColumn + frames.length, emitted);
    this.nextOffset++;
    this.newestStamp = stamp;
  }

  /**
   * Puts entries before those that are there, of which it has dropped none. Called by its retention only.
   * A place is behind the time at which something was emitted: what is sent in the order of that has been sent by its place. What is
   * there keeps its own, though: it may have been sent by it.
   */
  prepend(older: readonly OlderEntry[]): void {
    const place = this.stampAt(this.firstOffset) ?? Number.POSITIVE_INFINITY;
    const rows: (OlderEntry & { readonly stamp: number })[] = older.map((entry) => ({
      ...entry,
      stamp: Math.min(entry.emitted + 1, place),
    }));
    for (let offset = this.firstOffset; offset < this.nextOffset; offset++) {
      const frames = Array.from({ length: this.#codecCount }, (_, i) => this.frameAt(offset, i)?.slice());
      const [stamp, emitted] = [this.stampAt(offset) as number, this.emittedAt(offset) as number];
      rows.push({ stamp, emitted, except: this.exceptAt(offset), frames });
    }
    const { nextOffset } = this;
    this.nextOffset -= rows.length;
    this.#latest = undefined;
    this.#rows = undefined;
    this.#bytes = new ByteRing();
    this.base -= older.length;
    let last = 0;
    for (const { stamp, emitted, except, frames } of rows) {
      last = Math.max(last, stamp);
      this.append(last, except, frames, lengthOf(frames), emitted);
    }
    this.nextOffset = nextOffset;
  }

  /**
   * Newer entries have taken the places of all that were between another offset and the first one here.
   * @param base that offset
   * @param by as of `skipTo`
   */
  extendTo(base: number, by: number): void {
    if (base < this.base) this.#replace(this.base, Math.max(by, this.lastOffset));
    this.base = base;
  }

  /**
   * Goes on behind an offset. Called by its retention only.
   * @param missed of what is between this and that, here too, newer entries have taken the places
   * @param by offset of the last of those that there may be
   * @param stamp a place in the order of this node: what is left out has its own no later
   */
  skipTo(offset: number, missed: number, by: number, stamp: number): void {
    this.dropThrough(missed);
    this.newestStamp = stamp;
    this.#rows = undefined;
    this.#bytes = new ByteRing();
    this.#latest = undefined;
    this.nextOffset = offset + 1;
    this.#replace(offset, by);
  }

  #replace(offset: number, by: number): void {
    this.#replaced = Math.max(this.#replaced, offset);
    this.#replacedBy = Math.max(this.#replacedBy, by);
  }

  /** Is another log of the same room from now on. Called by its retention only. @param top the offset after which its entries come */
  restart(id: string, top: number): void {
    this.id = id;
    this.next = '';
    this.#rows = undefined;
    this.#bytes = new ByteRing();
    this.trimmed = new Trimmed();
    this.#replaced = this.#replacedBy = 0;
    this.#latest = undefined;
    this.nextOffset = top + 1;
    this.base = top;
  }

  /** Drops the entry at `offset` and what is older. Called by its retention only. */
  dropThrough(offset: number): void {
    while (this.#rows !== undefined && this.firstOffset <= offset) {
      this.#drop(this.#rows);
      if (this.#rows.length > 0) continue;
      // A room that is quiet again keeps nothing.
      this.#rows = undefined;
    }
    this.#bytes.shrink();
  }

  /** @param before what the next entry takes the place of */
  #drop(rows: RowQueue<Except>, before?: Latest): void {
    let bytes = 0;
    for (let i = 0; i < this.#codecCount; i++) bytes += Math.max(rows.numberAt(0, lengthsColumn + i) as number, 0);
    const { firstOffset } = this;
    const except = rows.itemAt(0);
    const replacedBy = except instanceof Latest ? (except === before ? this.nextOffset : except.replacedBy) : 0;
    if (replacedBy > 0) this.#replace(firstOffset, replacedBy);
    else {
      const dropped = { stamp: this.stampAt(firstOffset) as number, offset: firstOffset };
      this.trimmed.add(dropped, this.emittedAt(firstOffset) as number, except);
    }
    if (except instanceof Latest && this.#latest?.get(except.key) === except) this.#latest.delete(except.key);
    if (this.#latest?.size === 0) this.#latest = undefined;
    rows.shift();
    this.#bytes.drop(bytes);
  }

  #number(offset: number, column: number): number | undefined {
    const row = offset - this.firstOffset;
    return row < 0 ? undefined : this.#rows?.numberAt(row, column);
  }
}
