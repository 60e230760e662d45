// One timer wheel for everything on a server that waits. An item costs four fields and no timer of its own.
import type { Clock } from '@halyard/protocol';

const never = Number.POSITIVE_INFINITY;

/** Something that has to do something at some time. */
export abstract class Timed {
  /** When the wheel will call `due`, or Infinity. Owned by the wheel, as the other three. */
  wheelAt = never;
  wheelSlot = 0;
  wheelNext: Timed | undefined = undefined;
  wheelPrevious: Timed | undefined = undefined;

  /** Called once per schedule, at or after its time. Schedules itself again if it wants to. */
  abstract due(now: number): void;
}

const tickMs = 100;
const slotCount = 512;

export class TimerWheel {
  readonly #clock: Clock;
  readonly #slots: (Timed | undefined)[] = new Array(slotCount).fill(undefined);
  #count = 0;
  /** Ticks up to this one were run. */
  #done = 0;
  #cancelTimer: (() => void) | undefined;
  #lately: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#lately = clock.now();
  }

  now(): number {
    this.#lately = this.#clock.now();
    return this.#lately;
  }

  /** The time at the last tick or the last call of `now`: good enough for what is due in seconds, and free. */
  lately(): number {
    return this.#count === 0 ? this.now() : this.#lately;
  }

  /** Makes sure `item.due` is called at `at` or up to 100 ms later. An earlier time that is set already stays. */
  schedule(item: Timed, at: number): void {
    if (at >= item.wheelAt) return;
    this.cancel(item);
    if (at === never) return;
    if (this.#count === 0) this.#done = Math.floor(this.#clock.now() / tickMs);
    this.#insert(item, at);
    this.#arm();
  }

  cancel(item: Timed): void {
    if (item.wheelAt === never) return;
    item.wheelAt = never;
    if (item.wheelPrevious === undefined) this.#slots[item.wheelSlot] = item.wheelNext;
    else item.wheelPrevious.wheelNext = item.wheelNext;
    if (item.wheelNext !== undefined) item.wheelNext.wheelPrevious = item.wheelPrevious;
    item.wheelNext = item.wheelPrevious = undefined;
    this.#count--;
  }

  /** Forgets everything. */
  stop(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    for (let slot = 0; slot < slotCount; slot++) {
      for (let item = this.#slots[slot]; item !== undefined; item = this.#slots[slot]) this.cancel(item);
    }
  }

  #insert(item: Timed, at: number): void {
    // Later than one turn of the wheel: parked in the last slot, and put in again when its time comes.
    const tick = Math.min(Math.max(Math.ceil(at / tickMs), this.#done + 1), this.#done + slotCount - 1);
    const slot = tick % slotCount;
    const head = this.#slots[slot];
    item.wheelAt = at;
    item.wheelSlot = slot;
    item.wheelNext = head;
    if (head !== undefined) head.wheelPrevious = item;
    this.#slots[slot] = item;
    this.#count++;
  }

  #arm(): void {
    this.#cancelTimer ??= this.#clock.after(tickMs, () => {
      this.#cancelTimer = undefined;
      this.#run();
      if (this.#count > 0) this.#arm();
    });
  }

  #run(): void {
    const now = this.now();
    const current = Math.floor(now / tickMs);
    // After a long pause every slot is looked at once, not once per missed tick.
    for (let tick = Math.max(this.#done + 1, current - slotCount + 1); tick <= current; tick++) {
      this.#done = tick;
      const slot = tick % slotCount;
      for (let item = this.#slots[slot]; item !== undefined; ) {
        const following: Timed | undefined = item.wheelNext;
        const at = item.wheelAt;
        if (at <= now) {
          this.cancel(item);
          item.due(now);
          // `due` may have changed the list: start over. What it put back is for a later tick.
          item = this.#slots[slot];
          continue;
        }
        if (Math.ceil(at / tickMs) !== tick) {
          this.cancel(item);
          this.#insert(item, at);
        }
        item = following;
      }
    }
  }
}
