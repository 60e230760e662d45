// Brings a resumed session up to the present: what waits in its outbox and what it has not read in its logs, merged in
// the order it was emitted, by pages, so that the peer is never sent more than it takes.
import { type Frame, LocalUsageError, type SessionMachine } from '@halyard/protocol';
import type { Member } from '../namespace/member';
import type { Membership } from '../namespace/room';

interface Cursor {
  readonly socket: Member;
  readonly membership: Membership;
  /** Offset of the next entry to look at. */
  offset: number;
  /** Its serial, if it is there and for the socket. */
  serial: number | undefined;
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
    this.#cursors.push({ socket, membership, offset: Math.max(position + 1, log.firstOffset), serial: undefined });
  }

  /**
   * Sends on until the connection holds a page.
   * @returns whether everything was sent
   * @throws LocalUsageError `ERR_LOG_TRIMMED` if a log dropped what was still to be read
   */
  pump(connection: { readonly bufferedBytes: number; send(frame: Frame): void }, codecIndex: number): boolean {
    let bytes = connection.bufferedBytes;
    for (;;) {
      const next = this.#next();
      const { waiting, waitingSerial = 0 } = this.#machine;
      if (next === undefined && waiting === undefined) return true;
      if (bytes >= pageBytesMax || this.#machine.state !== 'holding') return false;
      if (next?.serial !== undefined && (waiting === undefined || next.serial < waitingSerial)) {
        const frame = next.membership.room.log.frameAt(next.offset, codecIndex);
        if (frame !== undefined) {
          connection.send(frame);
          bytes += frame.length;
        }
        this.serial = next.serial;
      } else if (waiting !== undefined) {
        bytes += waiting.length;
        this.serial = waitingSerial;
        this.#machine.transmitWaiting();
      }
    }
  }

  /** @returns the cursor at the oldest log entry that is for this session and not sent yet */
  #next(): Cursor | undefined {
    let oldest: Cursor | undefined;
    for (const cursor of this.#cursors) {
      cursor.serial = this.#seek(cursor);
      if (cursor.serial !== undefined && cursor.serial < (oldest?.serial ?? Infinity)) oldest = cursor;
    }
    return oldest;
  }

  /** Moves a cursor to its next entry that is for its socket. @returns the entry's serial */
  #seek(cursor: Cursor): number | undefined {
    const { socket, membership } = cursor;
    const { log } = membership.room;
    const floor = Math.max(membership.from, this.serial);
    if (cursor.offset < log.firstOffset) {
      if (log.trimmedSerial > floor) throw new LocalUsageError('ERR_LOG_TRIMMED', `log ${log.id} was trimmed`);
      cursor.offset = log.firstOffset;
    }
    for (;;) {
      const serial = log.serialAt(cursor.offset);
      if (serial === undefined || serial > membership.to) return undefined;
      if (serial > floor && !socket.wasIn(log.exceptAt(cursor.offset), serial)) return serial;
      cursor.offset++;
    }
  }
}
