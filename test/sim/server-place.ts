// One server of several in a run: its time, its networks, and its death. As long as it stands still nothing of it happens, and what
// comes to it waits.
import { json } from '@halyard/codec/json';
import { msgpack } from '@halyard/codec-msgpack';
import type { VirtualClock } from '@halyard/harness/clock';
import type { Random } from '@halyard/harness/random';
import { type HostFactory, type HostHandlers, Server } from '@halyard/server';
import { LossyHttp, MemoryNetwork } from '@halyard/testkit/internal';
import { ServerClock } from '../kit/server-clock';
import type { SimulatedNode } from './simulated-store';

type Verdict = ReturnType<HostHandlers['upgrade']>;

/** The time of a server that may stand still too. */
class PlaceTime extends ServerClock {
  readonly #clock: VirtualClock;
  #pausedUntil = 0;
  #waiting: (() => void)[] = [];

  constructor(clock: VirtualClock) {
    super(clock);
    this.#clock = clock;
  }

  override after(delayMs: number, run: () => void): () => void {
    let isCancelled = false;
    const cancel = this.#clock.after(delayMs, () => this.gate(() => isCancelled || run()));
    return () => {
      isCancelled = true;
      cancel();
    };
  }

  override soon(run: () => void): void {
    setImmediate(() => this.gate(run));
  }

  /** Runs something, once it does not stand still. */
  gate(run: () => void): void {
    if (this.isGone) return;
    if (this.#clock.now() < this.#pausedUntil) this.#waiting.push(run);
    else run();
  }

  pause(ms: number): void {
    this.#pausedUntil = Math.max(this.#pausedUntil, this.#clock.now() + ms);
    this.#clock.after(ms, () => {
      if (this.#clock.now() < this.#pausedUntil) return;
      for (const run of this.#waiting.splice(0)) this.gate(run);
    });
  }
}

export class ServerPlace {
  readonly number: number;
  readonly io: Server;
  readonly time: PlaceTime;
  readonly network: MemoryNetwork;
  readonly http: LossyHttp;
  readonly store: SimulatedNode;
  isAlive = true;

  constructor(number: number, clock: VirtualClock, random: () => Random, native: boolean, store: SimulatedNode) {
    this.number = number;
    this.store = store;
    this.time = new PlaceTime(clock);
    const wires = random();
    const network = { latencyMs: [1, 5] as const, noticeMs: [0, 200] as const, unnoticed: wires.pick([0, 0.3, 0.6]) };
    this.network = new MemoryNetwork(clock, wires, { ...network }, native);
    this.http = new LossyHttp(clock, random(), {
      latencyMs: 8,
      loss: 0.03,
      unnoticed: 0.3,
      repeat: 0.1,
      repeatMs: 400,
    });
    const host: HostFactory = async (path, handlers, limits, platform) => {
      const gated = this.#gated(handlers);
      await this.http.host(path, gated, limits, platform);
      return this.network.host(path, gated, limits, platform);
    };
    store.gate = (run) => this.time.gate(run as () => void);
    this.io = new Server({
      ...{ heartbeatMs: 2_000, heartbeatTimeoutMs: 1_500, pollHoldMs: 1_000, codecs: [json(), msgpack()] },
      ...{ sackPacketsMax: 5, sackDelayMs: 40, recoveryWindowMs: 60_000 },
      adapter: () => store,
      clock: this.time,
      host,
    });
  }

  /** It stands still for so long. */
  pause(ms: number): void {
    this.time.pause(ms);
  }

  kill(): void {
    this.isAlive = false;
    this.time.isGone = true;
    this.network.cut();
    this.store.kill();
  }

  /** Its networks are well. */
  heal(): void {
    Object.assign(this.network.network, { latencyMs: [1, 5], unnoticed: 0 });
    Object.assign(this.http.path, { loss: 0, repeat: 0 });
  }

  #gated(handlers: HostHandlers): HostHandlers {
    const gate = (run: () => void): void => this.time.gate(run);
    return {
      upgrade: (request): Verdict => {
        const verdict = handlers.upgrade(request);
        if ('refuse' in verdict) return verdict;
        return {
          ...verdict,
          open(socket) {
            const listener = verdict.open(socket);
            return {
              onMessage: (data, binary) => gate(() => listener.onMessage(data, binary)),
              onDrain: () => gate(() => listener.onDrain()),
              onClose: (code, reason) => gate(() => listener.onClose(code, reason)),
            };
          },
        };
      },
      request: (request, body, reply) => gate(() => handlers.request(request, body, reply)),
    };
  }
}
