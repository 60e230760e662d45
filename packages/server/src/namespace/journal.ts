// Everything published on this server, in the order it was emitted: gives out serials, and bounds the age and the sum
// of all logs.
import type { Frame } from '@halyard/protocol';
import { Deque } from '../deque';
import { Timed, type TimerWheel } from '../wheel';
import type { Log, LogEntry } from './log';

export interface JournalLimits {
  /** How long an entry is kept. */
  readonly entryAgeMsMax: number;
  /** Entries in one log. */
  readonly logPacketsMax: number;
  /** Sum of frame lengths in one log. */
  readonly logBytesMax: number;
  /** Sum of frame lengths in all logs. */
  readonly journalBytesMax: number;
}

/** Half of the queue, and at least this many, may be entries that are gone. */
const releasedMax = 1_024;

export class Journal extends Timed {
  readonly limits: JournalLimits;
  readonly #wheel: TimerWheel;
  readonly #entries = new Deque<LogEntry>();
  #bytes = 0;
  #serial = 0;
  /** Entries that no log holds any more, and that are still in the queue. */
  #released = 0;

  constructor(limits: JournalLimits, wheel: TimerWheel) {
    super();
    this.limits = limits;
    this.#wheel = wheel;
  }

  /** Sum of the lengths of the frames kept. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Entries in the queue, of which some may be gone. */
  get length(): number {
    return this.#entries.length;
  }

  /** The newest serial given out. */
  get lastSerial(): number {
    return this.#serial;
  }

  /** Gives the next place among everything emitted, in logs or not. */
  nextSerial(): number {
    return ++this.#serial;
  }

  /** Appends a message to each of `logs`, at the offset that is next there: its frames say so. */
  append(logs: readonly Log[], except: readonly string[], frames: readonly (Frame | undefined)[]): LogEntry {
    const at = this.#wheel.now();
    let bytes = 0;
    for (const frame of frames) if (frame !== undefined) bytes += frame.length;
    const serial = this.nextSerial();
    const entry: LogEntry = { serial, at, logs, except, frames, bytes, holders: logs.length };
    this.#entries.push(entry);
    this.#bytes += bytes;
    for (const log of logs) log.append(entry);
    while (this.#bytes > this.limits.journalBytesMax && this.#entries.length > 1) this.#dropOldest();
    this.#wheel.schedule(this, at + this.limits.entryAgeMsMax);
    return entry;
  }

  /** Called by a log when no log holds the entry any more. */
  release(entry: LogEntry): void {
    this.#bytes -= entry.bytes;
    entry.frames = [];
    this.#released++;
    for (let first = this.#entries.first; first?.holders === 0; first = this.#entries.first) {
      this.#entries.shift();
      this.#released--;
    }
    if (this.#released < releasedMax || this.#released * 2 < this.#entries.length) return;
    this.#entries.retain(({ holders }) => holders > 0);
    this.#released = 0;
  }

  override due(now: number): void {
    const oldest = now - this.limits.entryAgeMsMax;
    while (this.#entries.first !== undefined && this.#entries.first.at <= oldest) this.#dropOldest();
    if (this.#entries.first !== undefined) {
      this.#wheel.schedule(this, this.#entries.first.at + this.limits.entryAgeMsMax);
    }
  }

  #dropOldest(): void {
    // The last log to drop it takes it out of the queue.
    const entry = this.#entries.first;
    if (entry !== undefined) for (const log of entry.logs) log.dropThrough(entry);
  }
}
