// A two-way pipe for frames in virtual time. Like TCP it keeps their order and, while it lives, loses none; like a
// network it can die at any moment, and its ends learn of it late or never.
import type { VirtualClock } from './clock';
import type { Random } from './random';

/** Bounds of a random duration in milliseconds, both included. */
export type RangeMs = readonly [min: number, max: number];

/** How a network behaves. Links read it at every use, so a test may change it on the way. */
export interface Network {
  /** How long a frame, or a side's goodbye, is on the way. */
  latencyMs: RangeMs;
  /** How long after a cut an end learns of it … */
  noticeMs: RangeMs;
  /** … and how probable it is that it never does. */
  unnoticed: number;
}

/** Which end of a cut link learns of it. */
export type NoticedBy = 'both' | 'client' | 'server' | 'nobody';

export function between(random: Random, [min, max]: RangeMs): number {
  return min + random.int(max - min + 1);
}

export interface LinkEnd<F> {
  onFrame: (frame: F) => void;
  /** The other side has closed, or this one has noticed a cut. Never called after this side's own `close`. */
  onClose: () => void;
  send(frame: F): void;
  /** What was sent before still arrives, and then the other side's `onClose` is called. */
  close(): void;
}

export class FakeLink<F> {
  readonly client: LinkEnd<F>;
  readonly server: LinkEnd<F>;
  readonly #clock: VirtualClock;
  readonly #random: Random;
  readonly #network: Network;
  readonly #ends: readonly End<F>[];
  #cut = false;

  constructor(clock: VirtualClock, random: Random, network: Network) {
    this.#clock = clock;
    this.#random = random;
    this.#network = network;
    const client = new End<F>((arrive, latest) => this.#carry(arrive, latest));
    const server = new End<F>((arrive, latest) => this.#carry(arrive, latest));
    client.peer = server;
    server.peer = client;
    this.client = client;
    this.server = server;
    this.#ends = [client, server];
  }

  /** What the server sends from now on arrives no earlier than so much later. */
  stall(ms: number): void {
    this.#ends[1]?.stall(this.#clock.now() + ms);
  }

  /** The connection dies now, and everything in flight with it. @param noticedBy by chance, if it is left out */
  cut(noticedBy?: NoticedBy, noticeMs: RangeMs = this.#network.noticeMs): void {
    if (this.#cut) return;
    this.#cut = true;
    for (const end of this.#ends) {
      const itself = end === this.client ? 'client' : 'server';
      if (noticedBy === undefined ? this.#random.chance(this.#network.unnoticed) : !isOneOf(itself, noticedBy))
        continue;
      this.#clock.after(between(this.#random, noticeMs), () => end.gone());
    }
  }

  /** @returns when it arrives: no earlier than `latest`, what was sent before it */
  #carry(arrive: () => void, latest: number): number {
    const now = this.#clock.now();
    const at = Math.max(latest, now + between(this.#random, this.#network.latencyMs));
    this.#clock.after(at - now, () => {
      if (!this.#cut) arrive();
    });
    return at;
  }
}

function isOneOf(end: 'client' | 'server', noticedBy: NoticedBy): boolean {
  return noticedBy === end || noticedBy === 'both';
}

class End<F> implements LinkEnd<F> {
  onFrame: (frame: F) => void = () => {};
  onClose: () => void = () => {};
  peer: End<F> | undefined;
  readonly #carry: (arrive: () => void, latest: number) => number;
  #closed = false;
  #latest = 0;

  constructor(carry: (arrive: () => void, latest: number) => number) {
    this.#carry = carry;
  }

  send(frame: F): void {
    if (!this.#closed) this.#latest = this.#carry(() => this.peer?.arrived(frame), this.#latest);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#carry(() => this.peer?.gone(), this.#latest);
  }

  stall(until: number): void {
    this.#latest = Math.max(this.#latest, until);
  }

  arrived(frame: F): void {
    if (!this.#closed) this.onFrame(frame);
  }

  gone(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.onClose();
  }
}
