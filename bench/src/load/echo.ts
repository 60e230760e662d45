// Event with ack, a fixed number in flight on each connection: as many new ones go out in one write as replies came in.
import type { Payload } from '../contract/plan';
import type { Dialect } from './dialect';
import { type Pattern, settled } from './pattern';
import type { Peer } from './peer';

/** All numbers have as many digits, so that every request of a ring is as long. */
const firstAck = 1_001;

export class Echo implements Pattern {
  readonly #inFlight: number;
  /** The requests of one round, twice: any `n` that follow each other are one slice. */
  readonly #ring: Buffer;
  readonly #requestBytes: number;
  #outstanding = 0;
  #stopped: (() => void) | undefined;
  #running = false;

  constructor(dialect: Dialect, payload: Payload, inFlight: number) {
    this.#inFlight = inFlight;
    const requests = Array.from({ length: inFlight }, (_, i) => dialect.event('echo', [payload], firstAck + i));
    this.#requestBytes = requests[0]?.length ?? 0;
    if (requests.some((request) => request.length !== this.#requestBytes)) throw new Error('requests differ in length');
    this.#ring = Buffer.concat([...requests, ...requests]);
  }

  start(peers: readonly Peer[]): void {
    this.#running = true;
    for (const peer of peers) {
      peer.place = 0;
      this.#ask(peer, this.#inFlight);
    }
  }

  arrived(peer: Peer, replies: number): void {
    this.#outstanding -= replies;
    if (this.#running) this.#ask(peer, replies);
    else if (this.#outstanding === 0) this.#stopped?.();
  }

  stop(): Promise<void> {
    this.#running = false;
    return settled((resolve) => {
      this.#stopped = resolve;
      if (this.#outstanding === 0) resolve();
    });
  }

  #ask(peer: Peer, count: number): void {
    this.#outstanding += count;
    const from = peer.place * this.#requestBytes;
    peer.write(this.#ring.subarray(from, from + count * this.#requestBytes));
    peer.place = (peer.place + count) % this.#inFlight;
  }
}
