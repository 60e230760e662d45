// How long what is published is kept: bounds the age and the sum of all logs.
import { RowQueue } from '../base/row-queue';
import { Timed, type TimerWheel } from '../base/wheel';
import type { Except } from './except';
import { type Frames, lengthOf } from './frames';
import type { Log, LogLimits, OlderEntry } from './log';

export interface RetentionLimits extends LogLimits {
  /** How long an entry is kept. */
  readonly entryAgeMsMax: number;
  /** Sum of frame lengths in all logs. */
  readonly journalBytesMax: number;
}

/** Half of the queue, and at least this many, may be entries that are gone. */
const releasedMax = 1_024;

// The numbers of a row: the offset of an entry in its log, which is the item, and when it was appended.
const offsetColumn = 0;
const atColumn = 1;
const width = 2;

export class Retention extends Timed {
  readonly limits: RetentionLimits;
  readonly #wheel: TimerWheel;
  readonly #emptied: (log: Log) => void;
  readonly #rows = new RowQueue<Log>(width);
  #bytes = 0;
  /** About as many rows as are of entries that their log has dropped. */
  #released = 0;

  /** @param emptied told of a log whose last entry is gone */
  constructor(limits: RetentionLimits, wheel: TimerWheel, emptied: (log: Log) => void) {
    super();
    this.limits = limits;
    this.#wheel = wheel;
    this.#emptied = emptied;
  }

  /** Sum of the lengths of the frames kept, in each log that keeps them. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Entries in the queue, of which some may be gone. */
  get length(): number {
    return this.#rows.length;
  }

  /**
   * Appends a message to a log, at the offset that is next there: its frames say so.
   * @param stamp its place in the order of this node
   * @param emitted when it was emitted, by the clock of the node that did
   */
  append(log: Log, stamp: number, except: Except, frames: Frames, emitted = stamp): void {
    const { entryAgeMsMax, journalBytesMax } = this.limits;
    const at = this.#wheel.lately();
    const kept = log.bytes;
    const { firstOffset } = log;
    log.append(stamp, except, frames, lengthOf(frames), emitted);
    this.#bytes += log.bytes - kept;
    const row = this.#rows.push(log);
    this.#rows.set(row, offsetColumn, log.nextOffset - 1);
    this.#rows.set(row, atColumn, at);
    // The log has made room.
    if (log.firstOffset > firstOffset) this.#release(log.firstOffset - firstOffset);
    while (this.#bytes > journalBytesMax && this.#rows.length > 1) this.#dropOldest();
    this.#wheel.schedule(this, at + entryAgeMsMax);
  }

  /** Puts entries before those that a log has: they are kept from now on, as far as there is room. */
  prepend(log: Log, older: readonly OlderEntry[]): void {
    if (older.length === 0) return;
    const { bytes, firstOffset } = log;
    log.prepend(older);
    this.#bytes += log.bytes - bytes;
    const row = this.#rows.push(log);
    this.#rows.set(row, offsetColumn, firstOffset - 1);
    this.#rows.set(row, atColumn, this.#wheel.lately());
    this.#wheel.schedule(this, this.#wheel.lately() + this.limits.entryAgeMsMax);
    // With the row of those that are older.
    if (log.firstOffset >= firstOffset) this.#release(log.firstOffset - firstOffset + 1);
  }

  /** A log goes on behind an offset: see there. */
  skipTo(log: Log, offset: number, missed: number, by: number, stamp: number): void {
    const { bytes, firstOffset, nextOffset } = log;
    log.skipTo(offset, missed, by, stamp);
    this.#bytes += log.bytes - bytes;
    this.#release(nextOffset - firstOffset);
  }

  /** A log is another one from now on. @param top the offset after which its entries come */
  restart(log: Log, id: string, top: number): void {
    this.#bytes -= log.bytes;
    const isFresh = log.id === '';
    log.restart(id, top);
    if (isFresh) return;
    this.#rows.retain((row) => this.#rows.itemAt(row) !== log && !this.#isReleased(row));
    this.#released = 0;
  }

  /** Takes rows of entries that are gone out of the queue. @param count how many more there are */
  #release(count: number): void {
    this.#released += count;
    while (this.#rows.length > 0 && this.#isReleased(0)) {
      this.#rows.shift();
      this.#released--;
    }
    if (this.#released < releasedMax || this.#released * 2 < this.#rows.length) return;
    this.#rows.retain((row) => !this.#isReleased(row));
    this.#released = 0;
  }

  override due(now: number): void {
    const { entryAgeMsMax } = this.limits;
    while (this.#rows.length > 0) {
      const endsAt = (this.#rows.numberAt(0, atColumn) as number) + entryAgeMsMax;
      if (endsAt > now) {
        this.#wheel.schedule(this, endsAt);
        return;
      }
      this.#dropOldest();
    }
  }

  #dropOldest(): void {
    const log = this.#rows.itemAt(0) as Log;
    const kept = log.bytes;
    const { firstOffset } = log;
    log.dropThrough(this.#rows.numberAt(0, offsetColumn) as number);
    this.#bytes += log.bytes - kept;
    this.#release(log.firstOffset - firstOffset);
    if (log.isEmpty) this.#emptied(log);
  }

  #isReleased(row: number): boolean {
    return (this.#rows.numberAt(row, offsetColumn) as number) < (this.#rows.itemAt(row) as Log).firstOffset;
  }
}
