// What a log has dropped, as far as it matters: whether something was among it that was for a member who has not read so
// far. Messages that were not for it, such as its own to the others of a room, are not missed by anyone.
import { listOf } from '../base/compact-list';
import { type Except, isEarlier } from './except';

/** Whose messages may be among what was dropped. */
export interface Reader {
  /**
   * Whether all that was emitted from one stamp to another was not for it by what `except` says.
   * @param last the exception of the last one, of which that of the first is the other
   */
  wasExcepted(except: Except, from: number, to: number, last?: Except): boolean;
}

/** One of the dropped messages, by its place in the order of this node. */
interface Dropped {
  readonly stamp: number;
  readonly offset: number;
}

/** Dropped messages that were not for the same ones. */
interface Group {
  /** Of the oldest, … */
  readonly except: Except;
  /** … and when that was emitted. */
  readonly from: number;
  /** The same of the newest. */
  last: Except;
  to: number;
  newest: Dropped;
}

/** More are not told apart: then the ones that ended earliest are taken for messages to all. */
const groupsMax = 4;

export class Trimmed {
  /** The newest message that was for all: two numbers, because most are. */
  #stamp = -1;
  #offset = 0;
  #groups: Group[] | undefined = undefined;

  /** Whether any message was dropped. */
  get hasAny(): boolean {
    return this.#offset > 0 || this.#groups !== undefined;
  }

  /** @param emitted when it was emitted, by the clock of the node that did */
  add(newest: Dropped, emitted: number, except: Except): void {
    if (except === undefined || (isEarlier(except) && except.isNobody)) {
      this.#stamp = newest.stamp;
      this.#offset = newest.offset;
      return;
    }
    this.#groups ??= [];
    const groups = this.#groups;
    const group = groups.find((one) => isSame(one.except, except));
    if (group !== undefined) Object.assign(group, { newest, to: emitted, last: except });
    else groups.push({ except, from: emitted, last: except, to: emitted, newest });
    if (groups.length <= groupsMax) return;
    groups.sort((a, b) => b.newest.stamp - a.newest.stamp);
    const oldest = groups.pop() as Group;
    if (oldest.newest.stamp > this.#stamp) this.add(oldest.newest, oldest.to, undefined);
  }

  /**
   * Whether a message was dropped that was for the reader, or may have been.
   * @param floor the stamp up to which it is known to have handled everything
   * @param position the offset up to which it says it has read
   */
  misses(reader: Reader, floor: number, position: number): boolean {
    if (this.#stamp > floor && this.#offset > position) return true;
    return (this.#groups ?? []).some(({ except, last, from, to, newest: { stamp, offset } }) => {
      if (stamp <= floor || offset <= position) return false;
      // What was emitted on this node has its place when it was emitted: what is handled does not matter.
      const since = to === stamp ? Math.max(from, floor + 1) : from;
      return !reader.wasExcepted(except, since, to, last);
    });
  }
}

function isSame(a: Except, b: Except): boolean {
  if (a === b) return true;
  if (isEarlier(a) && isEarlier(b)) return a.goesAs(b) && isSame(a.except, b.except);
  if (isEarlier(a) || isEarlier(b)) return false;
  const [one, other] = [listOf(a), listOf(b)];
  return one.length === other.length && one.every((name, i) => name === other[i]);
}
