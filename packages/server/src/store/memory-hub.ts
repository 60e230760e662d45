// What the nodes of one memory store have together: logs by room, records of sessions with their letters, and who is there.
// Longer than other files: one commit changes all of it.
import type { Frame, Position } from '@halyard/protocol';
import { KeptKeys } from '../base/kept-keys';
import type { Platform } from '../base/platform';
import { TimedCall, TimerWheel } from '../base/wheel';
import type { RetentionLimits } from '../log/retention';
import { PlacedLists } from './placed-lists';
import {
  type Claim,
  type CommitResult,
  type Expired,
  type Letter,
  type LogPage,
  type LogState,
  type NewEntry,
  positionPart,
  type RecordWrite,
  type Step,
  type StoredEntry,
  type StoredLetter,
  type StoredSession,
  type StoreEvents,
  type TakenMail,
} from './store';

interface KeptEntry extends StoredEntry {
  readonly bytes: number;
  readonly endsAt: number;
}

const nothing: LogState['newest'] = [0, ''];

class KeptLog {
  epoch: string;
  readonly followers = new Set<string>();
  readonly kept: TimedCall;
  top = 0;
  /** Stamp and node of the newest entry that there ever was. */
  newest: LogState['newest'] = nothing;
  entries: KeptEntry[] = [];
  bytes = 0;
  /** Offset of the newest entry of each key, as long as it is kept. */
  readonly latest = new Map<string, number>();
  /** Offset of the newest entry that was dropped before a newer one had taken its place. */
  missed = 0;

  constructor(epoch: string, expired: () => void) {
    this.epoch = epoch;
    this.kept = new TimedCall(expired);
  }

  drop(count: number): void {
    for (const { bytes, offset, latest } of this.entries.splice(0, count)) {
      this.bytes -= bytes;
      if (latest !== undefined && (this.latest.get(latest) ?? 0) > offset) continue;
      if (latest !== undefined) this.latest.delete(latest);
      this.missed = offset;
    }
  }
}

/** The record of a session. */
class KeptSession {
  readonly kept: TimedCall;
  endsAt = 0;
  nonce = '';
  generation = 0;
  owner = '';
  record = new Map<string, Frame>();
  /** Letters that are not taken, in order. There is one at least whatever its size, and the oldest make room. */
  letters: StoredLetter[] = [];
  letterBytes = 0;
  lastLetter = 0;
  /** A session that is over is not written again by who had it before. */
  isOver = false;

  constructor(expired: () => void) {
    this.kept = new TimedCall(expired);
  }

  taken({ number, node, stamp }: TakenMail): void {
    if (this.letters.length === 0) this.lastLetter = Math.max(this.lastLetter, number);
    const its = this.letters.find((letter) => letter.number === number);
    // Letters are counted anew, because some are lost.
    if (number > this.lastLetter || (its !== undefined && (its.node !== node || its.stamp !== stamp))) return;
    const kept = this.letters.findIndex((letter) => letter.number > number);
    this.dropLetters(kept < 0 || this.isOver ? this.letters.length : kept);
  }

  dropLetters(count: number): void {
    for (const { body } of this.letters.splice(0, count)) this.letterBytes -= body.length;
  }
}

export class MemoryHub {
  readonly nodes = new Map<string, StoreEvents>();
  /** Those of them that the others do not know of. */
  readonly guests = new Set<string>();
  /** Which nodes listen to a channel. */
  readonly listeners = new Map<string, Set<string>>();
  readonly #wheel: TimerWheel;
  readonly #limits: RetentionLimits;
  readonly logs = new Map<string, KeptLog>();
  readonly sessions = new Map<string, KeptSession>();
  /** Positions of what was stored under a key, by where it went and the key. */
  readonly keys = new KeptKeys<Position>();
  /** Those that nobody was told of, or is being told. */
  readonly #expired = new Map<string, { readonly record: Map<string, Frame>; lease: string; until: number }>();
  #leases = 0;
  /** Ids of logs begin with it: no other store gives the same ones. */
  readonly #epoch: string;
  #epochs = 0;

  constructor(platform: Platform, limits: RetentionLimits) {
    // What servers share has the age that its own clock says, whoever has come and gone.
    this.#wheel = new TimerWheel(platform);
    this.#limits = limits;
    this.#epoch = platform.randomBytes(4).readUInt32BE().toString(36);
  }

  commit(node: string, steps: readonly Step[], records: readonly RecordWrite[]): CommitResult {
    const positions: Position[] = [];
    const placed = new PlacedLists((at) => positions[at] as Position);
    const repeated: number[] = [];
    for (const [i, step] of steps.entries()) {
      const before = this.#before(step);
      if (before !== undefined) repeated.push(i);
      positions.push(before ?? this.#do(node, step, placed));
    }
    const fenced: [string, number][] = [];
    const missing: string[] = [];
    const mailed: string[] = [];
    for (const write of records) {
      const unwritten = this.#write(node, write, positions);
      if (unwritten === 'missing') missing.push(write.session);
      else if (unwritten !== undefined) fenced.push([write.session, unwritten]);
      else if (this.sessions.get(write.session)?.letters.length) mailed.push(write.session);
    }
    return { positions, repeated, fenced, missing, mailed };
  }

  follow(node: string, name: string): Position {
    const log = this.#log(name);
    log.followers.add(node);
    this.#wheel.cancel(log.kept);
    return [log.epoch, log.top];
  }

  unfollow(node: string, name: string): void {
    if (this.logs.get(name)?.followers.delete(node)) this.#log(name);
  }

  read(name: string, after: number, countMax: number): LogPage {
    const { epoch, top, missed, entries } = this.#log(name);
    const first = top - entries.length + 1;
    const page = after + 1 < first ? [] : entries.slice(after + 1 - first, after + 1 - first + countMax);
    return { epoch, first, top, missed, entries: page };
  }

  tops(names: readonly string[]): LogState[] {
    return names.map((name) => {
      const { epoch, top, newest } = this.#log(name);
      return { epoch, top, newest };
    });
  }

  renew(name: string, epoch: string): Position {
    const log = this.#log(name);
    if (log.epoch === epoch) {
      log.epoch = this.newEpoch();
      log.top = 0;
      log.newest = nothing;
      log.drop(log.entries.length);
      log.missed = 0;
      for (const follower of log.followers) this.nodes.get(follower)?.onRenewed(name, log.epoch);
    }
    return [log.epoch, log.top];
  }

  letters(session: string, after: number, countMax: number): StoredLetter[] {
    const letters = this.sessions.get(session)?.letters ?? [];
    return letters.filter(({ number }) => number > after).slice(0, countMax);
  }

  session(id: string): StoredSession | 'over' | undefined {
    const stored = this.sessions.get(id);
    if (stored?.isOver) return 'over';
    if (stored === undefined) return undefined;
    const { nonce, generation, owner, record } = stored;
    return { nonce, generation, owner, record: new Map(record) };
  }

  expired(countMax: number, leaseMs: number): Expired[] {
    const now = this.#wheel.now();
    const expired: Expired[] = [];
    for (const [session, kept] of this.#expired) {
      if (expired.length === countMax) break;
      if (kept.until > now) continue;
      kept.until = now + leaseMs;
      kept.lease = `${++this.#leases}`;
      expired.push({ session, record: kept.record, lease: kept.lease });
    }
    return expired;
  }

  forget(session: string, lease: string): void {
    if (this.#expired.get(session)?.lease === lease) this.#expired.delete(session);
  }

  claim(node: string, { session, nonce, newNonce, generation, keptMs }: Claim): boolean {
    const stored = this.sessions.get(session);
    if (stored === undefined || stored.isOver) return false;
    if (stored.nonce !== nonce && stored.nonce !== newNonce) return false;
    stored.nonce = newNonce;
    stored.generation = Math.max(stored.generation, generation);
    stored.owner = node;
    stored.endsAt = Math.max(stored.endsAt, this.#wheel.now() + keptMs);
    this.#keep(stored.kept, stored.endsAt);
    return true;
  }

  /** @returns one that no log has had */
  newEpoch(): string {
    return `${this.#epoch}${(++this.#epochs).toString(36)}`;
  }

  /** @returns the position of what was stored under the key of a step */
  #before(step: Step): Position | undefined {
    if ('topOf' in step || step.key === undefined) return undefined;
    return this.keys.get(keyOf(step, step.key), this.#wheel.now());
  }

  #do(node: string, step: Step, placed: PlacedLists): Position {
    if ('topOf' in step) return this.#top(step.topOf);
    const position: Position = 'to' in step ? ['', this.#post(node, step)] : this.#append(node, step, placed);
    // Of a letter that finds no session nothing is known later: it may be said again.
    if (step.key !== undefined && position[1] > 0) this.keys.set(keyOf(step, step.key), position, this.#wheel.now());
    return position;
  }

  #top(name: string): Position {
    const { epoch, top } = this.#log(name);
    return [epoch, top];
  }

  /** The log of a room. It stays for as long as anybody may come who was in the room, counted from when it was used last. */
  #log(name: string): KeptLog {
    let log = this.logs.get(name);
    if (log === undefined) {
      log = new KeptLog(this.newEpoch(), () => this.#logExpired(name));
      this.logs.set(name, log);
    }
    const now = this.#wheel.now();
    this.#trim(log, now);
    // As long as it is followed it stays anyway.
    if (log.followers.size === 0) this.#keep(log.kept, now + this.#limits.entryAgeMsMax);
    return log;
  }

  #append(node: string, entry: NewEntry, placed: PlacedLists): Position {
    const { stamp, except, bodies, earlier, latest } = entry;
    const log = this.#log(entry.log);
    const offset = ++log.top;
    let bytes = latest?.length ?? 0;
    for (const body of bodies) bytes += body?.length ?? 0;
    const places = placed.of(entry.places, earlier);
    const stored = { offset, node, stamp, after: log.newest, except, bodies, places, earlier, latest };
    log.newest = [stamp, node];
    log.entries.push({ ...stored, bytes, endsAt: this.#wheel.now() + this.#limits.entryAgeMsMax });
    log.bytes += bytes;
    if (latest !== undefined) log.latest.set(latest, offset);
    this.#trim(log, this.#wheel.now());
    for (const follower of log.followers) this.nodes.get(follower)?.onEntry(entry.log, log.epoch, stored);
    return [log.epoch, offset];
  }

  #post(node: string, { to, stamp, body }: Letter): number {
    const { logPacketsMax, logBytesMax } = this.#limits;
    const stored = this.sessions.get(to);
    if (stored === undefined || stored.isOver) return 0;
    const letter = { number: ++stored.lastLetter, node, stamp, body };
    stored.letters.push(letter);
    stored.letterBytes += body.length;
    while (stored.letters.length > logPacketsMax || (stored.letterBytes > logBytesMax && stored.letters.length > 1)) {
      stored.dropLetters(1);
    }
    this.nodes.get(stored.owner)?.onLetter(to, letter);
    return letter.number;
  }

  #trim(log: KeptLog, now: number): void {
    const { logPacketsMax, logBytesMax } = this.#limits;
    const { entries } = log;
    let { bytes } = log;
    let count = 0;
    while (
      count < entries.length &&
      (entries.length - count > logPacketsMax ||
        (bytes > logBytesMax && entries.length - count > 1) ||
        (entries[count] as KeptEntry).endsAt <= now)
    ) {
      bytes -= (entries[count++] as KeptEntry).bytes;
    }
    if (count > 0) log.drop(count);
  }

  /** @returns why nothing was written, if nothing was: it is not there, or another has it, for a connection of that generation */
  #write(node: string, write: RecordWrite, positions: readonly Position[]): 'missing' | number | undefined {
    const { session, nonce, generation, parts, isWhole, keptMs, mail } = write;
    const stored = this.sessions.get(session);
    if (stored !== undefined && (stored.nonce !== nonce || stored.isOver)) return stored.generation;
    if (stored === undefined && !isWhole && parts !== undefined) return 'missing';
    // One that is merely missing is written again by its living owner.
    const written: KeptSession = stored ?? new KeptSession(() => this.#sessionExpired(session, written));
    this.sessions.set(session, written);
    // Its owner was only quiet.
    this.#expired.delete(session);
    written.nonce = nonce;
    written.generation = Math.max(written.generation, generation);
    written.owner = node;
    written.isOver = parts === undefined;
    written.taken(mail);
    if (isWhole || parts === undefined) written.record.clear();
    for (const [name, part] of parts ?? []) {
      if (part === undefined) written.record.delete(name);
      else written.record.set(name, part);
    }
    for (const [name, at] of write.positions) {
      written.record.set(name, positionPart(typeof at === 'number' ? (positions[at] as Position) : at));
    }
    written.endsAt = this.#wheel.now() + keptMs;
    this.#keep(written.kept, written.endsAt);
    return undefined;
  }

  #keep(kept: TimedCall, endsAt: number): void {
    this.#wheel.cancel(kept);
    this.#wheel.schedule(kept, endsAt);
  }

  #logExpired(name: string): void {
    const log = this.logs.get(name);
    if (log === undefined) return;
    const now = this.#wheel.now();
    this.#trim(log, now);
    if (log.followers.size > 0) return;
    if (log.entries.length === 0) this.logs.delete(name);
    else this.#keep(log.kept, now + this.#limits.entryAgeMsMax);
  }

  #sessionExpired(id: string, stored: KeptSession): void {
    if (this.sessions.get(id) !== stored) return;
    this.sessions.delete(id);
    if (stored.isOver) return;
    this.#expired.set(id, { record: stored.record, lease: '', until: 0 });
  }
}

function keyOf(step: NewEntry | Letter, key: string): string {
  return 'to' in step ? `to ${step.to} ${key}` : `in ${step.log} ${key}`;
}
