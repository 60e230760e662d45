// The contract of a store: how the nodes of a cluster share logs, sessions and who is there. A node is one server process.
// What needs only these calls (gaps, queues, forwarding, requests to many nodes) is written once, above it.
import type { Codec } from '@halyard/codec';
import type { Frame, Value } from '@halyard/protocol';
import type { Platform } from '../base/platform';
import type { TimerWheel } from '../base/wheel';
import type { Except } from '../log/except';
import type { Follower, Frames, Log } from '../log/log';
import type { RetentionLimits } from '../log/retention';
import type { Stamps } from '../log/stamp';

/** At once from a store in this process, later from any other. */
export type Awaitable<T> = T | Promise<T>;

/** `degraded`: calls fail or do not return. `recovering`: it is back, and what was missed is being read. */
export type StoreState = 'up' | 'degraded' | 'recovering';

/** What is appended to a log. */
export interface NewEntry {
  readonly log: Log;
  readonly stamp: number;
  readonly except: Except;
  /** By codec index, with the position that the entry will have. */
  readonly frames: Frames;
}

/** A session's record: its parts by name, each encoded by itself, so that what has not changed is not written again. */
export type RecordParts = ReadonlyMap<string, Frame>;

/** What is to become of a session's record. It MUST be left alone if another node has claimed it since. */
export interface RecordWrite {
  readonly session: string;
  /** As `Claim.nonce`; of a session that was not claimed one of its own, that nobody else has. */
  readonly nonce: string;
  /** What has changed: an undefined part is no more. Without parts the session is over, and MUST NOT be written or claimed again. */
  readonly parts: ReadonlyMap<string, Frame | undefined> | undefined;
  /** Whether it has no other parts than these. If it has, a record that is not there MUST NOT be written. */
  readonly isWhole: boolean;
  /** How long it is kept from now on while nobody writes it. */
  readonly keptMs: number;
}

/** What one turn of the event loop has produced: stored as a whole, but for sessions that were claimed by others. */
export interface Commit {
  /** Counts the node's commits. The same number again MUST have the same result, and change nothing. */
  readonly number: number;
  readonly entries: readonly NewEntry[];
  readonly records: readonly RecordWrite[];
}

export interface CommitResult {
  /** Sessions whose record was left alone. */
  readonly fenced: readonly string[];
  /** Sessions of which some parts were to be written, and that have no record: it is to be written as a whole. */
  readonly missing: readonly string[];
}

/** A session that this node has taken. */
export interface Claim {
  /** What its owner has to name with every write. */
  readonly nonce: string;
  /** Higher than that of every claim before. */
  readonly generation: number;
  readonly record: RecordParts;
  /** The node that claimed it last, or has written it first. */
  readonly owner: string;
}

/** What a store tells a node. MUST NOT be called before `open` has begun, or after `close`. */
export interface StoreEvents {
  /** Another node sends a message, and waits for the answer. */
  onMessage(from: string, message: Value): Awaitable<Value>;
  /** Something that nobody keeps was said on a channel that is listened to. */
  onVolatile(channel: string, frames: Frames): void;
  onJoined(node: string): void;
  onLeft(node: string): void;
  /** The record of a session was not written for as long as it was to be kept. One node is told. */
  onExpired(session: string, record: RecordParts): void;
  onState(state: StoreState): void;
}

export interface Store {
  /** Whether other nodes see what is stored. Then everything in a record has to be encodable. */
  readonly isShared: boolean;
  readonly state: StoreState;

  /** The node is there from now on. @param node random, never used before */
  open(node: string, events: StoreEvents): Awaitable<void>;
  close(): Awaitable<void>;
  /** Ids of all nodes that are there. */
  nodes(): Awaitable<readonly string[]>;

  /**
   * A room's log from now on: the follower MUST be called for every entry, in order, once it is stored. A log that is no
   * longer followed MUST go on where it was until its last entry has expired; after that its room has one with another id.
   * @param name which room of which namespace
   */
  follow(name: string, follower: Follower): Awaitable<Log>;
  unfollow(log: Log): void;

  /** MUST store all of it or nothing, and call followers in the order of the entries. */
  commit(commit: Commit): Awaitable<CommitResult>;

  /**
   * Takes a session, whoever has it.
   * @returns `over` if it is; undefined if there is none of that id, or its record is not what `expected` accepts
   */
  claim(session: string, expected: (record: RecordParts) => boolean): Awaitable<Claim | 'over' | undefined>;

  /** Says something that nobody keeps to all other nodes that listen to the channel. */
  publish(channel: string, frames: Frames): void;
  listen(channel: string): void;
  unlisten(channel: string): void;

  /** @returns the answer. Rejects with `ERR_NODE_UNKNOWN` if the node is not there, and with what its `onMessage` threw */
  send(node: string, message: Value): Promise<Value>;
}

/** A store in this process: what a node appends is stored when the call returns, and costs no commit. */
export interface LocalStore extends Store {
  /** Of records. */
  readonly codec: Codec;
  /** One for all nodes that share the store. */
  readonly stamps: Stamps;
  follow(name: string, follower: Follower): Log;
  commit(commit: Commit): CommitResult;
  append(log: Log, stamp: number, except: Except, frames: Frames): void;
  claim(session: string, expected: (record: RecordParts) => boolean): Claim | 'over' | undefined;
}

/** What a store is made with. */
export interface StoreContext {
  readonly platform: Platform;
  /** Of the server, which stops it after `close`. */
  readonly wheel: TimerWheel;
  readonly limits: RetentionLimits;
}

/** Makes the store of one server: the option `adapter`. */
export type Adapter = (context: StoreContext) => LocalStore;
