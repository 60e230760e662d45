// Event with ack, a fixed number in flight on each connection: as many new ones go out in one write as replies came in.
import type { Payload } from '../contract/plan';
import type { Dialect } from './dialect';
import { type Pattern, settled } from './pattern';
import type { Peer } from './peer';
import { Requests } from './requests';

export class Echo implements Pattern {
  readonly #inFlight: number;
  readonly #requests: Requests;
  #outstanding = 0;
  #stopped: (() => void) | undefined;
  #running = false;

  constructor(dialect: Dialect, payload: Payload, inFlight: number) {
    this.#inFlight = inFlight;
    this.#requests = new Requests(dialect, payload);
  }

  start(peers: readonly Peer[]): void {
    this.#running = true;
    for (const peer of peers) this.#ask(peer, this.#inFlight);
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
    this.#requests.after(peer.asked, count, (some) => peer.write(some));
    peer.asked += count;
  }
}
