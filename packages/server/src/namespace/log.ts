// The ordered messages of one room (or one whole namespace), bounded in count and bytes; the journal bounds their age
// and their sum (docs/PROTOCOL.md §5).
import type { Frame } from '@halyard/protocol';
import { Deque } from '../deque';
import type { Journal } from './journal';

/** One published message: its frame in each codec in use, where it sits, and whom it left out. There may be many. */
export interface LogEntry {
  /** Place among everything the server emitted. */
  readonly serial: number;
  readonly at: number;
  readonly logs: readonly Log[];
  /** Rooms and socket ids that it was not for. */
  readonly except: readonly string[];
  /** By codec index; empty once every log has dropped the entry. */
  frames: readonly (Frame | undefined)[];
  readonly bytes: number;
  /** How many logs still hold it. */
  holders: number;
}

export class Log {
  readonly id: string;
  /** Offset the next entry gets; the first one gets 1. */
  nextOffset = 1;
  /** The newest entry that was dropped: its serial. */
  trimmedSerial = -1;
  /** What most entries have as their `logs`. */
  readonly alone: readonly Log[] = [this];
  readonly #journal: Journal;
  readonly #entries = new Deque<LogEntry>();
  #bytes = 0;

  constructor(id: string, journal: Journal) {
    this.id = id;
    this.#journal = journal;
  }

  /** Offset of the oldest entry kept. */
  get firstOffset(): number {
    return this.nextOffset - this.#entries.length;
  }

  /** @returns the entry at `offset`, or undefined if it is not there yet or no more */
  at(offset: number): LogEntry | undefined {
    const index = offset - this.firstOffset;
    return index < 0 ? undefined : this.#entries.at(index);
  }

  /** Called by the journal only. */
  append(entry: LogEntry): void {
    const { logPacketsMax, logBytesMax } = this.#journal.limits;
    this.#entries.push(entry);
    this.nextOffset++;
    this.#bytes += entry.bytes;
    while (this.#entries.length > logPacketsMax || (this.#bytes > logBytesMax && this.#entries.length > 1)) this.drop();
  }

  /** Drops the oldest entry. */
  drop(): void {
    const entry = this.#entries.shift();
    if (entry === undefined) return;
    this.#bytes -= entry.bytes;
    this.trimmedSerial = entry.serial;
    if (--entry.holders === 0) this.#journal.release(entry);
  }

  /** Drops what is as old as `entry`. */
  dropThrough(entry: LogEntry): void {
    while (this.#entries.first !== undefined && this.#entries.first.serial <= entry.serial) this.drop();
  }
}
