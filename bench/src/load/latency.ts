// Event with ack at a fixed offered rate. A reply's latency counts from when its request was due, not from when it
// left: a server that stalls is charged for everything that waited.

import { percentile } from '../base/ratios';
import type { Latencies } from '../contract/operations';
import type { Payload } from '../contract/plan';
import type { Dialect } from './dialect';
import type { Pattern } from './pattern';
import type { Peer } from './peer';

export class FixedRate implements Pattern {
  readonly #request: Buffer;
  readonly #ratePerS: number;
  readonly #latenciesUs: number[] = [];
  /** For each peer, when its unanswered requests were due. */
  #due: number[][] = [];
  #peers: readonly Peer[] = [];
  #startedAt = 0;
  #sent = 0;
  #running = false;

  constructor(dialect: Dialect, payload: Payload, ratePerS: number) {
    this.#request = dialect.event('echo', [payload], 1_001);
    this.#ratePerS = ratePerS;
  }

  start(peers: readonly Peer[]): void {
    this.#peers = peers;
    this.#due = peers.map(() => []);
    for (const [place, peer] of peers.entries()) peer.place = place;
    this.#startedAt = performance.now();
    this.#running = true;
    this.#send();
  }

  arrived(peer: Peer, replies: number): void {
    const due = this.#due[peer.place]!;
    const now = performance.now();
    for (let i = 0; i < replies; i++) this.#latenciesUs.push((now - due.shift()!) * 1_000);
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
      const place = this.#turn++ % this.#peers.length;
      this.#due[place]!.push(due);
      this.#sent++;
      this.#peers[place]!.write(this.#request);
    }
    setImmediate(() => this.#send());
  }

  #turn = 0;
}
