// What the nodes of one memory store have together: logs by room, records of sessions, and who is there.
import type { Codec } from '@halyard/codec';
import type { Frame } from '@halyard/protocol';
import { isList, keepOf, listOf, withOne } from '../base/compact-list';
import { Timed, TimerWheel } from '../base/wheel';
import type { Except } from '../log/except';
import { type Follower, type Frames, Log } from '../log/log';
import { Retention } from '../log/retention';
import { Stamps } from '../log/stamp';
import type { Claim, RecordParts, RecordWrite, StoreContext, StoreEvents } from './store';

/** The record of a session, until it has not been written for as long as it was to be kept. */
class StoredRecord extends Timed implements Claim {
  readonly session: string;
  nonce = '';
  generation = 0;
  owner = '';
  record = new Map<string, Frame>();
  /** A session that is over is not written again by who had it before. */
  isOver = false;
  readonly #expired: (stored: StoredRecord) => void;

  constructor(session: string, expired: (stored: StoredRecord) => void) {
    super();
    this.session = session;
    this.#expired = expired;
  }

  override due(): void {
    this.#expired(this);
  }
}

/** A log that nobody followed and that had no entries: who was in its room may still come back. */
class IdleLog extends Timed {
  readonly #forget: () => void;

  constructor(forget: () => void) {
    super();
    this.#forget = forget;
  }

  override due(): void {
    this.#forget();
  }
}

export class MemoryHub {
  readonly isShared: boolean;
  readonly codec: Codec;
  readonly stamps: Stamps;
  readonly nodes = new Map<string, StoreEvents>();
  /** Which nodes listen to a channel. */
  readonly listeners = new Map<string, Set<string>>();
  readonly #wheel: TimerWheel;
  readonly #retention: Retention;
  readonly #randomId: () => string;
  readonly #logs = new Map<string, Log>();
  readonly #idle = new Map<Log, IdleLog>();
  readonly #records = new Map<string, StoredRecord>();
  /** Ids of logs begin with it: no other store gives the same ones. */
  readonly #epoch: string;
  #epochs = 0;

  constructor({ platform, wheel, limits }: StoreContext, codec: Codec, isShared: boolean) {
    this.isShared = isShared;
    this.codec = codec;
    // What servers share has the age that its own clock says, whoever has come and gone.
    this.#wheel = isShared ? new TimerWheel(platform) : wheel;
    const base = platform.wall() - platform.now();
    this.stamps = new Stamps(() => base + this.#wheel.lately());
    this.#retention = new Retention(limits, this.#wheel, (log) => this.#forget(log));
    this.#randomId = () => platform.randomBytes(12).toString('base64url');
    this.#epoch = platform.randomBytes(4).readUInt32BE().toString(36);
  }

  follow(name: string, follower: Follower): Log {
    let log = this.#logs.get(name);
    if (log === undefined) {
      log = new Log(name, `${this.#epoch}${(++this.#epochs).toString(36)}`, this.#retention.limits);
      this.#logs.set(name, log);
    }
    log.followers = withOne(log.followers, follower);
    return log;
  }

  unfollow(log: Log, follower: Follower): void {
    log.followers = keepOf(log.followers, (one) => one !== follower);
    if (log.isEmpty) this.#forget(log);
  }

  append(log: Log, stamp: number, except: Except, frames: Frames): void {
    this.#retention.append(log, stamp, except, frames);
    const { followers } = log;
    if (isList(followers)) for (const follower of followers) follower.onEntry(stamp, except, frames);
    else followers?.onEntry(stamp, except, frames);
  }

  /** @returns why nothing was written, if nothing was */
  write(node: string, { session, nonce, parts, isWhole, keptMs }: RecordWrite): 'fenced' | 'missing' | undefined {
    const stored = this.#records.get(session);
    if (stored !== undefined && (stored.nonce !== nonce || stored.isOver)) return 'fenced';
    if (stored === undefined && !isWhole && parts !== undefined) return 'missing';
    // One that is merely missing is written again by its living owner.
    const written = stored ?? new StoredRecord(session, (one) => this.#expire(one));
    this.#records.set(session, written);
    written.nonce = nonce;
    written.owner = node;
    written.isOver = parts === undefined;
    if (isWhole || parts === undefined) written.record.clear();
    for (const [name, part] of parts ?? []) {
      if (part === undefined) written.record.delete(name);
      else written.record.set(name, part);
    }
    this.#wheel.cancel(written);
    this.#wheel.schedule(written, this.#wheel.now() + keptMs);
    return undefined;
  }

  claim(node: string, session: string, expected: (record: RecordParts) => boolean): Claim | 'over' | undefined {
    const stored = this.#records.get(session);
    if (stored?.isOver) return 'over';
    if (stored === undefined || !expected(stored.record)) return undefined;
    const { owner, record } = stored;
    stored.nonce = this.#randomId();
    stored.generation++;
    stored.owner = node;
    return { nonce: stored.nonce, generation: stored.generation, record: new Map(record), owner };
  }

  #expire(stored: StoredRecord): void {
    this.#records.delete(stored.session);
    if (stored.isOver) return;
    const [first] = this.nodes.values();
    first?.onExpired(stored.session, stored.record);
  }

  /** A log has no entries any more, or no followers. */
  #forget(log: Log): void {
    if (!this.isShared) {
      this.#delete(log);
      return;
    }
    // Sessions of nodes that are gone may be in its room.
    const idle = this.#idle.get(log) ?? new IdleLog(() => this.#delete(log));
    this.#idle.set(log, idle);
    this.#wheel.cancel(idle);
    this.#wheel.schedule(idle, this.#wheel.now() + this.#retention.limits.entryAgeMsMax);
  }

  #delete(log: Log): void {
    this.#idle.delete(log);
    const isIdle = log.isEmpty && listOf(log.followers).length === 0;
    if (isIdle && this.#logs.get(log.name) === log) this.#logs.delete(log.name);
  }
}
