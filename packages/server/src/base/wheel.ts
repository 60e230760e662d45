// One timer wheel for everything on a server that waits. An item costs three fields and no timer of its own.
import type { Clock } from '@halyard/protocol';

const never = Number.POSITIVE_INFINITY;

/** What is in one slot of the wheel: a ring that begins and ends with the slot itself. */
interface Link {
  wheelNext: Link | undefined;
  wheelPrevious: Link | undefined;
}

/** Something that has to do something at some time. */
export abstract class Timed implements Link {
  /** When the wheel will call `due`, if it will. Owned by the wheel, as the other two. */
  wheelAt: number | undefined = undefined;
  wheelNext: Link | undefined = undefined;
  wheelPrevious: Link | undefined = undefined;

  /** Called once per schedule, at or after its time. Schedules itself again if it wants to. */
  abstract due(now: number): void;
}

/** A call at some time. */
export class TimedCall extends Timed {
  readonly #run: () => void;

  constructor(run: () => void) {
    super();
    this.#run = run;
  }

  override due(): void {
    this.#run();
  }
}

class Slot implements Link {
  wheelNext: Link = this;
  wheelPrevious: Link = this;
}

/** As much later something may be called than it was to be, and as much earlier is what `lately` says. */
export const tickMs = 100;
const slotCount = 512;

export class TimerWheel {
  readonly #clock: Clock;
  readonly #slots = Array.from({ length: slotCount }, () => new Slot());
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
    if (at === never || (item.wheelAt !== undefined && at >= item.wheelAt)) return;
    this.cancel(item);
    if (this.#count === 0) this.#done = Math.floor(this.#clock.now() / tickMs);
    this.#insert(item, at);
    this.#arm();
  }

  cancel(item: Timed): void {
    const { wheelNext, wheelPrevious } = item;
    if (wheelNext === undefined || wheelPrevious === undefined) return;
    wheelPrevious.wheelNext = wheelNext;
    wheelNext.wheelPrevious = wheelPrevious;
    item.wheelAt = item.wheelNext = item.wheelPrevious = undefined;
    this.#count--;
  }

  /** Forgets everything. */
  stop(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    for (const slot of this.#slots) {
      for (let item = slot.wheelNext; item instanceof Timed; item = slot.wheelNext) this.cancel(item);
    }
  }

  #insert(item: Timed, at: number): void {
    // Later than one turn of the wheel: parked in the last slot, and put in again when its time comes.
    const tick = Math.min(Math.max(Math.ceil(at / tickMs), this.#done + 1), this.#done + slotCount - 1);
    const slot = this.#slots[tick % slotCount] as Slot;
    item.wheelAt = at;
    item.wheelPrevious = slot;
    item.wheelNext = slot.wheelNext;
    slot.wheelNext.wheelPrevious = item;
    slot.wheelNext = item;
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
      const slot = this.#slots[tick % slotCount] as Slot;
      for (let item = slot.wheelNext; item instanceof Timed; ) {
        const following = item.wheelNext as Link;
        const at = item.wheelAt as number;
        if (at <= now) {
          this.cancel(item);
          item.due(now);
          // `due` may have changed the ring: start over. What it put back is for a later tick.
          item = slot.wheelNext;
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
