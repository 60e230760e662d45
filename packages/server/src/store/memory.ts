// The store in memory: that of a server alone, or shared by several servers of one process.
import type { Codec } from '@halyard/codec';
import { json } from '@halyard/codec/json';
import { LocalUsageError, type Value } from '@halyard/protocol';
import type { Except } from '../log/except';
import type { Follower, Frames, Log } from '../log/log';
import type { Stamps } from '../log/stamp';
import { MemoryHub } from './memory-hub';
import type { Adapter, Claim, Commit, CommitResult, LocalStore, RecordParts, StoreEvents, StoreState } from './store';

export interface MemoryOptions {
  /** Whether all servers that are given this adapter have one store together. Default: each has its own. */
  readonly shared?: boolean;
  /** What records of sessions are encoded with, if it is shared. Default: `json()`. */
  readonly codec?: Codec;
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
  return (context) => {
    if (!shared) return new MemoryStore(new MemoryHub(context, codec, false));
    hub ??= new MemoryHub(context, codec, true);
    return new MemoryStore(hub);
  };
}

export class MemoryStore implements LocalStore {
  readonly #hub: MemoryHub;
  #node = '';
  readonly #followers = new Map<Log, Follower>();
  readonly #channels = new Set<string>();
  /** The last commit, and what became of it. */
  #committed: { readonly number: number; readonly result: CommitResult } | undefined;

  constructor(hub: MemoryHub) {
    this.#hub = hub;
  }

  get isShared(): boolean {
    return this.#hub.isShared;
  }

  get codec(): Codec {
    return this.#hub.codec;
  }

  get state(): StoreState {
    return 'up';
  }

  get stamps(): Stamps {
    return this.#hub.stamps;
  }

  open(node: string, events: StoreEvents): void {
    for (const other of this.#hub.nodes.values()) other.onJoined(node);
    this.#node = node;
    this.#hub.nodes.set(node, events);
  }

  close(): void {
    const { nodes } = this.#hub;
    for (const log of [...this.#followers.keys()]) this.unfollow(log);
    for (const channel of [...this.#channels]) this.unlisten(channel);
    if (nodes.delete(this.#node)) for (const other of nodes.values()) other.onLeft(this.#node);
  }

  nodes(): readonly string[] {
    return [...this.#hub.nodes.keys()];
  }

  follow(name: string, follower: Follower): Log {
    const log = this.#hub.follow(name, follower);
    this.#followers.set(log, follower);
    return log;
  }

  unfollow(log: Log): void {
    const follower = this.#followers.get(log);
    if (follower === undefined) return;
    this.#followers.delete(log);
    this.#hub.unfollow(log, follower);
  }

  append(log: Log, stamp: number, except: Except, frames: Frames): void {
    this.#hub.append(log, stamp, except, frames);
  }

  commit({ number, entries, records }: Commit): CommitResult {
    if (this.#committed?.number === number) return this.#committed.result;
    for (const { log, stamp, except, frames } of entries) this.append(log, stamp, except, frames);
    const result = { fenced: [] as string[], missing: [] as string[] };
    for (const write of records) {
      const unwritten = this.#hub.write(this.#node, write);
      if (unwritten !== undefined) result[unwritten].push(write.session);
    }
    this.#committed = { number, result };
    return result;
  }

  claim(session: string, expected: (record: RecordParts) => boolean): Claim | 'over' | undefined {
    return this.#hub.claim(this.#node, session, expected);
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
