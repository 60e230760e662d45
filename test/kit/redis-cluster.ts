// A Redis Cluster of a test's own: masters that share the slots evenly, each with replicas if there are to be some. Gone with the test.
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { freePort } from './ports';
import { RedisServer } from './redis-server';

const slots = 16_384;

export interface ClusterMembers {
  readonly masters?: number;
  /** For each master. */
  readonly replicas?: number;
  /** A master that is silent for so many milliseconds is failed over. */
  readonly nodeTimeoutMs?: number;
  /** More of each server's command line. */
  readonly options?: readonly string[];
}

export class RedisCluster {
  /** All its servers: masters first, then the replicas of each, as they were at first. */
  readonly servers: readonly RedisServer[];
  readonly #clients: readonly Redis[];
  readonly #ids: readonly string[];

  private constructor(servers: readonly RedisServer[], clients: readonly Redis[], ids: readonly string[]) {
    this.servers = servers;
    this.#clients = clients;
    this.#ids = ids;
  }

  static async start(members: ClusterMembers = {}): Promise<RedisCluster> {
    const { masters = 3, replicas = 0, nodeTimeoutMs = 1_000, options = [] } = members;
    const all = [
      ...[
        '--cluster-enabled',
        'yes',
        '--cluster-node-timeout',
        `${nodeTimeoutMs}`,
        '--cluster-announce-ip',
        '127.0.0.1',
      ],
      ...['--repl-diskless-sync-delay', '0', '--repl-ping-replica-period', '1'],
    ];
    const servers: RedisServer[] = [];
    for (let i = 0; i < masters * (1 + replicas); i++) {
      const busPort = await freePort();
      servers.push(await RedisServer.start(...all, '--cluster-port', `${busPort}`, ...options));
    }
    const clients = servers.map(({ url }) => new Redis(url, { password: passwordOf(options) }));
    // One that is stopped is not there.
    for (const client of clients) client.on('error', () => {});
    const ids = await Promise.all(clients.map(async (client) => `${await client.cluster('MYID')}`));
    const cluster = new RedisCluster(servers, clients, ids);
    try {
      await cluster.#join(masters, replicas);
    } catch (error) {
      await cluster.end();
      throw error;
    }
    return cluster;
  }

  /** For the option `cluster`. */
  get nodes(): { readonly host: string; readonly port: number }[] {
    return this.servers.map(({ port }) => ({ host: '127.0.0.1', port }));
  }

  /** For questions to one of its servers. */
  client(index: number): Redis {
    return this.#clients[index] as Redis;
  }

  /** Which of its servers is the master of a slot, as one of them sees it. */
  async masterOf(slot: number, seenBy = 0): Promise<number> {
    const ranges = await this.client(seenBy).cluster('SLOTS');
    const range = ranges.find(([from, to]) => slot >= from && slot <= to);
    return this.servers.findIndex(({ port }) => port === range?.[2]?.[1]);
  }

  /** Brings a slot to another master, while all go on. @param between is called while the slot is on its way */
  async migrate(slot: number, to: number, between: () => Promise<void> = async () => {}): Promise<void> {
    const from = await this.masterOf(slot);
    const [source, target] = [this.client(from), this.client(to)];
    await target.cluster('SETSLOT', slot, 'IMPORTING', this.#ids[from] as string);
    await source.cluster('SETSLOT', slot, 'MIGRATING', this.#ids[to] as string);
    await between();
    const { port } = this.servers[to] as RedisServer;
    for (;;) {
      const keys = (await source.cluster('GETKEYSINSLOT', slot, 16)) as string[];
      if (keys.length === 0) break;
      await source.call('MIGRATE', '127.0.0.1', `${port}`, '', '0', '5000', 'KEYS', ...keys);
    }
    const masters = this.#clients.filter((client) => client !== target && client !== source);
    for (const client of [target, source]) await client.cluster('SETSLOT', slot, 'NODE', this.#ids[to] as string);
    // Others hear of it by and by; those that are replicas must not be told so.
    await Promise.all(
      masters.map((client) => client.cluster('SETSLOT', slot, 'NODE', this.#ids[to] as string).catch(() => {})),
    );
  }

  async end(): Promise<void> {
    for (const client of this.#clients) client.disconnect();
    await Promise.all(this.servers.map((server) => server.end()));
  }

  async #join(masters: number, replicas: number): Promise<void> {
    const [first] = this.#clients as [Redis];
    for (const [i, client] of this.#clients.entries()) {
      await client.call('CLUSTER', 'SET-CONFIG-EPOCH', `${i + 1}`);
      if (i < masters) {
        const [from, to] = [Math.ceil((slots * i) / masters), Math.ceil((slots * (i + 1)) / masters) - 1];
        await client.call('CLUSTER', 'ADDSLOTSRANGE', `${from}`, `${to}`);
      }
    }
    for (const { port, busPort } of this.servers.slice(1)) {
      await first.call('CLUSTER', 'MEET', '127.0.0.1', `${port}`, `${busPort}`);
    }
    await this.#until(async (client) => (await client.cluster('SLOTS')).length === masters);
    await this.#until(async (client) => this.#knowsAll(`${await client.cluster('NODES')}`));
    for (let i = masters; i < masters * (1 + replicas); i++) {
      await this.client(i).cluster('REPLICATE', this.#ids[Math.floor((i - masters) / replicas)] as string);
    }
    await this.#until(async (client) => /cluster_state:ok/.test(`${await client.cluster('INFO')}`));
    if (replicas === 0) return;
    await this.#until(async (client) => {
      const info = await client.info('replication');
      return /role:master/.test(info)
        ? info.includes(`connected_slaves:${replicas}`) && !/state=(?!online)/.test(info)
        : /master_link_status:up/.test(info);
    });
    await this.#until(async (client) =>
      ((await client.cluster('SLOTS')) as unknown[][]).every((range) => range.length === 3 + replicas),
    );
  }

  #knowsAll(nodes: string): boolean {
    return this.#ids.every((id) => nodes.includes(id)) && !/handshake|noaddr/.test(nodes);
  }

  /** Waits until that is so at all of them. */
  async #until(isSo: (client: Redis) => Promise<boolean>): Promise<void> {
    for (const client of this.#clients) while (!(await isSo(client))) await sleep(20);
  }
}

function passwordOf(options: readonly string[]): string | undefined {
  const at = options.indexOf('--requirepass');
  return at < 0 ? undefined : options[at + 1];
}
