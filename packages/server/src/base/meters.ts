// What a server counts of what it does, for who asks. What costs something for each packet is counted only once somebody has asked.
import { Budget } from './budget';
import { Histogram } from './histogram';
import { Histograms } from './histograms';
import type { Instruments } from './instruments';
import { LoopDelay } from './loop-delay';
import type { Platform } from './platform';
import { Traffic } from './traffic';

export interface MetersOptions {
  readonly platform: Platform;
  /** By their index. */
  readonly codecs: readonly { readonly name: string }[];
  /** Names of events that are told apart. */
  readonly metricEventsMax: number;
}

export class Meters {
  /** Whether packets, handlers and replies are counted. */
  isOn = false;
  /** Whether somebody has asked who may ask again at any time. */
  #isWanted = false;
  #isOver = false;
  /** Who wants to know for a while. */
  #watchers = 0;
  /** How long handlers take until what they return is there, by event. */
  readonly handlers: Histograms;
  /** How long replies of clients take. */
  readonly replies = new Histogram();
  /** How many replies have not come in time, or not at all. */
  repliesMissed = 0;
  /** Volatile events of clients that have come too fast. */
  volatileRefused = 0;
  readonly loopDelay: LoopDelay;
  /** What somebody has hung in to see more. */
  instruments: Instruments | undefined;
  readonly #platform: Platform;
  readonly #budget = new Budget();
  readonly #codecs: MetersOptions['codecs'];
  readonly #traffic = new Map<string, Traffic[]>();

  constructor({ platform, codecs, metricEventsMax }: MetersOptions) {
    this.#platform = platform;
    this.#codecs = codecs;
    this.handlers = new Histograms(metricEventsMax);
    this.loopDelay = new LoopDelay(platform, () => this.#budget.renew());
  }

  /** Somebody wants to know: from now on everything is counted. */
  begin(): void {
    this.#isWanted = true;
    this.#turn();
  }

  /** Somebody wants to know for a while. @returns what ends that */
  watch(): () => void {
    let isOver = false;
    this.#watchers++;
    this.#turn();
    return () => {
      if (isOver) return;
      isOver = true;
      this.#watchers--;
      this.#turn();
    };
  }

  /** Nobody is told anything any more: the server is closed. */
  end(): void {
    this.#isOver = true;
    this.#turn();
  }

  #turn(): void {
    const isOn = !this.#isOver && (this.#isWanted || this.#watchers > 0);
    if (this.isOn === isOn) return;
    this.isOn = isOn;
    for (const one of this.allTraffic()) one.isCounted = isOn;
    if (isOn) this.loopDelay.begin();
    else this.loopDelay.stop();
  }

  /** @returns for how many the time of something that begins now stands; 0: nobody wants to know it */
  weight(): number {
    return this.isOn ? this.#budget.weight() : 0;
  }

  /** In milliseconds. */
  now(): number {
    return this.#platform.exact();
  }

  /** @param startedAt when its handlers were called. @param weight as it was then */
  handled(event: string, startedAt: number, weight: number): void {
    if (weight > 0) this.handlers.of(event).add((this.now() - startedAt) / 1_000, weight);
  }

  /** @param startedAt when a client was asked. @param weight as it was then */
  replied(startedAt: number, weight: number): void {
    if (weight > 0) this.replies.add((this.now() - startedAt) / 1_000, weight);
  }

  traffic(transport: string, codecIndex: number): Traffic {
    let ofTransport = this.#traffic.get(transport);
    if (ofTransport === undefined) {
      ofTransport = this.#codecs.map(({ name }) => new Traffic(transport, name, this.#budget));
      for (const one of ofTransport) one.isCounted = this.isOn;
      this.#traffic.set(transport, ofTransport);
    }
    return ofTransport[codecIndex] as Traffic;
  }

  *allTraffic(): Generator<Traffic> {
    for (const ofTransport of this.#traffic.values()) yield* ofTransport;
  }
}
