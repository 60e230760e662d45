// The logs of a server alone, in its own memory: what it appends is stored when the call returns.
import { keepOf, listOf, withOne } from '../base/compact-list';
import { KeptKeys } from '../base/kept-keys';
import type { Platform } from '../base/platform';
import type { TimerWheel } from '../base/wheel';
import type { Except } from './except';
import type { Follower } from './follower';
import type { Frames } from './frames';
import { Log } from './log';
import { Retention, type RetentionLimits } from './retention';
import { Stamps } from './stamp';

export class LocalStore {
  readonly isShared = false;
  readonly stamps: Stamps;
  readonly retention: Retention;
  readonly #byName = new Map<string, Log>();
  /** Ids of logs begin with it: no other server gives the same ones. */
  readonly #epoch: string;
  #epochs = 0;
  readonly #wheel: TimerWheel;
  #keys: KeptKeys<true> | undefined;

  constructor(platform: Platform, wheel: TimerWheel, limits: RetentionLimits) {
    this.#wheel = wheel;
    const base = platform.wall() - platform.now();
    this.stamps = new Stamps(() => base + wheel.lately());
    this.retention = new Retention(limits, wheel, (log) => this.#forget(log));
    this.#epoch = platform.randomBytes(4).readUInt32BE().toString(36);
  }

  /** A room's log from now on: it goes on where it was, until its last entry has expired. */
  follow(name: string, follower: Follower): Log {
    let log = this.#byName.get(name);
    if (log === undefined) {
      log = new Log(name, `${this.#epoch}${(++this.#epochs).toString(36)}`, this.retention.limits);
      this.#byName.set(name, log);
    }
    log.followers = withOne(log.followers, follower);
    return log;
  }

  unfollow(log: Log, follower: Follower): void {
    log.followers = keepOf(log.followers, (one) => one !== follower);
    this.#forget(log);
  }

  append(log: Log, stamp: number, except: Except, frames: Frames): void {
    this.retention.append(log, stamp, except, frames);
    const { followers } = log;
    if (Array.isArray(followers)) for (const follower of followers) follower.onEntry(stamp, except, frames);
    else (followers as Follower | undefined)?.onEntry(stamp, except, frames);
  }

  /** @returns whether a key was not given for a log before */
  isFresh(log: string, key: string): boolean {
    this.#keys ??= new KeptKeys();
    const now = this.#wheel.now();
    const name = `${log} ${key}`;
    if (this.#keys.get(name, now)) return false;
    this.#keys.set(name, true, now);
    return true;
  }

  /** A log has no entries any more, or no followers. */
  #forget(log: Log): void {
    const isIdle = log.isEmpty && listOf(log.followers).length === 0;
    if (isIdle && this.#byName.get(log.name) === log) this.#byName.delete(log.name);
  }
}
