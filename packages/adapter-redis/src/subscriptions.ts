// The channels that this node is subscribed to. What is asked for in one turn goes in one command, in the order in which it was
// asked for; after a connection was lost all of it is asked for again, some at a time.
import { byPartition } from './keyspace';
import type { Link } from './link';

/** Told of what is said on a channel. */
export type Listener = (message: Buffer) => void;

/** As many channels go in one command. */
const batchMax = 512;

export class Subscriptions {
  readonly #link: Link;
  /** With the partition of each. */
  readonly #wanted = new Map<string, number>();
  /** Also of those that are not wanted any more, until Redis has heard that: what was said before still comes. */
  readonly #listeners = new Map<string, Listener>();
  /** What has changed since the last flush, with partitions. */
  #changed = new Map<string, number>();
  #isScheduled = false;
  #flushing = Promise.resolve();

  constructor(link: Link) {
    this.#link = link;
    link.client.on('smessageBuffer', (channel: Buffer, message: Buffer) => {
      this.#listeners.get(channel.toString())?.(message);
    });
  }

  /** @returns once everything is told that is said from now on */
  add(channel: string, partition: number, listener: Listener): Promise<void> {
    this.#wanted.set(channel, partition);
    this.#listeners.set(channel, listener);
    return this.#change(channel, partition);
  }

  delete(channel: string): void {
    const partition = this.#wanted.get(channel);
    if (partition === undefined) return;
    this.#wanted.delete(channel);
    // If it fails there is no connection, and with the next one it is not asked for.
    this.#change(channel, partition).catch(() => {});
  }

  /** @returns once everything that was asked for is so */
  flushed(): Promise<void> {
    return this.#flushing;
  }

  /** Nobody is told anything any more. */
  close(): void {
    this.#wanted.clear();
    this.#listeners.clear();
  }

  /** Asks for everything again. */
  async renew(): Promise<void> {
    const channels = [...this.#wanted.keys()];
    for (let i = 0; i < channels.length; i += batchMax) {
      const some: [string, number][] = [];
      for (const channel of channels.slice(i, i + batchMax)) {
        const partition = this.#wanted.get(channel);
        // Meanwhile it may not be wanted any more.
        if (partition !== undefined) some.push([channel, partition]);
      }
      await this.#send('ssubscribe', some);
    }
  }

  #change(channel: string, partition: number): Promise<void> {
    this.#changed.set(channel, partition);
    if (!this.#isScheduled) {
      this.#isScheduled = true;
      this.#flushing = Promise.resolve().then(() => this.#flush());
    }
    return this.#flushing;
  }

  async #flush(): Promise<void> {
    this.#isScheduled = false;
    const changed = [...this.#changed];
    this.#changed = new Map();
    const on = changed.filter(([channel]) => this.#wanted.has(channel));
    const off = changed.filter(([channel]) => !this.#wanted.has(channel));
    await Promise.all([
      this.#send('ssubscribe', on),
      this.#send('sunsubscribe', off).finally(() => {
        for (const [channel] of off) if (!this.#wanted.has(channel)) this.#listeners.delete(channel);
      }),
    ]);
  }

  /** Channels of one command are of one partition. */
  async #send(command: 'ssubscribe' | 'sunsubscribe', channels: readonly (readonly [string, number])[]): Promise<void> {
    const sent: Promise<unknown>[] = [];
    for (const group of byPartition(channels, ([, partition]) => partition).values()) {
      for (let i = 0; i < group.length; i += batchMax) {
        const some = group.slice(i, i + batchMax).map(([channel]) => channel);
        sent.push(this.#link.run((client) => client[command](...some)));
      }
    }
    await Promise.all(sent);
  }
}
