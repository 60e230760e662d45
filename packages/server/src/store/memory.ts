// The store in memory: that of a server alone, or shared by several servers of one process.
import type { Codec } from '@halyard/codec';
import { json } from '@halyard/codec/json';
import { LocalUsageError, type Position, type Value } from '@halyard/protocol';
import type { Frames } from '../log/frames';
import { LocalStore } from '../log/local-store';
import { MemoryHub } from './memory-hub';
import type {
  Adapter,
  Claim,
  Commit,
  CommitResult,
  Expired,
  LogPage,
  LogState,
  RolledBack,
  Store,
  StoredLetter,
  StoredSession,
  StoreEvents,
  StoreState,
} from './store';

export interface MemoryOptions {
  /** Whether all servers that are given this adapter have one store together. Default: each has its own. */
  readonly shared?: boolean | undefined;
  /** What records of sessions are encoded with, if it is shared. Default: `json()`. */
  readonly codec?: Codec | undefined;
}

/**
 * The default of the option `adapter`.
 * @throws LocalUsageError `ERR_OPTION` that names the option and what it may be
 */
export function memory(options: MemoryOptions = {}): Adapter {
  if (typeof options !== 'object' || options === null) throw notOptions(options);
  for (const name of Object.keys(options)) {
    if (name !== 'shared' && name !== 'codec') throw bad(name, 'is not an option: known ones are shared, codec');
  }
  const { shared = false, codec = json() } = options;
  if (typeof shared !== 'boolean') throw bad('shared', 'is not valid: it may be true or false');
  if (typeof codec?.encode !== 'function') throw bad('codec', 'is not valid: it may be a codec, such as msgpack()');
  let hub: MemoryHub | undefined;
  return ({ platform, wheel, limits, isGuest }) => {
    if (!shared) return new LocalStore(platform, wheel, limits);
    hub ??= new MemoryHub(platform, limits);
    return new MemoryStore(hub, codec, isGuest);
  };
}

/** What one node has of a hub. */
export class MemoryStore implements Store {
  readonly isShared = true;
  readonly codec: Codec;
  readonly partitions = 1;
  readonly #hub: MemoryHub;
  readonly #isGuest: boolean;
  #node = '';
  readonly #channels = new Set<string>();
  readonly #followed = new Set<string>();
  /** The last commit, and what became of it. */
  #committed: { readonly number: number; readonly branch: number; readonly result: CommitResult } | undefined;

  constructor(hub: MemoryHub, codec: Codec, isGuest = false) {
    this.#hub = hub;
    this.#isGuest = isGuest;
    this.codec = codec;
  }

  get state(): StoreState {
    return 'up';
  }

  partitionOf(): number {
    return 0;
  }

  open(node: string, events: StoreEvents): void {
    const { nodes, guests } = this.#hub;
    if (this.#isGuest) guests.add(node);
    else for (const other of nodes.values()) other.onJoined(node);
    this.#node = node;
    nodes.set(node, events);
  }

  close(): void {
    const { nodes, guests } = this.#hub;
    for (const log of [...this.#followed]) this.unfollow(log);
    for (const channel of [...this.#channels]) this.unlisten(channel);
    const isKnown = nodes.delete(this.#node) && !guests.delete(this.#node);
    if (isKnown) for (const other of nodes.values()) other.onLeft(this.#node);
  }

  nodes(): readonly string[] {
    const { nodes, guests } = this.#hub;
    return [...nodes.keys()].filter((node) => !guests.has(node));
  }

  commit(_partition: number, { number, branch, steps, records }: Commit): CommitResult | RolledBack {
    const before = this.#committed;
    if (before?.number === number && before.branch === branch) return before.result;
    const last = before?.number ?? 0;
    if (number !== last + 1 || branch < (before?.branch ?? 0)) return { last };
    const result = this.#hub.commit(this.#node, steps, records);
    this.#committed = { number, branch, result };
    return result;
  }

  lastCommit(): number {
    return this.#committed?.number ?? 0;
  }

  follow(log: string): Position {
    this.#followed.add(log);
    return this.#hub.follow(this.#node, log);
  }

  unfollow(log: string): void {
    this.#followed.delete(log);
    this.#hub.unfollow(this.#node, log);
  }

  read(log: string, after: number, countMax: number): LogPage {
    return this.#hub.read(log, after, countMax);
  }

  tops(logs: readonly string[]): LogState[] {
    return this.#hub.tops(logs);
  }

  renew(log: string, epoch: string): Position {
    return this.#hub.renew(log, epoch);
  }

  letters(session: string, after: number, countMax: number): StoredLetter[] {
    return this.#hub.letters(session, after, countMax);
  }

  session(id: string): StoredSession | 'over' | undefined {
    return this.#hub.session(id);
  }

  expired(countMax: number, leaseMs: number): Expired[] {
    return this.#hub.expired(countMax, leaseMs);
  }

  forget(session: string, lease: string): void {
    this.#hub.forget(session, lease);
  }

  claim(claim: Claim): boolean {
    return this.#hub.claim(this.#node, claim);
  }

  publish(channel: string, frames: Frames): void {
    for (const node of this.#hub.listeners.get(channel) ?? []) {
      if (node !== this.#node) this.#hub.nodes.get(node)?.onVolatile(channel, frames);
    }
  }

  listen(channel: string): void {
    this.#channels.add(channel);
    const nodes = this.#hub.listeners.get(channel) ?? new Set();
    this.#hub.listeners.set(channel, nodes.add(this.#node));
  }

  unlisten(channel: string): void {
    this.#channels.delete(channel);
    const nodes = this.#hub.listeners.get(channel);
    nodes?.delete(this.#node);
    if (nodes?.size === 0) this.#hub.listeners.delete(channel);
  }

  async send(node: string, message: Value): Promise<Value> {
    const events = this.#hub.nodes.get(node);
    if (events === undefined) throw new LocalUsageError('ERR_NODE_UNKNOWN', `there is no node ${node}`);
    return events.onMessage(this.#node, message);
  }
}

function notOptions(options: unknown): LocalUsageError {
  return new LocalUsageError('ERR_OPTION', `The options of memory() are ${String(options)}: they may be an object.`);
}

function bad(name: string, what: string): LocalUsageError {
  return new LocalUsageError('ERR_OPTION', `The option "${name}" of memory() ${what}.`, { option: name });
}
