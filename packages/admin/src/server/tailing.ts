// What happens on this server, as it is told to those who follow it: several things at a time, and no more than a person, or a program,
// can take in.
import type { Inspection, Told } from '@halyard/server';
import type { Item } from '../base/said';
import type { Leases } from './leases';

/** What has happened is told after so many milliseconds, together with what has happened since. */
const gatherMs = 200;
/** Of what happens in that time, more is not told. */
const itemsMax = 250;

export interface TailingContext {
  readonly inspection: Inspection;
  /** Whether anybody follows. */
  readonly leases: Pick<Leases, 'isHeld'>;
  send(number: number, items: readonly Item[], leftOut: number): void;
}

export class Tailing {
  readonly #context: TailingContext;
  #end: (() => void) | undefined;
  #isGathering = false;
  #items: Item[] = [];
  #leftOut = 0;
  #number = 0;

  constructor(context: TailingContext) {
    this.#context = context;
  }

  /** Somebody follows. */
  begin(): void {
    this.#end ??= this.#context.inspection.hear('debug', (told) => this.#hear(told));
  }

  #hear(told: Told): void {
    const { inspection, leases } = this.#context;
    if (!leases.isHeld) {
      this.#end?.();
      this.#end = undefined;
      return;
    }
    if (this.#items.length < itemsMax) this.#items.push(itemOf(told, inspection.clock.wall()));
    else this.#leftOut++;
    if (this.#isGathering) return;
    this.#isGathering = true;
    inspection.clock.after(gatherMs, () => this.#send());
  }

  #send(): void {
    const [items, leftOut] = [this.#items, this.#leftOut];
    this.#isGathering = false;
    this.#items = [];
    this.#leftOut = 0;
    this.#context.send(++this.#number, items, leftOut);
  }
}

/** @returns it without the error of the app, which may say anything */
function itemOf({ happening, level, message, facts }: Told, at: number): Item {
  const { err: _err, ...others } = facts;
  const known = Object.entries(others).filter(([, value]) => value !== undefined);
  return { at, happening, level, message, facts: Object.fromEntries(known) as Item['facts'] };
}
