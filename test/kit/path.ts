// A way to a Redis that is not always open: what is subscribed may be silent for a while though its connections are open, or all are cut.
import { createConnection, createServer, type Socket } from 'node:net';

export interface Path {
  readonly url: string;
  /** How often Redis has ended a connection that was not ended here. */
  readonly endedByRedis: number;
  /** How many subscribers come this way, and are silent. */
  readonly silent: number;
  /** What is said on channels is not read any more. */
  silence(): void;
  /** It is read from where it was silenced. */
  goOn(): void;
  /** All connections are lost, and there are no others … */
  cut(): void;
  /** … until now. */
  open(): Promise<void>;
}

/** A connection of a client, and that which goes on to the Redis. */
interface Pair {
  readonly to: Socket;
  readonly from: Socket;
  isSubscriber: boolean;
}

/** @param port of the Redis */
export async function pathTo(port: number): Promise<Path> {
  const pairs = new Set<Pair>();
  let endedByRedis = 0;
  const proxy = createServer((to) => {
    const from = createConnection(port, '127.0.0.1');
    const pair: Pair = { to, from, isSubscriber: false };
    pairs.add(pair);
    to.on('data', (data) => {
      pair.isSubscriber ||= data.includes('ssubscribe');
      from.write(data);
    });
    from.on('data', (data) => to.write(data));
    for (const socket of [to, from]) socket.on('error', () => {});
    to.on('close', () => {
      pairs.delete(pair);
      from.destroy();
    });
    from.on('close', () => {
      if (pairs.delete(pair)) endedByRedis++;
      to.destroy();
    });
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const { port: own } = proxy.address() as { port: number };
  const subscribers = (): Pair[] => [...pairs].filter(({ isSubscriber }) => isSubscriber);
  return {
    url: `redis://127.0.0.1:${own}`,
    get endedByRedis() {
      return endedByRedis;
    },
    get silent() {
      return subscribers().filter(({ from }) => from.isPaused()).length;
    },
    silence() {
      for (const { from } of subscribers()) from.pause();
    },
    goOn() {
      for (const { from } of subscribers()) from.resume();
    },
    cut() {
      proxy.close();
      for (const pair of pairs) {
        pairs.delete(pair);
        pair.to.destroy();
        pair.from.destroy();
      }
    },
    open: () => new Promise((resolve) => proxy.listen(own, '127.0.0.1', resolve)),
  };
}
