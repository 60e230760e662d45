// Requests at a fixed offered rate, over all lanes in turn. The latency of what arrives counts from when its request was due, not
// from when it left: a server that stalls is charged for everything that waited.

import { percentile } from '../base/ratios';
import type { Latencies } from '../contract/operations';
import type { Lane } from './lanes';
import type { Pattern } from './pattern';
import type { Peer } from './peer';

export class FixedRate implements Pattern {
  readonly #lanes: readonly Lane[];
  readonly #ratePerS: number;
  readonly #latenciesUs: number[] = [];
  /** For each lane, when what has not arrived was due. */
  readonly #due: number[][];
  #startedAt = 0;
  #sent = 0;
  #running = false;

  constructor(lanes: readonly Lane[], ratePerS: number) {
    this.#lanes = lanes;
    this.#due = lanes.map(() => []);
    this.#ratePerS = ratePerS;
  }

  start(): void {
    for (const [place, { to }] of this.#lanes.entries()) to.place = place;
    this.#startedAt = performance.now();
    this.#running = true;
    this.#send();
  }

  arrived(peer: Peer, replies: number, deliveries: number): void {
    const due = this.#due[peer.place]!;
    const now = performance.now();
    const came = replies + deliveries;
    for (let i = 0; i < came; i++) this.#latenciesUs.push((now - due.shift()!) * 1_000);
  }

  async stop(): Promise<void> {
    this.#running = false;
    const end = performance.now() + 5_000;
    while (this.#latenciesUs.length < this.#sent) {
      if (performance.now() > end) throw new Error(`${this.#sent - this.#latenciesUs.length} replies are missing`);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }

  /** Forgets what was measured until now, as after warming up. */
  reset(): void {
    this.#sent -= this.#latenciesUs.length;
    this.#latenciesUs.length = 0;
  }

  results(): Latencies {
    const sorted = Float64Array.from(this.#latenciesUs).sort();
    return {
      p50Us: percentile(sorted, 0.5),
      p99Us: percentile(sorted, 0.99),
      p999Us: percentile(sorted, 0.999),
      replies: sorted.length,
    };
  }

  /** Timers are too coarse: between two reads of the sockets, whatever is due goes out. */
  #send(): void {
    if (!this.#running) return;
    const now = performance.now();
    for (;;) {
      const due = this.#startedAt + (this.#turn * 1_000) / this.#ratePerS;
      if (due > now) break;
      const place = this.#turn++ % this.#lanes.length;
      this.#due[place]!.push(due);
      this.#sent++;
      this.#lanes[place]!.ask(1);
    }
    setImmediate(() => this.#send());
  }

  #turn = 0;
}
