// Whether anybody looks, at this server or at another one: each server that has such says so again and again, and is believed for a
// while. So who has looked away, or died, costs nobody anything.

/** For so long a server is believed, in milliseconds, … */
export const leaseMs = 12_000;
/** … which says it again after so many. */
export const renewMs = 5_000;

export class Leases {
  readonly #now: () => number;
  readonly #begun: () => void;
  readonly #until = new Map<string, number>();

  /** @param begun called when somebody looks, and nobody has before */
  constructor(now: () => number, begun: () => void) {
    this.#now = now;
    this.#begun = begun;
  }

  get isHeld(): boolean {
    const now = this.#now();
    for (const [node, until] of this.#until) {
      if (now < until) return true;
      this.#until.delete(node);
    }
    return false;
  }

  /** A server has somebody who looks. */
  take(node: string): void {
    const wasHeld = this.isHeld;
    this.#until.set(node, this.#now() + leaseMs);
    if (!wasHeld) this.#begun();
  }

  /** It has nobody any more. */
  give(node: string): void {
    this.#until.delete(node);
  }
}
