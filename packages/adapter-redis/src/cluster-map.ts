// Which master of a Cluster has each partition, by what its nodes say. A node that is itself not part of a working Cluster is not
// believed: it may be the master of before, that nobody else follows any more.
import type { StoreContext } from '@halyard/server';
import type { Redis } from 'ioredis';
import { slotOf } from './keyspace';
import type { Link } from './link';

/** Where a Redis is. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface ClusterMapContext extends Pick<StoreContext, 'platform'> {
  readonly partitions: number;
  /** Some nodes, from which the others are known. */
  readonly nodes: readonly Address[];
  /** @returns a connection that is not open yet */
  connect(address: Address): Redis;
  /** @returns where a node is for this side, by where it says that it is */
  reachedAt(address: Address): Address;
}

/** Who has not answered within so many milliseconds is passed over. */
const askedMsMax = 500;
/** As many nodes are remembered. */
const knownMax = 256;

export class ClusterMap {
  readonly #context: ClusterMapContext;
  #known: readonly Address[];
  /** Who is asked first: not always the same. */
  #turn = 0;

  constructor(context: ClusterMapContext) {
    this.#context = context;
    this.#known = context.nodes;
  }

  /**
   * Asks one node after the other until one has answered. Rejects with what went wrong last.
   * @param masters to which there are connections
   * @returns for each partition where its master is
   */
  async read(masters: ReadonlyMap<Address, Link>): Promise<readonly (Address | undefined)[]> {
    let failure: unknown;
    const turn = this.#turn++;
    const open = [...masters].filter(([, link]) => link.isReady);
    for (const i of open.keys()) {
      const [address, link] = open[(i + turn) % open.length] as (typeof open)[number];
      try {
        return await this.#within(link.run((client) => this.#ask(client, address)));
      } catch (error) {
        failure = error;
      }
    }
    const others = this.#known;
    for (const i of others.keys()) {
      const address = others[(i + turn) % others.length] as Address;
      const client = this.#context.connect(address);
      client.on('error', (error) => {
        failure = error;
      });
      try {
        return await this.#within(client.connect().then(() => this.#ask(client, address)));
      } catch (error) {
        failure = isClosed(error) ? (failure ?? error) : error;
      } finally {
        client.disconnect();
      }
    }
    throw failure;
  }

  async #ask(client: Redis, asked: Address): Promise<readonly (Address | undefined)[]> {
    const [info, slots] = await Promise.all([client.call('CLUSTER', 'INFO'), client.call('CLUSTER', 'SLOTS')]);
    const state = /^cluster_state:(\w+)/m.exec(String(info))?.[1];
    if (state !== undefined && state !== 'ok') throw new Error(`CLUSTERDOWN its state is ${state}`);
    const { partitions, nodes } = this.#context;
    const masters: (Address | undefined)[] = Array.from({ length: partitions }, () => undefined);
    const known = new Map(nodes.map((node) => [keyOf(node), node]));
    for (const range of slots as [number, number, ...[string | null, number][]][]) {
      const [from, to, ...its] = range;
      const addresses = its.flatMap(([host, port]) => (host === '?' ? [] : [{ host: host || asked.host, port }]));
      const [master, ...replicas] = addresses.map((address) => this.#context.reachedAt(address));
      for (const address of [master, ...replicas]) {
        if (address !== undefined && known.size < knownMax) known.set(keyOf(address), address);
      }
      for (let i = 0; i < partitions; i++) if (slotOf(i) >= from && slotOf(i) <= to) masters[i] = master;
    }
    this.#known = [...known.values()];
    return masters;
  }

  #within<Answer>(answer: Promise<Answer>): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const cancel = this.#context.platform.after(askedMsMax, () =>
        reject(new Error(`no answer within ${askedMsMax} ms`)),
      );
      answer.then(resolve, reject).finally(cancel);
    });
  }
}

export function keyOf({ host, port }: Address): string {
  return `${host}:${port}`;
}

/** What a node says that has not, or not now, what it is asked for: nothing of it was done. */
export function isElsewhere(error: unknown): boolean {
  const text = error instanceof Error ? error.message : '';
  return /^(MOVED|ASK|TRYAGAIN|CLUSTERDOWN) |non local key|cluster is down/.test(text);
}

/** ioredis says of a connection that failed only that it is closed; why, comes as an event. */
function isClosed(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('Connection is closed');
}
