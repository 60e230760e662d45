// A two-way pipe for frames in virtual time. Like TCP it keeps their order and, while it lives, loses none; like a
// network it can die at any moment, and its ends learn of it late or never.
import type { Random, RangeMs } from './random';
import type { VirtualClock } from './virtual-clock';

/** How a network behaves. Links read it at every use, so a test may change it on the way. */
export interface Network {
  /** How long a frame, or a side's goodbye, is on the way. */
  latencyMs: RangeMs;
  /** How long after a cut an end learns of it … */
  noticeMs: RangeMs;
  /** … and how probable it is that it never does. */
  unnoticed: number;
}

export interface World {
  readonly clock: VirtualClock;
  readonly random: Random;
  readonly network: Network;
}

export class Link<F> {
  readonly client: LinkEnd<F>;
  readonly server: LinkEnd<F>;
  readonly #world: World;
  #isCut = false;

  constructor(world: World) {
    const carry: Carry = (arrive, latest) => this.#carry(arrive, latest);
    this.#world = world;
    this.client = new LinkEnd<F>(carry, () => this.server);
    this.server = new LinkEnd<F>(carry, () => this.client);
  }

  /** The connection dies now, and everything in flight with it. */
  cut(): void {
    if (this.#isCut) return;
    this.#isCut = true;
    const { clock, random, network } = this.#world;
    for (const end of [this.client, this.server]) {
      if (!random.chance(network.unnoticed)) clock.after(random.between(network.noticeMs), () => end.gone());
    }
  }

  #carry(arrive: () => void, latest: number): number {
    const { clock, random, network } = this.#world;
    const now = clock.now();
    const at = Math.max(latest, now + random.between(network.latencyMs));
    clock.after(at - now, () => {
      if (!this.#isCut) arrive();
    });
    return at;
  }
}

/** @returns when it arrives: no earlier than `latest`, what was sent before it */
type Carry = (arrive: () => void, latest: number) => number;

export class LinkEnd<F> {
  onFrame: (frame: F) => void = () => {};
  /** The other side has closed, or this one has noticed a cut. Never called after this side's own `close`. */
  onClose: () => void = () => {};
  readonly #carry: Carry;
  readonly #other: () => LinkEnd<F>;
  #isClosed = false;
  #latest = 0;

  constructor(carry: Carry, other: () => LinkEnd<F>) {
    this.#carry = carry;
    this.#other = other;
  }

  send(frame: F): void {
    if (this.#isClosed) return;
    const other = this.#other();
    this.#latest = this.#carry(() => {
      if (!other.#isClosed) other.onFrame(frame);
    }, this.#latest);
  }

  /** What was sent before still arrives, and then the other side's `onClose` is called. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#carry(() => this.#other().gone(), this.#latest);
  }

  gone(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.onClose();
  }
}
