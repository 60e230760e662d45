// Round trips: each connection asks, and asks again once it has its reply.
import type { Socket } from '@halyard/client';
import { Latencies } from './latencies';

export interface EchoOptions {
  readonly event: string;
  readonly payload: string;
  readonly durationMs: number;
  /** How many of a connection are under way. */
  readonly inFlight: number;
}

export class Echo {
  readonly latencies = new Latencies();
  /** How many have failed, by their code. */
  readonly failures = new Map<string, number>();
  /** Whether the server has no handler: what is measured is its refusal, which takes the same way. */
  hasHandler = true;
  tookMs = 0;

  async run(sockets: readonly Socket[], { event, payload, durationMs, inFlight }: EchoOptions): Promise<void> {
    const begun = performance.now();
    const until = begun + durationMs;
    const lane = async (socket: Socket): Promise<void> => {
      while (performance.now() < until && socket.connected) {
        const asked = performance.now();
        try {
          await socket.emitWithAck(event, payload);
        } catch (error) {
          const { code = 'unknown' } = error as { code?: string };
          if (code === 'ERR_NO_HANDLER') this.hasHandler = false;
          else {
            this.failures.set(code, (this.failures.get(code) ?? 0) + 1);
            // Whatever fails at once would fail for ever, and leave no time for anything else.
            await new Promise((resolve) => setTimeout(resolve, failureWaitMs));
            continue;
          }
        }
        this.latencies.add(performance.now() - asked);
      }
    };
    await Promise.all(sockets.flatMap((socket) => Array.from({ length: inFlight }, () => lane(socket))));
    this.tookMs = performance.now() - begun;
  }
}

const failureWaitMs = 100;
