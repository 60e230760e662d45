// How often a password may be guessed wrongly from one address; of IPv6 from one network, of which one client has all addresses.
import { networkOf } from '@halyard/server';

/** So many wrong ones in a row, … */
const failuresMax = 10;
/** … and then none is looked at until so long after the first of them, in milliseconds. */
const windowMs = 60_000;
/** Addresses that are told apart: those beyond are one. */
const addressesMax = 1_000;
const others = '';

interface Known {
  failures: number;
  since: number;
}

export class Attempts {
  readonly #now: () => number;
  readonly #known = new Map<string, Known>();

  /** @param now in milliseconds */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** @returns how long an address has to wait, in milliseconds; 0 if it may try */
  waitMs(address: string): number {
    const known = this.#fresh(address);
    return known !== undefined && known.failures >= failuresMax ? known.since + windowMs - this.#now() : 0;
  }

  /** It has tried, and was wrong. */
  failed(address: string): void {
    const known = this.#fresh(address);
    if (known !== undefined) known.failures++;
    else this.#known.set(this.#keyOf(address), { failures: 1, since: this.#now() });
  }

  /** It knows the password. */
  succeeded(address: string): void {
    this.#known.delete(networkOf(address));
  }

  #fresh(address: string): Known | undefined {
    const key = this.#keyOf(address);
    const known = this.#known.get(key);
    if (known === undefined || this.#now() - known.since < windowMs) return known;
    this.#known.delete(key);
    return undefined;
  }

  #keyOf(address: string): string {
    const network = networkOf(address);
    if (this.#known.has(network) || this.#known.size < addressesMax) return network;
    for (const [one, { since }] of this.#known) if (this.#now() - since >= windowMs) this.#known.delete(one);
    return this.#known.size < addressesMax ? network : others;
  }
}
