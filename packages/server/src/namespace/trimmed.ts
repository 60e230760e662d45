// What a log has dropped, as far as it matters: whether something was among it that was for a member who has not read so
// far. Messages that were not for it, such as its own to the others of a room, are not missed by anyone.
import { listOf } from '../few';
import { type Except, isEarlier } from './except';

/** Whose messages may be among what was dropped. */
export interface Reader {
  /** Whether all that was emitted from one serial to another was not for it by what `except` says. */
  wasExcepted(except: Except, from: number, to: number): boolean;
}

/** Dropped messages that were not for the same ones: the serials of the oldest and the newest. */
interface Group {
  readonly except: Except;
  readonly oldest: number;
  newest: number;
}

/** More are not told apart: then the ones that ended earliest are taken for messages to all. */
const groupsMax = 4;

export class Trimmed {
  /** Serial of the newest message that was dropped. */
  serial = -1;
  /** Of the newest that was for all. */
  #toAll = -1;
  #groups: Group[] | undefined = undefined;

  add(serial: number, except: Except): void {
    this.serial = serial;
    if (except === undefined) {
      this.#toAll = serial;
      return;
    }
    this.#groups ??= [];
    const groups = this.#groups;
    const group = groups.find((one) => isSame(one.except, except));
    if (group !== undefined) group.newest = serial;
    else groups.push({ except, oldest: serial, newest: serial });
    if (groups.length <= groupsMax) return;
    groups.sort((a, b) => b.newest - a.newest);
    this.#toAll = Math.max(this.#toAll, groups.pop()?.newest ?? -1);
  }

  /** Whether a message above the serial `floor` was dropped that was for the reader, or may have been. */
  misses(reader: Reader, floor: number): boolean {
    if (this.serial <= floor) return false;
    if (this.#toAll > floor) return true;
    return (this.#groups ?? []).some(
      ({ except, oldest, newest }) =>
        newest > floor && !reader.wasExcepted(except, Math.max(oldest, floor + 1), newest),
    );
  }
}

function isSame(a: Except, b: Except): boolean {
  if (a === b) return true;
  if (isEarlier(a) && isEarlier(b)) {
    return a.count === b.count && isSame(a.except, b.except) && isSameList(a.rooms, b.rooms, a.count);
  }
  if (isEarlier(a) || isEarlier(b)) return false;
  const [one, other] = [listOf(a), listOf(b)];
  return one.length === other.length && isSameList(one, other, one.length);
}

function isSameList(a: readonly string[], b: readonly string[], count: number): boolean {
  for (let i = 0; i < count; i++) if (a[i] !== b[i]) return false;
  return true;
}
