// Frames that a client has sent and its server has not confirmed, by their numbers. The server takes so many of them at one
// time, and confirms some before earlier ones; a server's outbox knows neither (outbox.ts).
import { LocalUsageError } from '../wire/errors';
import type { SessionSettings } from '../wire/limits';
import type { NumberRanges } from '../wire/packet';
import { checkConfirmed, FrameTag, type MachineOutbox } from './outbox';

/** What is kept that is not confirmed: frames, and the sum of their sizes. */
export interface ClientLimits {
  readonly offlinePacketsMax: number;
  readonly offlineBytesMax: number;
}

export interface OutboxEntry<F> {
  readonly frame: F;
  readonly mark: number;
}

/** Where an outbox stands: a new one may begin where another has stopped. */
export interface OutboxState<F> {
  readonly confirmed: number;
  readonly left: number;
  /** The number of the last frame. */
  readonly sent: number;
  /** The sizes of the frames together. */
  readonly bytes: number;
  /** Those that are not confirmed, by their numbers, in order. */
  readonly entries: Map<number, OutboxEntry<F>>;
}

export interface ClientOutbox<F> extends MachineOutbox<F, unknown> {
  /** How much the server takes that it has not confirmed; more than that only alone, and once `frameBytesMax` is known. */
  window: Pick<SessionSettings, 'windowPacketsMax' | 'windowBytesMax'> &
    Partial<Pick<SessionSettings, 'frameBytesMax'>>;
  /** Adds a frame, not yet carried. @throws LocalUsageError `ERR_OUTBOX_FULL` */
  push(frame: F, mark: number): void;
  /** Those that are not confirmed, by their numbers, in order. */
  readonly entries: ReadonlyMap<number, OutboxEntry<F>>;
  /** How many frames were carried by a connection, confirmed or not: by this one, or an earlier one. */
  readonly left: number;
  /** Numbers above `confirmed` whose frames are confirmed too, if there are any. */
  readonly settled: NumberRanges | undefined;
  /**
   * Gives events up: those that have left on no connection never will, and the numbers of what is behind them fall. Those that
   * have are sent again like any other, but wait for no reply.
   * @returns those that never will
   */
  giveUp(isUnwanted: (entry: OutboxEntry<F>) => unknown): OutboxEntry<F>[];
  /**
   * Starts again from number 0 with only the events that left on no earlier connection.
   * @param keeps whether an event has a place in the new session
   * @param isAnswered whether the reply to an event has come
   * @returns their marks, and how many other events there were that nobody knows handled
   */
  restart(
    keeps: (frame: F) => unknown,
    isAnswered: (mark: number) => unknown,
  ): { kept: ReadonlySet<number>; lost: number };
}

/** @returns the error of an end that keeps as much as it may */
export const outboxFull = (): LocalUsageError =>
  new LocalUsageError(
    'ERR_OUTBOX_FULL',
    "too much waits for the server: see the client's offlinePacketsMax, offlineBytesMax",
  );

/**
 * @param state where it begins. Of `left`: all frames up to this number are confirmed, or were carried by an earlier connection:
 * nobody knows whether they were handled
 * @param onConfirmed told the mark of each frame that is confirmed
 */
export function createClientOutbox<F extends { readonly length: number }>(
  window: ClientOutbox<F>['window'],
  { offlinePacketsMax, offlineBytesMax }: ClientLimits,
  { entries = new Map(), bytes = 0, sent = 0, confirmed = 0, left = 0 }: Partial<OutboxState<F>> = {},
  onConfirmed: (mark: number) => void = () => {},
): ClientOutbox<F> {
  /** All frames up to this number are confirmed, or were carried by this connection. */
  let carried = confirmed;
  /** Frames that this connection has carried and that are not confirmed, … */
  let flying = 0;
  /** … and their sizes together. */
  let flyingBytes = 0;

  const free = (number: number) => {
    const entry = entries.get(number);
    if (!entry) return;
    entries.delete(number);
    bytes -= entry.frame.length;
    onConfirmed(entry.mark);
    if (number > carried) return;
    flying--;
    flyingBytes -= entry.frame.length;
  };

  const outbox: ClientOutbox<F> = {
    confirmed,
    entries,
    window,
    get left() {
      return Math.max(left, carried);
    },
    get settled() {
      const ranges: number[] = [];
      let next = outbox.confirmed + 1;
      for (const number of [...entries.keys(), sent + 1]) {
        if (number > next) ranges.push(next, number - 1);
        next = number + 1;
      }
      return ranges.length ? ranges : undefined;
    },
    get waiting() {
      // What is confirmed already needs no connection.
      while (carried < sent && !entries.has(carried + 1)) carried++;
      return entries.get(carried + 1)?.frame;
    },
    push(frame, mark) {
      const { size } = entries;
      // What is pushed does not count, so that one of any size gets through.
      if (mark !== FrameTag.Owed && (size >= offlinePacketsMax || bytes > offlineBytesMax)) throw outboxFull();
      entries.set(++sent, { frame, mark });
      bytes += frame.length;
    },
    // One goes alone whatever its size, once the server has told how large it may be, and whatever has left before. That MUST
    // go before WELCOME tells what of it was handled, or both ends would count differently.
    take() {
      const frame = outbox.waiting;
      if (frame === undefined) return undefined;
      const fits =
        flying < outbox.window.windowPacketsMax && flyingBytes + frame.length <= outbox.window.windowBytesMax;
      if ((flying || !outbox.window.frameBytesMax) && !fits && carried >= left) return undefined;
      carried++;
      flying++;
      flyingBytes += frame.length;
      return frame;
    },
    confirm(count, settled = []) {
      checkConfirmed(count, outbox.confirmed, Math.max(count, settled.at(-1) ?? 0), outbox.left);
      while (outbox.confirmed < count) free(++outbox.confirmed);
      for (let i = 0; i < settled.length; i += 2)
        for (let number = settled[i]!; number <= settled[i + 1]!; number++) free(number);
      carried = Math.max(carried, count);
      return undefined;
    },
    rewind() {
      left = outbox.left;
      carried = outbox.confirmed;
      flying = flyingBytes = 0;
    },
    giveUp(isUnwanted) {
      const before = outbox.left;
      const given: OutboxEntry<F>[] = [];
      sent = before;
      for (const [number, entry] of [...entries]) {
        const { frame, mark } = entry;
        const isGiven = mark >= FrameTag.Event && isUnwanted(entry);
        if (number <= before) {
          if (isGiven) entries.set(number, { frame, mark: FrameTag.Event });
          continue;
        }
        entries.delete(number);
        if (isGiven) {
          bytes -= frame.length;
          given.push(entry);
        } else entries.set(++sent, entry);
      }
      return given;
    },
    restart(keeps, isAnswered) {
      const before = left;
      const kept = new Set<number>();
      let lost = 0;
      const all = [...entries];
      entries.clear();
      outbox.confirmed = bytes = sent = carried = left = flying = flyingBytes = 0;
      for (const [number, { frame, mark }] of all) {
        if (mark < FrameTag.Event || (mark && isAnswered(mark))) continue;
        if (number <= before || !keeps(frame)) lost++;
        else {
          kept.add(mark);
          outbox.push(frame, mark);
        }
      }
      return { kept, lost };
    },
  };
  return outbox;
}
