// What a log has dropped, as far as it matters: whether something was among it that was for a member who has not read so
// far. Messages that were not for it, such as its own to the others of a room, are not missed by anyone.
import { listOf } from '../base/compact-list';
import { type Except, isEarlier } from './except';

/** Whose messages may be among what was dropped. */
export interface Reader {
  /** Whether all that was emitted from one stamp to another was not for it by what `except` says. */
  wasExcepted(except: Except, from: number, to: number): boolean;
}

/** One of the dropped messages. */
interface Dropped {
  readonly stamp: number;
  readonly offset: number;
}

/** Dropped messages that were not for the same ones. */
interface Group {
  readonly except: Except;
  /** Stamp of the oldest. */
  readonly from: number;
  newest: Dropped;
}

/** More are not told apart: then the ones that ended earliest are taken for messages to all. */
const groupsMax = 4;

export class Trimmed {
  /** The newest message that was for all: two numbers, because most are. */
  #stamp = -1;
  #offset = 0;
  #groups: Group[] | undefined = undefined;

  add(stamp: number, offset: number, except: Except): void {
    if (except === undefined || (isEarlier(except) && except.isNobody)) {
      this.#stamp = stamp;
      this.#offset = offset;
      return;
    }
    this.#groups ??= [];
    const groups = this.#groups;
    const group = groups.find((one) => isSame(one.except, except));
    if (group !== undefined) group.newest = { stamp, offset };
    else groups.push({ except, from: stamp, newest: { stamp, offset } });
    if (groups.length <= groupsMax) return;
    groups.sort((a, b) => b.newest.stamp - a.newest.stamp);
    const { newest } = groups.pop() as Group;
    if (newest.stamp > this.#stamp) this.add(newest.stamp, newest.offset, undefined);
  }

  /**
   * Whether a message was dropped that was for the reader, or may have been.
   * @param floor the stamp up to which it is known to have handled everything
   * @param position the offset up to which it says it has read
   */
  misses(reader: Reader, floor: number, position: number): boolean {
    if (this.#stamp > floor && this.#offset > position) return true;
    return (this.#groups ?? []).some(
      ({ except, from, newest: { stamp, offset } }) =>
        stamp > floor && offset > position && !reader.wasExcepted(except, Math.max(from, floor + 1), stamp),
    );
  }
}

function isSame(a: Except, b: Except): boolean {
  if (a === b) return true;
  if (isEarlier(a) && isEarlier(b)) {
    return a.count === b.count && isSame(a.except, b.except) && isSameList(a.rooms.names, b.rooms.names, a.count);
  }
  if (isEarlier(a) || isEarlier(b)) return false;
  const [one, other] = [listOf(a), listOf(b)];
  return one.length === other.length && isSameList(one, other, one.length);
}

function isSameList(a: readonly string[], b: readonly string[], count: number): boolean {
  for (let i = 0; i < count; i++) if (a[i] !== b[i]) return false;
  return true;
}
