// One server of several in a run: its time, its networks, and its death. As long as it stands still nothing of it happens, and what
// comes to it waits.
import { json } from '@halyard/codec/json';
import { msgpack } from '@halyard/codec-msgpack';
import type { VirtualClock } from '@halyard/harness/clock';
import type { Random } from '@halyard/harness/random';
import { type HostFactory, type HostHandlers, Server } from '@halyard/server';
import { LossyHttp, MemoryNetwork } from '@halyard/testkit/internal';
import { HaltingTime } from './halting-time';
import type { SimulatedNode } from './simulated-store';

/** For so long a session waits for its client. */
export const recoveryWindowMs = 60_000;

type Verdict = ReturnType<HostHandlers['upgrade']>;

export class ServerPlace {
  readonly number: number;
  readonly io: Server;
  readonly time: HaltingTime;
  readonly network: MemoryNetwork;
  readonly http: LossyHttp;
  readonly store: SimulatedNode;
  isAlive = true;
  /** Whether only those come to it that are sent there. */
  isReserved = false;
  /** It is told to stop, and balancers lead nobody to it any more. */
  isLeaving = false;

  constructor(
    number: number,
    clock: VirtualClock,
    random: () => Random,
    native: boolean,
    store: SimulatedNode,
    logPacketsMax: number,
  ) {
    this.number = number;
    this.store = store;
    this.time = new HaltingTime(clock);
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
    const backpressureBytesMax = wires.pick([131_072, 131_072, 1 << 20]);
    this.io = new Server({
      ...{ heartbeatMs: 2_000, heartbeatTimeoutMs: 1_500, pollHoldMs: 1_000, codecs: [json(), msgpack()] },
      ...{
        sackPacketsMax: 5,
        sackDelayMs: 40,
        recoveryWindowMs,
        backpressureBytesMax,
        logPacketsMax,
        logBytesMax: 1 << 24,
      },
      adapter: () => store,
      clock: this.time,
      host,
    });
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
        if (verdict instanceof Promise || 'refuse' in verdict) return verdict;
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
      refusal: (request, answer) => handlers.refusal(request, answer),
      request: (request, body, reply) => gate(() => handlers.request(request, body, reply)),
    };
  }
}
