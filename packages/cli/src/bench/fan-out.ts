// Broadcasts: one connection says an event that the server tells to all, and it is looked at when each hears it.
import type { Socket } from '@halyard/client';
import { Latencies } from './latencies';

export interface FanOutOptions {
  /** What the server tells to all, under any name: the text that it comes with has to be among the arguments. */
  readonly event: string;
  readonly payload: string;
  readonly durationMs: number;
  /** How long the last of a round is waited for. */
  readonly waitMs: number;
}

export class FanOut {
  readonly latencies = new Latencies();
  rounds = 0;
  /** Deliveries that have not come in time. */
  missing = 0;
  tookMs = 0;

  async run(sockets: readonly Socket[], { event, payload, durationMs, waitMs }: FanOutOptions): Promise<void> {
    const [speaker] = sockets;
    if (speaker === undefined) return;
    const begun = performance.now();
    let [mark, saidAt, heard] = ['', 0, 0];
    let whole = (): void => {};
    const listen = (_name: string, ...args: unknown[]): void => {
      if (!args.includes(mark)) return;
      this.latencies.add(performance.now() - saidAt);
      heard++;
      if (heard === sockets.length) whole();
    };
    for (const socket of sockets) socket.onAny(listen);
    try {
      while (performance.now() < begun + durationMs) {
        heard = 0;
        mark = `${this.rounds}:${payload}`;
        const all = new Promise<void>((resolve) => {
          const limit = setTimeout(resolve, waitMs);
          whole = () => {
            clearTimeout(limit);
            resolve();
          };
        });
        saidAt = performance.now();
        speaker.emit(event, mark);
        await all;
        this.rounds++;
        this.missing += sockets.length - heard;
        // Nobody tells it to all: there is nothing to measure.
        if (heard === 0) break;
      }
    } finally {
      for (const socket of sockets) socket.offAny(listen);
      this.tookMs = performance.now() - begun;
    }
  }
}
