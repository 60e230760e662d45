// Numbers that are settled: all up to one, and ranges above it.
import type { NumberRanges } from '../wire/packet';

export class Settled {
  /** All numbers up to this one are settled. */
  prefix: number;
  /** First and last of each range above, ascending, with a gap before each. */
  readonly #ranges: number[];

  constructor(prefix = 0, ranges: NumberRanges = []) {
    this.prefix = prefix;
    this.#ranges = [...ranges];
  }

  get ranges(): NumberRanges {
    return this.#ranges;
  }

  has(number: number): boolean {
    return number <= this.prefix || this.hasRange(number, number);
  }

  /** Whether all of a range are settled. */
  hasRange(first: number, last: number): boolean {
    if (last <= this.prefix) return true;
    // Mostly it is a number that comes for the first time.
    if (first <= this.prefix || first > (this.#ranges.at(-1) ?? 0)) return false;
    const at = this.#after(first);
    return first >= (this.#ranges[at] as number) && last <= (this.#ranges[at + 1] as number);
  }

  /** Adds a number that is not settled. */
  add(number: number): void {
    const ranges = this.#ranges;
    if (number === this.prefix + 1) {
      this.prefix = number;
      if (ranges[0] === number + 1) this.prefix = ranges.splice(0, 2)[1] as number;
      return;
    }
    // Mostly what settles is near the end.
    let at = ranges.length;
    while (at > 0 && (ranges[at - 2] as number) > number) at -= 2;
    const joinsBefore = at > 0 && ranges[at - 1] === number - 1;
    const joinsAfter = ranges[at] === number + 1;
    if (joinsBefore && joinsAfter) ranges.splice(at - 1, 2);
    else if (joinsBefore) ranges[at - 1] = number;
    else if (joinsAfter) ranges[at] = number;
    else ranges.splice(at, 0, number, number);
  }

  /** @returns where the range is that a number is in, or that comes next */
  #after(number: number): number {
    let at = 0;
    while ((this.#ranges[at + 1] as number) < number) at += 2;
    return at;
  }
}
