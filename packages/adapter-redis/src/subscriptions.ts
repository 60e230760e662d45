// The channels that this node is subscribed to, each at the Redis that has its partition. What is asked for in one turn goes in one
// command, in the order in which it was asked for; after a connection was lost all of it is asked for again, some at a time.
import { byPartition } from './keyspace';
import { Away, type Link } from './link';

/** Told of what is said on a channel. */
export type Listener = (message: Buffer) => void;

/** As many channels go in one command. */
const batchMax = 512;

export class Subscriptions {
  readonly #linkOf: (partition: number) => Link | undefined;
  /** With the partition of each. */
  readonly #wanted = new Map<string, number>();
  /** Also of those that are not wanted any more, until Redis has heard that: what was said before still comes. */
  readonly #listeners = new Map<string, { readonly partition: number; readonly listener: Listener }>();
  /** What has changed since the last flush, with partitions. */
  #changed = new Map<string, number>();
  #isScheduled = false;
  /** By partition: one may be away while others are not. */
  #flushing = Promise.resolve<ReadonlyMap<number, Promise<void>>>(new Map());

  /** @param linkOf the connection for what is said in a partition, if there is one */
  constructor(linkOf: (partition: number) => Link | undefined) {
    this.#linkOf = linkOf;
  }

  /** Listens to what comes over a connection. */
  hear(link: Link): void {
    link.client.on('smessageBuffer', (name: Buffer, message: Buffer) => {
      const its = this.#listeners.get(name.toString());
      // A Redis that has lost a partition to another may still say what that one says.
      if (its !== undefined && this.#linkOf(its.partition) === link) its.listener(message);
    });
  }

  /** @returns once everything is told that is said from now on */
  add(channel: string, partition: number, listener: Listener): Promise<void> {
    this.#wanted.set(channel, partition);
    this.#listeners.set(channel, { partition, listener });
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
  async flushed(): Promise<void> {
    await Promise.all((await this.#flushing).values());
  }

  /** Nobody is told anything any more. */
  close(): void {
    this.#wanted.clear();
    this.#listeners.clear();
  }

  /** Asks for everything in these partitions again. */
  async renew(partitions: ReadonlySet<number>): Promise<void> {
    const channels = [...this.#wanted].filter(([, one]) => partitions.has(one)).map(([channel]) => channel);
    for (let i = 0; i < channels.length; i += batchMax) {
      const some: [string, number][] = [];
      for (const channel of channels.slice(i, i + batchMax)) {
        const partition = this.#wanted.get(channel);
        // Meanwhile it may not be wanted any more.
        if (partition !== undefined) some.push([channel, partition]);
      }
      await Promise.all(
        [...byPartition(some, ([, partition]) => partition)].map(([partition, its]) =>
          this.#send('ssubscribe', partition, its),
        ),
      );
    }
  }

  async #change(channel: string, partition: number): Promise<void> {
    this.#changed.set(channel, partition);
    if (!this.#isScheduled) {
      this.#isScheduled = true;
      this.#flushing = Promise.resolve().then(() => this.#flush());
    }
    return (await this.#flushing).get(partition);
  }

  #flush(): ReadonlyMap<number, Promise<void>> {
    this.#isScheduled = false;
    const changed = byPartition(this.#changed, ([, partition]) => partition);
    this.#changed = new Map();
    const flushing = new Map<number, Promise<void>>();
    for (const [partition, its] of changed) {
      const flushed = this.#flushIn(partition, its);
      // Whoever waits for it is told.
      flushed.catch(() => {});
      flushing.set(partition, flushed);
    }
    return flushing;
  }

  async #flushIn(partition: number, changed: readonly (readonly [string, number])[]): Promise<void> {
    const on = changed.filter(([channel]) => this.#wanted.has(channel));
    const off = changed.filter(([channel]) => !this.#wanted.has(channel));
    await Promise.all([
      this.#send('ssubscribe', partition, on),
      this.#send('sunsubscribe', partition, off).finally(() => {
        for (const [channel] of off) if (!this.#wanted.has(channel)) this.#listeners.delete(channel);
      }),
    ]);
  }

  /** Channels of one command are of one partition. */
  async #send(
    command: 'ssubscribe' | 'sunsubscribe',
    partition: number,
    channels: readonly (readonly [string, number])[],
  ): Promise<void> {
    if (channels.length === 0) return;
    const link = this.#linkOf(partition);
    if (link === undefined) throw new Away('no Redis has the partition');
    const sent: Promise<unknown>[] = [];
    for (let i = 0; i < channels.length; i += batchMax) {
      const some = channels.slice(i, i + batchMax).map(([channel]) => channel);
      sent.push(link.run((client) => client[command](...some)));
    }
    await Promise.all(sent);
  }
}
