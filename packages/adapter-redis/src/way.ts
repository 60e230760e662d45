// The way to Redis that an app has said, whichever of the options says it: how connections are made, and how that Redis is called.
import { LocalUsageError } from '@halyard/protocol';
import { type Cluster, type ClusterNode, type RedisOptions as ConnectionOptions, type NatMap, Redis } from 'ioredis';
import { type Address, keyOf } from './cluster-map';
import type { ClusterNodes } from './shards';

/** How it may be said. */
export interface WayOptions {
  readonly url?: string | undefined;
  readonly redis?: ConnectionOptions | undefined;
  readonly cluster?: readonly (string | Address)[] | undefined;
  readonly client?: Redis | Cluster | undefined;
}

export interface Way {
  /** Which Redis that is, for people; nothing secret. */
  readonly where: string;
  readonly db: number;
  readonly cluster: ClusterNodes | undefined;
  /** @returns a connection that is not open yet. @param address of a node of the Cluster, if it is one */
  connect(address?: Address): Redis;
}

const ways = ['url', 'redis', 'cluster', 'client'] as const;

/** What the store relies on: calls fail at once without a connection, none is said twice, and nobody but it subscribes. */
const relied: ConnectionOptions = {
  lazyConnect: true,
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  autoResubscribe: false,
  enableAutoPipelining: false,
  maxRetriesPerRequest: 0,
  commandTimeout: undefined,
  keyPrefix: '',
  protocol: 2,
  stringNumbers: false,
  connectTimeout: 2_000,
  failoverDetector: true,
  retryStrategy: (times) => Math.min(50 * 2 ** Math.min(times, 6), 2_000) * (0.5 + Math.random() / 2),
  // A master that has become a replica: the next connection finds the new one.
  reconnectOnError: ({ message }) => message.startsWith('READONLY'),
};

/** @param bad makes the error of an option. @throws LocalUsageError `ERR_OPTION` */
export function wayOf(options: WayOptions, bad: (name: string, what: string) => LocalUsageError): Way {
  const { url, redis, cluster, client } = options;
  if (url !== undefined) checkUrl(url, '{ redis: { host, port, … } } instead', (what) => bad('url', what));
  if (redis !== undefined && (typeof redis !== 'object' || redis === null)) {
    throw bad('redis', 'is not valid: it may be an object of options for ioredis');
  }
  if (cluster !== undefined && !(Array.isArray(cluster) && cluster.length > 0 && cluster.every(isNode))) {
    throw bad('cluster', "is not valid: it may be a list of nodes, such as [{ host: '10.0.0.1', port: 6379 }]");
  }
  for (const node of cluster ?? []) {
    if (typeof node === 'string') checkUrl(node, '"redis" beside it', (what) => bad('cluster', what));
  }
  const isClient = typeof client?.duplicate === 'function';
  // That of the package redis has no such method.
  if (isClient && typeof client.defineCommand !== 'function')
    throw bad(
      'client',
      'is not one of ioredis, but perhaps of the package redis: give what that was made of, { url }, instead',
    );
  if (client !== undefined && !(isClient && (!isCluster(client) || Array.isArray(startupOf(client))))) {
    throw bad('client', 'is not valid: it may be a Redis or a Cluster of ioredis');
  }
  const said = ways.filter((way) => options[way] !== undefined && !(way === 'redis' && cluster !== undefined));
  if (said.length !== 1) {
    throw new LocalUsageError('ERR_OPTION', `redis() does not know which Redis: give one of ${ways.join(', ')}.`);
  }
  if (cluster !== undefined) {
    return toCluster(
      cluster.map((node) => optionsOf(node)),
      redis,
    );
  }
  if (client !== undefined && isCluster(client)) {
    const { redisOptions, natMap } = client.options;
    return toCluster(startupOf(client).map(optionsOf), redisOptions, natMap);
  }
  const connect = (): Redis => {
    if (client !== undefined) return client.duplicate(relied);
    return url === undefined ? new Redis({ ...redis, ...relied }) : new Redis(url, relied);
  };
  const its = connect().options;
  const { db = 0 } = its;
  if (!Number.isInteger(db) || db < 0) throw bad(said[0] as string, 'is not valid: db may be a whole number from 0');
  return { where: whereOf(its), db, cluster: undefined, connect };
}

/** @param nodes some of them @param shared options for each */
function toCluster(nodes: readonly ConnectionOptions[], shared: ConnectionOptions = {}, natMap?: NatMap): Way {
  const [first = {}] = nodes;
  // Those that are found have what was said of the first.
  const { username, password, tls } = first;
  const its = { ...defined({ username, password, tls }), ...shared, ...relied, db: 0 };
  const addresses = nodes.map(({ host = '127.0.0.1', port = 6379 }) => ({ host, port }));
  return {
    where: addresses.map(keyOf).join(', '),
    db: 0,
    cluster: {
      nodes: addresses,
      reachedAt: (address) =>
        (typeof natMap === 'function' ? natMap(keyOf(address)) : natMap?.[keyOf(address)]) ?? address,
    },
    connect: (address) => new Redis({ ...its, ...address }),
  };
}

function optionsOf(node: ClusterNode | Address): ConnectionOptions {
  return new Redis(node as string, { lazyConnect: true }).options;
}

function isCluster(client: Redis | Cluster): client is Cluster {
  return client.isCluster;
}

/** The nodes that a client was made with; ioredis has no other way to them before it is connected. */
function startupOf(client: Cluster): readonly ClusterNode[] {
  return (client as unknown as { startupNodes: readonly ClusterNode[] }).startupNodes;
}

function isNode(node: unknown): boolean {
  if (typeof node === 'string') return partsOf(node) !== undefined;
  const { host, port } = (node ?? {}) as Partial<Address>;
  return typeof host === 'string' && Number.isInteger(port);
}

/**
 * ioredis takes a database that is no number for one, and what a query says for options that go before what the store relies on.
 * @param instead how else options may be given
 */
function checkUrl(url: unknown, instead: string, bad: (what: string) => LocalUsageError): void {
  const parts = partsOf(url);
  if (parts === undefined) throw bad('is not valid: it may be as redis://127.0.0.1:6379');
  const { pathname, search, hash, username, password } = parts;
  if (search !== '') {
    throw bad(`is not valid: a URL may have no "?". Options of ioredis may be given as ${instead}`);
  }
  if (hash !== '' || !isDecodable(username + password)) {
    throw bad('is not valid: in user and password % is written %25, and # is written %23');
  }
  if (!/^(\/\d{0,9})?$/.test(pathname)) {
    const example = 'redis://127.0.0.1:6379/0';
    throw bad(`is not valid: the database at its end may be a whole number from 0, as in ${example}`);
  }
}

/** @returns undefined for what is no URL of a Redis. ioredis knows these in small letters */
function partsOf(url: unknown): URL | undefined {
  if (typeof url !== 'string' || !/^rediss?:\/\//.test(url)) return undefined;
  try {
    return new URL(url);
  } catch {
    return undefined;
  }
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

function whereOf({ sentinels, name, path, host, port }: ConnectionOptions): string {
  if (sentinels) return `master ${name} of ${sentinels.map((one) => `${one.host}:${one.port}`).join(', ')}`;
  return path ?? `${host}:${port}`;
}

function defined(options: ConnectionOptions): ConnectionOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined && value !== null));
}
