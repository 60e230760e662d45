// Brings a resumed session up to the present: what waits in its outbox and what it has not read in its logs, merged in
// the order it was emitted, by pages, so that the peer is never sent more than it takes.
import { type Frame, LocalUsageError, type SessionMachine } from '@halyard/protocol';
import type { LogEntry } from '../namespace/log';
import type { Member } from '../namespace/member';
import type { Membership } from '../namespace/room';

interface Cursor {
  readonly socket: Member;
  readonly membership: Membership;
  /** Offset of the next entry to look at. */
  offset: number;
}

/** As much as is given to the connection before waiting for it to drain. */
const pageBytesMax = 64 * 1024;

export class Feed {
  /** Serial of the last thing that was sent, or that was found not to be for this session. */
  serial: number;
  readonly #machine: SessionMachine<Frame>;
  readonly #cursors: Cursor[] = [];

  /** @param serial what the peer is known to have handled */
  constructor(machine: SessionMachine<Frame>, serial: number) {
    this.#machine = machine;
    this.serial = serial;
  }

  /** @param position the last offset of its log that the peer has read */
  add(socket: Member, membership: Membership, position: number): void {
    const { log } = membership.room;
    this.#cursors.push({ socket, membership, offset: Math.max(position + 1, log.firstOffset) });
  }

  /**
   * Sends on until the connection holds a page.
   * @returns whether everything was sent
   * @throws LocalUsageError `ERR_LOG_TRIMMED` if a log dropped what was still to be read
   */
  pump(connection: { readonly bufferedBytes: number; send(frame: Frame): void }, codecIndex: number): boolean {
    let bytes = connection.bufferedBytes;
    for (;;) {
      const entry = this.#nextEntry();
      const { waiting, waitingSerial = 0 } = this.#machine;
      if (entry === undefined && waiting === undefined) return true;
      if (bytes >= pageBytesMax || this.#machine.state !== 'holding') return false;
      if (entry !== undefined && (waiting === undefined || entry.serial < waitingSerial)) {
        const frame = entry.frames[codecIndex];
        if (frame !== undefined) {
          connection.send(frame);
          bytes += frame.length;
        }
        this.serial = entry.serial;
      } else if (waiting !== undefined) {
        bytes += waiting.length;
        this.serial = waitingSerial;
        this.#machine.transmitWaiting();
      }
    }
  }

  /** @returns the oldest log entry that is for this session and not sent yet */
  #nextEntry(): LogEntry | undefined {
    let oldest: LogEntry | undefined;
    for (const cursor of this.#cursors) {
      const entry = this.#seek(cursor);
      if (entry !== undefined && (oldest === undefined || entry.serial < oldest.serial)) oldest = entry;
    }
    return oldest;
  }

  /** Moves a cursor to its next entry that is for its socket. */
  #seek(cursor: Cursor): LogEntry | undefined {
    const { socket, membership } = cursor;
    const { log } = membership.room;
    const floor = Math.max(membership.from, this.serial);
    if (cursor.offset < log.firstOffset) {
      if (log.trimmedSerial > floor) throw new LocalUsageError('ERR_LOG_TRIMMED', `log ${log.id} was trimmed`);
      cursor.offset = log.firstOffset;
    }
    for (;;) {
      const entry = log.at(cursor.offset);
      if (entry === undefined || entry.serial > membership.to) return undefined;
      if (entry.serial > floor && !socket.wasIn(entry.except, entry.serial)) return entry;
      cursor.offset++;
    }
  }
}
