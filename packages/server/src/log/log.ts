// The ordered messages of one room (or one whole namespace), bounded in count and bytes; retention bounds their age and
// their sum (docs/PROTOCOL.md §5). There may be millions of messages, so that none is an object: the collector would
// have more to carry than the host to send.
import { ByteRing } from '../base/byte-ring';
import type { CompactList } from '../base/compact-list';
import { RowQueue } from '../base/row-queue';
import type { Except } from './except';
import { Trimmed } from './trimmed';

/** A message as it is sent, by codec index; undefined where no session uses the codec. */
export type Frames = readonly (Uint8Array | undefined)[];

/** Who delivers what is appended to a log. */
export interface Follower {
  /** There is a new entry, the last one of the log. */
  onEntry(stamp: number, except: Except, frames: Frames): void;
}

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
/** One column for each codec begins here. */
const lengthsColumn = 2;
/** In place of the length of a frame that there is not. */
const noFrame = -1;

export class Log {
  /** Random, never given twice: another log of the same room is of another epoch (docs/PROTOCOL.md §5.4). */
  readonly id: string;
  /** Which room it is of, in the store. */
  readonly name: string;
  /** Told of every entry that is appended; nobody while nobody is in the room. */
  followers: CompactList<Follower> = undefined;
  /** Offset the next entry gets; the first one gets 1. */
  nextOffset = 1;
  readonly trimmed = new Trimmed();
  /** Stamp of the newest entry that there ever was. */
  newestStamp = -1;
  readonly #limits: LogLimits;
  #rows: RowQueue<Except> | undefined = undefined;
  readonly #bytes = new ByteRing();
  #codecCount = 0;

  constructor(name: string, id: string, limits: LogLimits) {
    this.name = name;
    this.id = id;
    this.#limits = limits;
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

  get isEmpty(): boolean {
    return this.#rows === undefined;
  }

  /** @returns when an entry was emitted; undefined if it is not there yet or no more */
  stampAt(offset: number): number | undefined {
    return this.#number(offset, stampColumn);
  }

  /** @returns the offset of the newest entry kept that was emitted up to a stamp; 0 if there is none */
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
  append(stamp: number, except: Except, frames: Frames, bytes: number): void {
    const { logPacketsMax, logBytesMax } = this.#limits;
    this.#codecCount = frames.length;
    this.#rows ??= new RowQueue(lengthsColumn + frames.length);
    const rows = this.#rows;
    // Room is made before it is used, or the bytes would grow to twice what they keep.
    while (rows.length >= logPacketsMax || (this.#bytes.length + bytes > logBytesMax && rows.length > 0)) {
      this.#drop(rows);
    }
    // What cannot be kept throws here, before anything of it is.
    this.#bytes.reserve(bytes);
    const position = this.#bytes.end;
    for (const frame of frames) if (frame !== undefined) this.#bytes.push(frame);
    this.#bytes.shrink();
    const row = rows.push(except);
    rows.set(row, stampColumn, stamp);
    rows.set(row, positionColumn, position);
    for (let i = 0; i < frames.length; i++) rows.set(row, lengthsColumn + i, frames[i]?.length ?? noFrame);
    this.nextOffset++;
    this.newestStamp = stamp;
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

  #drop(rows: RowQueue<Except>): void {
    let bytes = 0;
    for (let i = 0; i < this.#codecCount; i++) bytes += Math.max(rows.numberAt(0, lengthsColumn + i) as number, 0);
    this.trimmed.add(rows.numberAt(0, stampColumn) as number, this.firstOffset, rows.itemAt(0));
    rows.shift();
    this.#bytes.drop(bytes);
  }

  #number(offset: number, column: number): number | undefined {
    const row = offset - this.firstOffset;
    return row < 0 ? undefined : this.#rows?.numberAt(row, column);
  }
}
