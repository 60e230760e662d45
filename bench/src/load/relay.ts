// Messages from one peer to another, a fixed number in flight on each lane: as many new ones go out in one write as arrived.
import type { Lane } from './lanes';
import { type Pattern, settled } from './pattern';
import type { Peer } from './peer';

export class Relay implements Pattern {
  readonly #lanes: readonly Lane[];
  readonly #inFlight: number;
  #outstanding = 0;
  #running = false;
  #stopped: (() => void) | undefined;

  constructor(lanes: readonly Lane[], inFlight: number) {
    this.#lanes = lanes;
    this.#inFlight = inFlight;
  }

  start(): void {
    this.#running = true;
    for (const [place, { to }] of this.#lanes.entries()) {
      to.place = place;
      this.#ask(place, this.#inFlight);
    }
  }

  arrived({ place }: Peer, replies: number, deliveries: number): void {
    const came = replies + deliveries;
    this.#outstanding -= came;
    if (this.#running) this.#ask(place, came);
    else if (this.#outstanding === 0) this.#stopped?.();
  }

  stop(): Promise<void> {
    this.#running = false;
    return settled((resolve) => {
      this.#stopped = resolve;
      if (this.#outstanding === 0) resolve();
    });
  }

  #ask(place: number, count: number): void {
    this.#outstanding += count;
    this.#lanes[place]!.ask(count);
  }
}
