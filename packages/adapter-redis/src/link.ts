// One connection to Redis: a call fails when its connection does, and none waits for another. ioredis would leave what was in flight
// unanswered for ever, or say it a second time; who calls here decides by itself whether to say it again.
import type { Redis } from 'ioredis';

export interface LinkEvents {
  /** It is there again, after it was lost. */
  onBack(): void;
  onLost(): void;
}

/** A call was not made, or its answer is lost with the connection. */
export class Away extends Error {
  override readonly name = 'Away';
}

/** A call without an answer. */
interface Call {
  /** Among those in flight; below zero if it was given up. */
  place: number;
  reject(error: Error): void;
}

export class Link {
  readonly client: Redis;
  /** What went wrong last. */
  failure: Error | undefined;
  /** In no order. Not a Set: one that so much comes to and goes from makes old tables, which keep the youngest from the collector. */
  #inFlight: Call[] = [];
  #isOpen = false;
  #isGathering = false;

  /** @param client made with `lazyConnect` */
  constructor(client: Redis, { onBack, onLost }: LinkEvents) {
    this.client = client;
    client.on('error', (error) => {
      this.failure = error;
      this.#silence();
    });
    client.on('close', () => {
      const lost = this.#inFlight;
      this.#inFlight = [];
      for (const call of lost) call.place = -1;
      for (const { reject } of lost) reject(new Away('the connection to Redis is lost'));
      if (this.#isOpen) onLost();
    });
    // From then on it may be loading what it has.
    client.on('connect', () => {
      this.failure = undefined;
    });
    client.on('ready', () => {
      this.failure = undefined;
      if (this.#isOpen) onBack();
    });
    // ioredis gives up for ever if a Sentinel tells of another master just while it asks who that is.
    client.on('end', () => {
      if (this.#isOpen) client.connect().catch(() => {});
    });
  }

  /** Connects for the first time. Rejects with what went wrong. */
  async open(): Promise<void> {
    try {
      await this.client.connect();
    } catch (error) {
      throw this.failure ?? error;
    }
    this.#isOpen = true;
  }

  /** Whether there is a connection, over which nothing may be said yet. */
  get isConnected(): boolean {
    return this.client.status === 'connect';
  }

  get isReady(): boolean {
    return this.client.status === 'ready';
  }

  /** How many calls have no answer yet. */
  get inFlight(): number {
    return this.#inFlight.length;
  }

  run<Answer>(call: (client: Redis) => Promise<Answer>): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (!this.isReady) {
        reject(new Away('there is no connection to Redis'));
        return;
      }
      const its: Call = { place: this.#inFlight.length, reject };
      this.#inFlight.push(its);
      this.#gather();
      call(this.client).then(
        (answer) => {
          this.#answered(its);
          resolve(answer);
        },
        (error) => {
          this.#answered(its);
          reject(error);
        },
      );
    });
  }

  /** It carries nothing any more, and nobody has said so. */
  renew(): void {
    if (!this.isReady) return;
    // Not at its leisure: who hangs does not say goodbye.
    this.client.stream.destroy();
  }

  close(): void {
    this.#isOpen = false;
    this.#silence();
    this.client.disconnect();
  }

  /** ioredis hears the first error of a stream, and one with TLS may have another behind it: nobody would hear that. */
  #silence(): void {
    (this.client.stream as Redis['stream'] | undefined)?.on('error', () => {});
  }

  /** What is said by all that runs now goes out in one write: each is a system call, here and in Redis. */
  #gather(): void {
    if (this.#isGathering) return;
    const { stream } = this.client;
    this.#isGathering = true;
    stream.cork();
    queueMicrotask(() => {
      this.#isGathering = false;
      stream.uncork();
    });
  }

  #answered(call: Call): void {
    if (call.place < 0) return;
    const last = this.#inFlight.pop() as Call;
    if (last === call) return;
    this.#inFlight[call.place] = last;
    last.place = call.place;
  }
}
