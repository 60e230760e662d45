// Two servers of one subject that share a Redis, and their load: each in a process of its own, as a workload sees them.
import { Child } from '../base/child';
import { placesOf } from '../base/pinning';
import type { EmitOrder, LoadOperations, ServerOperations } from '../contract/operations';
import type { Subject } from '../subjects/subject';
import type { RedisMark, RedisServer } from './redis-server';
import type { TestbedSetup } from './testbed';
import { WarmUp } from './warm-up';

/** What a workload says of the clusters it is measured on. */
export type ClusterSetup = Pick<TestbedSetup, 'plan' | 'sliced'>;

/** Which of the servers. */
export type NodeName = 'a' | 'b';

/** What happened between two looks at all of it. */
export interface ClusterWindow {
  /** Of both servers, user and system. */
  readonly cpuUs: number;
  readonly redisCpuUs: number;
  /** Command at Redis → how often. */
  readonly calls: Readonly<Record<string, number>>;
  /** What Redis keeps more than before. */
  readonly redisBytes: number;
  readonly handled: number;
  readonly replies: number;
  readonly deliveries: number;
  readonly heartbeats: number;
  readonly loadBusy: number;
  readonly wallMs: number;
}

const drainTimeoutMs = 20_000;
let count = 0;

export class ClusterTestbed {
  readonly load: Child<LoadOperations>;
  readonly subject: Subject;
  readonly setup: ClusterSetup;
  readonly #redis: RedisServer;
  readonly #nodes: Readonly<Record<NodeName, Child<ServerOperations>>>;
  readonly #ports = { a: 0, b: 0 };
  readonly #gone = new Set<NodeName>();
  readonly #warmUp: WarmUp;
  #connections = 0;

  private constructor(setup: ClusterSetup, subject: Subject, redis: RedisServer) {
    this.setup = setup;
    this.subject = subject;
    this.#redis = redis;
    this.#warmUp = new WarmUp(setup.sliced);
    const { nodes, load } = placesOf();
    this.#nodes = {
      a: new Child('./serve.js', `${subject.name} a`, nodes[0]),
      b: new Child('./serve.js', `${subject.name} b`, nodes[1]),
    };
    this.load = new Child('./load.js', 'load', load);
  }

  /** @throws if a process does not start; nothing of it is left running */
  static async open(setup: ClusterSetup, subject: Subject, redis: RedisServer): Promise<ClusterTestbed> {
    const cluster = new ClusterTestbed(setup, subject, redis);
    const { plan } = setup;
    // Those before are gone without a word: nobody here is to wait for them.
    const shared = { url: redis.url, prefix: `bench-${process.pid}-${++count}` };
    try {
      for (const name of ['a', 'b'] as const) {
        const { port } = await cluster.node(name).call('start', { subject: subject.name, plan, redis: shared });
        cluster.#ports[name] = port;
      }
      await cluster.load.call('prepare', { dialect: subject.dialect, port: cluster.#ports.a, plan });
      return cluster;
    } catch (error) {
      cluster.close();
      throw error;
    }
  }

  node(name: NodeName): Child<ServerOperations> {
    return this.#nodes[name];
  }

  portOf(name: NodeName): number {
    return this.#ports[name];
  }

  /** Opens so many connections more, at one of the servers. @param isOutside whether they stay out of their rooms */
  async connect(name: NodeName, connections: number, isOutside = false): Promise<void> {
    await this.load.call('connect', { count: connections, port: this.#ports[name], isOutside });
    this.#connections += connections;
  }

  /** Connections that were opened. */
  get connections(): number {
    return this.#connections;
  }

  warmUpMs(firstMs?: number): number {
    return this.#warmUp.ms(firstMs);
  }

  /** Has a server emit to everybody, and waits until all of it has arrived. @param members how many get each */
  async emit(name: NodeName, order: Omit<EmitOrder, 'targets'>, members: number): Promise<void> {
    const { deliveries } = await this.load.call('mark', undefined);
    const emits = await this.node(name).call('emit', { ...order, targets: [undefined] });
    await this.load.call('until', { deliveries: deliveries + emits * members, timeoutMs: drainTimeoutMs });
  }

  /** Kills one of the servers, by SIGKILL. */
  kill(name: NodeName): void {
    this.#gone.add(name);
    this.#nodes[name].end();
  }

  /** Looks at all sides before and after. */
  async window(during: () => Promise<unknown>): Promise<ClusterWindow> {
    const before = await this.#marks();
    await during();
    const after = await this.#marks();
    const loaded = (field: 'replies' | 'deliveries' | 'heartbeats' | 'cpuUs') => after.load[field] - before.load[field];
    const served = (field: 'cpuUs' | 'handled') => after[field] - before[field];
    const wallMs = after.at - before.at;
    return {
      cpuUs: served('cpuUs'),
      handled: served('handled'),
      redisCpuUs: after.redis.cpuUs - before.redis.cpuUs,
      calls: callsBetween(before.redis, after.redis),
      redisBytes: after.redis.usedBytes - before.redis.usedBytes,
      replies: loaded('replies'),
      deliveries: loaded('deliveries'),
      heartbeats: loaded('heartbeats'),
      loadBusy: loaded('cpuUs') / (wallMs * 1_000),
      wallMs,
    };
  }

  close(): void {
    this.load.end();
    for (const node of Object.values(this.#nodes)) node.end();
  }

  async #marks() {
    const names = (['a', 'b'] as const).filter((name) => !this.#gone.has(name));
    const [redis, load, ...nodes] = await Promise.all([
      this.#redis.mark(),
      this.load.call('mark', undefined),
      ...names.map((name) => this.node(name).call('mark', undefined)),
    ]);
    const sum = (field: 'cpuUs' | 'handled') => nodes.reduce((total, node) => total + node[field], 0);
    return { redis, load, cpuUs: sum('cpuUs'), handled: sum('handled'), at: performance.now() };
  }
}

function callsBetween(before: RedisMark, after: RedisMark): Record<string, number> {
  const grown = Object.entries(after.calls).map(([name, calls]) => [name, calls - (before.calls[name] ?? 0)] as const);
  return Object.fromEntries(grown.filter(([, calls]) => calls > 0));
}
