// Many clients of one server: they open, some at a time, and what fails is counted by what it says.
import type { HalyardError, Socket } from '@halyard/client';
import { Latencies } from './latencies';

export interface CrowdOptions {
  readonly connections: number;
  /** How many may be opening at a time. */
  readonly atOnce: number;
  /** After which one that has not opened has failed. */
  readonly waitMs: number;
  /** @returns a client that connects when it is told to, and does not try again */
  open(): Socket;
}

/** How many different reasons are told apart. */
const reasonsMax = 20;

export class Crowd {
  readonly sockets: Socket[] = [];
  readonly opening = new Latencies();
  /** How many have failed, by what they say. */
  readonly failures = new Map<string, number>();
  /** How many were open, and were lost. */
  lost = 0;
  failed = 0;
  tookMs = 0;
  readonly #options: CrowdOptions;
  #isOver = false;

  constructor(options: CrowdOptions) {
    this.#options = options;
  }

  async gather(): Promise<void> {
    const { connections, atOnce } = this.#options;
    const begun = performance.now();
    let next = 0;
    const lane = async (): Promise<void> => {
      while (next < connections) {
        next++;
        await this.#open();
      }
    };
    await Promise.all(Array.from({ length: Math.min(atOnce, connections) }, lane));
    this.tookMs = performance.now() - begun;
  }

  /** Says goodbye for all. */
  end(): void {
    this.#isOver = true;
    for (const socket of this.sockets) socket.connection.close();
  }

  fail(reason: string): void {
    this.failed++;
    const known = this.failures.has(reason) || this.failures.size < reasonsMax ? reason : 'others';
    this.failures.set(known, (this.failures.get(known) ?? 0) + 1);
  }

  #open(): Promise<void> {
    const begun = performance.now();
    const socket = this.#options.open();
    return new Promise((resolve) => {
      const settle = (reason?: string): void => {
        clearTimeout(limit);
        socket.removeAllListeners('connect').removeAllListeners('connect_error');
        socket.on('connect_error', () => {});
        if (reason === undefined) {
          this.opening.add(performance.now() - begun);
          this.sockets.push(socket);
          socket.on('disconnect', () => {
            if (!this.#isOver) this.lost++;
          });
        } else {
          this.fail(reason);
          socket.connection.close();
        }
        resolve();
      };
      const limit = setTimeout(() => settle('not open in time'), this.#options.waitMs);
      socket.on('connect', () => settle());
      socket.on('connect_error', ({ code, message }: HalyardError) => settle(`${code}: ${message}`));
      socket.on('error', () => {});
      socket.connect();
    });
  }
}
