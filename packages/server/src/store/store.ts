// The contract of a store: how the nodes of a cluster share logs, sessions and who is there. A node is one server process.
// What needs only these calls (queues, gaps, repetition, requests to many nodes) is written once, above it. Every call may take
// long, fail, or have been done though it fails: then the same call is made again. Longer than other files: it is read by who writes a
// store, from the first line to the last.
import type { Codec } from '@halyard/codec';
import type { Frame, Position, Value } from '@halyard/protocol';
import type { Platform } from '../base/platform';
import type { TimerWheel } from '../base/wheel';
import type { Frames } from '../log/frames';
import type { RetentionLimits } from '../log/retention';

/** What was published, by codec index, where its place is not known yet. */
export type Bodies = readonly (Frame | undefined)[];

/** At once from a store in this process, later from any other. */
export type Awaitable<T> = T | Promise<T>;

/** `degraded`: calls fail or do not return. `recovering`: it is back, and what was missed is being read. */
export type StoreState = 'up' | 'degraded' | 'recovering';

/** What keeps a store from being up. */
export interface StoreTrouble {
  /** For programs: `ERR_…`. */
  readonly code: string;
  /** For people: what it is, and what to do. */
  readonly message: string;
}

/** What was published, as it is stored. */
interface Published {
  /** When it was emitted. */
  readonly stamp: number;
  /** Rooms and sockets that it is not for. */
  readonly except: readonly string[];
  /** By codec index: PUBLISH without positions. */
  readonly bodies: Bodies;
  /** Who has not got it yet needs only the newest entry of the log under this, if there is one. */
  readonly latest?: string | undefined;
}

/** What may be said again by who does not know whether it was stored. */
interface Keyed {
  /** Where it goes, nothing else is stored under the same key for an hour: then the step has the position of what was. A letter that finds no session leaves no key. */
  readonly key?: string | undefined;
}

/** What is appended to a log. */
export interface NewEntry extends Published, Keyed {
  /** Names the log. */
  readonly log: string;
  /**
   * Where the same message is in other logs, in their order: a position, or which step of this commit. Its entries have one list
   * together: it may be to thousands of rooms.
   */
  readonly places: readonly (number | Position)[];
  /** How many of these come before this entry, and MUST be stored as positions. Who gets it there does not get it here. */
  readonly earlier: number;
}

export interface StoredEntry extends Published {
  /** Counts the entries of its log, from 1, without gaps. */
  readonly offset: number;
  /** The node that appended it. */
  readonly node: string;
  /** Stamp and node of the entry before it in the log; 0 and an empty text if there never was one. */
  readonly after: readonly [stamp: number, node: string];
  /** Where the same message is in other logs, in their order: so many as come before this entry at least. */
  readonly places: readonly Position[];
  /** How many of these come before it. */
  readonly earlier: number;
}

/** Asks where a log is at this place of a commit. */
export interface LogTop {
  readonly topOf: string;
}

/** Something for one session, wherever it is: the store keeps it until the session's record says that it is taken. */
export interface Letter extends Keyed {
  /** Id of the session. */
  readonly to: string;
  /** When it was sent. */
  readonly stamp: number;
  readonly body: Frame;
}

export interface StoredLetter extends Omit<Letter, 'to' | 'key'> {
  /** Counts the letters of its session, from 1, without gaps. */
  readonly number: number;
  /** The node that has sent it. */
  readonly node: string;
}

/** Up to which letter a session has taken what there was for it. */
export type TakenMail = Omit<StoredLetter, 'body'>;

/** One step of a commit. */
export type Step = NewEntry | LogTop | Letter;

/** A session's record: its parts by name, each encoded by itself, so that what has not changed is not written again. */
export type RecordParts = ReadonlyMap<string, Frame>;

/** What is to become of a session's record. It MUST be left alone if another node has claimed it since. */
export interface RecordWrite {
  readonly session: string;
  /** Of the node's claim; of a session that was not claimed one of its own, that nobody else has. */
  readonly nonce: string;
  /** Which connection of its client this is for: what is stored never falls. */
  readonly generation: number;
  /** What has changed: an undefined part is no more. Without parts the session is over, and MUST NOT be written or claimed again. */
  readonly parts: ReadonlyMap<string, Frame | undefined> | undefined;
  /** Parts that the store writes itself: a position, or that of which step of this commit, as `positionPart` has it. */
  readonly positions: ReadonlyMap<string, number | Position>;
  /** Letters up to this one are taken, and MUST be forgotten if anything is written; none, if the store has another of this number. */
  readonly mail: TakenMail;
  /** Whether it has no other parts than these. If it has, a record that is not there MUST NOT be written. */
  readonly isWhole: boolean;
  /** How long it is kept from now on while nobody writes it. */
  readonly keptMs: number;
}

/** @returns the part of a record that says where a log is */
export function positionPart([epoch, offset]: Position): string {
  return `${epoch} ${offset}`;
}

/** What one or more turns of the event loop have produced for one partition. */
export interface Commit {
  /**
   * Counts the node's commits to this partition, from 1. The same number again MUST have the same result, and change nothing; one
   * that is not the next MUST be answered with `RolledBack`.
   */
  readonly number: number;
  /**
   * How often the node was answered so: then numbers are given again. A commit of an earlier branch than the last that was done, or
   * of its number and another branch, MUST be answered with `RolledBack`.
   */
  readonly branch: number;
  readonly steps: readonly Step[];
  readonly records: readonly RecordWrite[];
}

export interface CommitResult {
  /**
   * For each step: the epoch of its log, and the offset of the entry, or of the newest one there is. For a letter an empty text and
   * its number; 0 if there is no such session, and then nobody gets it.
   */
  readonly positions: readonly Position[];
  /** Steps for which nothing was stored, because there was something under their key. */
  readonly repeated: readonly number[];
  /** Sessions whose record was left alone because it has another nonce, or is over, each with its generation. */
  readonly fenced: readonly (readonly [session: string, generation: number])[];
  /** Sessions of which some parts were to be written, and that have no record: it is to be written as a whole. */
  readonly missing: readonly string[];
  /** Sessions that were written and have letters behind those that their records say are taken. */
  readonly mailed: readonly string[];
}

/** The store has lost commits of this node that it had done. Nothing of what was asked for now is done. */
export interface RolledBack {
  /** Number of the last one that it has. */
  readonly last: number;
}

/** Where a log is. */
export interface LogState {
  readonly epoch: string;
  /** Offset of the newest entry that there ever was. */
  readonly top: number;
  /** Stamp and node of that entry; 0 and an empty text if there never was one. */
  readonly newest: readonly [stamp: number, node: string];
}

/** A part of a log. */
export interface LogPage {
  readonly epoch: string;
  /** Offset of the oldest entry that is kept; one more than `top` if there is none. */
  readonly first: number;
  /** Of those before, the newest that is missed: a later one had not taken its place, by the same `latest`, when it was dropped. 0 if none is. */
  readonly missed: number;
  /** Offset of the newest entry that there ever was. */
  readonly top: number;
  /** In order. Empty if what was asked for is not kept any more. */
  readonly entries: readonly StoredEntry[];
}

export interface StoredSession {
  /** Changes with every claim. */
  readonly nonce: string;
  readonly generation: number;
  /** The node that claimed it last, or has written it first. */
  readonly owner: string;
  readonly record: RecordParts;
}

/** A session whose record was not written for as long as it was to be kept. Nobody can read or claim it any more. */
export interface Expired {
  readonly session: string;
  readonly record: RecordParts;
  /** Who has it in hand; another one each time that it is given. */
  readonly lease: string;
}

/** How a node takes a session. */
export interface Claim {
  readonly session: string;
  /** What the record has: if that has changed, nothing happens. */
  readonly nonce: string;
  /** What it has from now on: random, of this claim alone. The same claim again MUST succeed again. */
  readonly newNonce: string;
  readonly generation: number;
  /** How long the record is kept from now on at least, while nobody writes it: who has it does that soon. */
  readonly keptMs: number;
}

/** What a store tells a node. MUST NOT be called before `open` has begun, or after `close`. */
export interface StoreEvents {
  /** A log that is followed has a new entry. Some may be missing before it, or come twice. */
  onEntry(log: string, epoch: string, entry: StoredEntry): void;
  /** A session that this node has claimed, or has written, has a letter. Some may be missing before it, or come twice. */
  onLetter(session: string, letter: StoredLetter): void;
  /** Some entries may not have been told: every log that is followed is to be looked at. MUST come within seconds after that. */
  onMissed(): void;
  /** A log that is followed has another epoch. */
  onRenewed(log: string, epoch: string): void;
  /** Another node sends a message, and waits for the answer. */
  onMessage(from: string, message: Value): Awaitable<Value>;
  /** Something that nobody keeps was said on a channel that is listened to. */
  onVolatile(channel: string, frames: Frames): void;
  onJoined(node: string): void;
  onLeft(node: string): void;
  onState(state: StoreState): void;
  /**
   * Something the operator should know though nothing failed; it may be said as often as it happens.
   * @param code for programs: `ERR_…` @param message for people: what happened, and what to do
   */
  onWarning(code: string, message: string): void;
}

export interface Store {
  readonly isShared: true;
  /** Of records. */
  readonly codec: Codec;
  readonly state: StoreState;
  /** As far as it is known; undefined if it is up. Absent: nobody knows. */
  readonly trouble?: StoreTrouble | undefined;
  /** What is in one partition is stored together, or not at all. */
  readonly partitions: number;
  /** @param name of a log, or id of a session. @returns from 0 */
  partitionOf(name: string): number;
  /** The node is there from now on. @param node random, never used before */
  open(node: string, events: StoreEvents): Awaitable<void>;
  close(): Awaitable<void>;
  /** Ids of all nodes that are there; guests are not. */
  nodes(): Awaitable<readonly string[]>;
  /** MUST do all of it in its order, or nothing. */
  commit(partition: number, commit: Commit): Awaitable<CommitResult | RolledBack>;
  /** @returns the number of the last commit of this node that a partition has; 0 if there is none. It MUST NOT wait for what another partition does */
  lastCommit(partition: number): Awaitable<number>;
  /** Tells every entry of a log that is stored from now on. @returns its epoch, and its newest offset now */
  follow(log: string): Awaitable<Position>;
  /** MUST NOT overtake a call of `follow`, or be overtaken by one. */
  unfollow(log: string): void;
  /**
   * Reads on in a log. A log that is neither read nor written MUST stay until its last entry has expired; after that there is
   * another one with another epoch.
   * @param after the offset before the first entry that is wanted
   */
  read(log: string, after: number, countMax: number): Awaitable<LogPage>;
  /** @returns where each of these logs is, in their order */
  tops(logs: readonly string[]): Awaitable<readonly LogState[]>;
  /**
   * A log has lost entries that it had told: if it still has this epoch, it MUST get another one, without entries, and that MUST be told to
   * every node that follows it. @returns its epoch, and its newest offset now
   */
  renew(log: string, epoch: string): Awaitable<Position>;
  /** @returns letters of a session behind a number, in order; none if the session is not there */
  letters(session: string, after: number, countMax: number): Awaitable<readonly StoredLetter[]>;
  /** @returns `over` if the session is; undefined if there is none */
  session(id: string): Awaitable<StoredSession | 'over' | undefined>;
  /** @returns whether the session is this node's from now on */
  claim(claim: Claim): Awaitable<boolean>;
  /** @returns sessions that have expired, none of which MUST be given to anybody else for so long, or until it is forgotten */
  expired(countMax: number, leaseMs: number): Awaitable<readonly Expired[]>;
  /** One of them is done with. Nothing happens if it was given to somebody else since. */
  forget(session: string, lease: string): Awaitable<void>;
  /** Says something that nobody keeps to all other nodes that listen to the channel. */
  publish(channel: string, frames: Frames): void;
  listen(channel: string): void;
  unlisten(channel: string): void;
  /** @returns the answer. Rejects with `ERR_NODE_UNKNOWN` if the node is not there, and with what its `onMessage` threw */
  send(node: string, message: Value): Promise<Value>;
}

/** What a store is made with. */
export interface StoreContext {
  readonly platform: Platform;
  /** @internal Of the server, which stops it after `close`. */
  readonly wheel: TimerWheel;
  readonly limits: RetentionLimits;
  /** Of bodies, by their index. */
  readonly codecs: readonly Codec[];
  /**
   * Whether it is for a process that serves nobody: one that MUST NOT be among `nodes` of others, or be told of to them. Logs MUST be
   * kept by the limits of the servers, whatever its own are.
   */
  readonly isGuest?: boolean;
}

/**
 * Of what servers store and say to each other. A store that outlives processes MUST refuse to be opened where nodes of another version
 * are: `ERR_STORE_VERSION`.
 */
export const storeVersion = 1;

/** What `memory()` makes for a server that shares nothing. There is no other one. */
export interface OwnStore {
  readonly isShared: false;
}

/** Makes the store of one server: the option `adapter`. */
export type Adapter = (context: StoreContext) => OwnStore | Store;
