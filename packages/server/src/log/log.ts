// The ordered messages of one room (or one whole namespace), bounded in count and bytes; retention bounds their age and
// their sum (docs/PROTOCOL.md §5). There may be millions of messages, so that none is an object: the collector would
// have more to carry than the host to send.
import { ByteRing } from '../base/byte-ring';
import { RowQueue } from '../base/row-queue';
import type { Except } from './except';
import { Trimmed } from './trimmed';

/** A message as it is sent, by codec index; undefined where no session uses the codec. */
export type Frames = readonly (Uint8Array | undefined)[];

export interface LogLimits {
  /** Entries in one log. */
  readonly logPacketsMax: number;
  /** Sum of frame lengths in one log. */
  readonly logBytesMax: number;
}

// The cells of an entry.
const serialColumn = 0;
const exceptColumn = 1;
/** Where its frames begin in the log's bytes, one behind the other. */
const positionColumn = 2;
/** One column for each codec begins here. */
const lengthsColumn = 3;

export class Log {
  readonly id: string;
  /** Offset the next entry gets; the first one gets 1. */
  nextOffset = 1;
  readonly trimmed = new Trimmed();
  /** Serial of the newest entry that there ever was. */
  newestSerial = -1;
  readonly #limits: LogLimits;
  #rows: RowQueue | undefined = undefined;
  readonly #bytes = new ByteRing();
  #codecCount = 0;

  constructor(id: string, limits: LogLimits) {
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

  /** @returns the place of an entry among everything the server emitted; undefined if it is not there yet or no more */
  serialAt(offset: number): number | undefined {
    return this.#cell(offset, serialColumn) as number | undefined;
  }

  /** @returns whom an entry was not for */
  exceptAt(offset: number): Except {
    return this.#cell(offset, exceptColumn) as Except;
  }

  /** @returns what a session with this codec is sent; undefined if the entry is not there, or no session used the codec */
  frameAt(offset: number, codecIndex: number): Uint8Array | undefined {
    const length = this.#cell(offset, lengthsColumn + codecIndex) as number | undefined;
    if (length === undefined) return undefined;
    let position = this.#cell(offset, positionColumn) as number;
    for (let i = 0; i < codecIndex; i++) position += (this.#cell(offset, lengthsColumn + i) as number | undefined) ?? 0;
    return this.#bytes.read(position, length);
  }

  /** Called by its retention only. @param bytes sum of the lengths of `frames` */
  append(serial: number, except: Except, frames: Frames, bytes: number): void {
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
    const row = rows.push();
    rows.set(row, serialColumn, serial);
    rows.set(row, exceptColumn, except);
    rows.set(row, positionColumn, position);
    for (let i = 0; i < frames.length; i++) rows.set(row, lengthsColumn + i, frames[i]?.length);
    this.nextOffset++;
    this.newestSerial = serial;
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

  #drop(rows: RowQueue): void {
    let bytes = 0;
    for (let i = 0; i < this.#codecCount; i++) bytes += (rows.at(0, lengthsColumn + i) as number | undefined) ?? 0;
    this.trimmed.add(rows.at(0, serialColumn) as number, this.firstOffset, rows.at(0, exceptColumn) as Except);
    rows.shift();
    this.#bytes.drop(bytes);
  }

  #cell(offset: number, column: number): unknown {
    const row = offset - this.firstOffset;
    return row < 0 ? undefined : this.#rows?.at(row, column);
  }
}
