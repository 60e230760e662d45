// Whether the server has more to do than it can: it looks how late the event loop comes to a timer, how busy that is, and how much memory
// the process has. From a mark on it sheds work, and it takes all of it again by itself once it has been well below for a while.
import type { LoopTimes, Platform } from './platform';

export type OverloadReason = 'loop-delay' | 'utilization' | 'memory';

export type OverloadState = 'normal' | 'shedding';

/** The state of a server has changed. */
export interface OverloadChange {
  readonly state: OverloadState;
  /** Why it sheds work; of `normal` why it did. */
  readonly reasons: readonly OverloadReason[];
  /** How much later than it should the event loop came to a timer: the median of the last seven looks. */
  readonly loopDelayMs: number;
  /** Which part of the time the event loop was busy, from 0 to 1, likewise; 0 if nobody looks. */
  readonly utilization: number;
  /** Resident memory of the process. */
  readonly memoryBytes: number;
}

export interface OverloadLimits {
  /** Median delay of the event loop from which on work is shed. */
  readonly loopDelayMs: number;
  /** Which part of the time the event loop may be busy before new clients are turned away, and no more than that; Infinity: it is not looked at. */
  readonly utilizationMax: number;
  /** Resident memory of the process from which on work is shed; Infinity: it is not looked at. */
  readonly memoryBytes: number;
  /** While work is shed: connections that are let in in a second, for who comes back to a session. */
  readonly returnsPerSecondMax: number;
  /** When clients that are turned away are to come again. */
  readonly retryAfterMs: number;
  /** Whether, if the delay does not fall, connections are closed too: those that were opened last first. */
  readonly endsNewest: boolean;
}

export interface OverloadContext {
  readonly platform: Platform;
  changed(change: OverloadChange): void;
  /** The delay has not fallen by all else. */
  insufficient(): void;
  /** @returns whether it need not be looked at for now */
  isIdle(): boolean;
}

/** It is looked at so often, in milliseconds, … */
const lookMs = 50;
/** … and how much memory there is at each of so many looks. */
const looksPerMemory = 20;
/** The median of so many counts: one delay alone is a long handler, or a collection of garbage. */
const looksKept = 7;
/** Work is taken again once it has been below this part of a mark … */
const calmPart = { 'loop-delay': 0.5, utilization: 0.9, memory: 0.95 } as const;
/** … for so long. */
const calmMs = 2_000;
/** What is shed has to show so soon; then more is, in milliseconds. */
const patienceMs = 1_000;

export class Overload {
  /** Whether new clients are turned away now. */
  isFull = false;
  /** Whether other work is shed too. */
  isShedding = false;
  /** What was shed since the server was made: connections that were refused, … */
  refusedConnections = 0;
  /** … sessions that were not begun, … */
  refusedSessions = 0;
  /** … and connections that were closed for it. */
  endedConnections = 0;
  readonly limits: OverloadLimits;
  readonly #context: OverloadContext;
  readonly #delays: number[] = [];
  readonly #busy: number[] = [];
  /** How long the event loop had been busy and idle at the last look. */
  #times: LoopTimes = { active: 0, idle: 0 };
  #looks = 0;
  #memoryBytes = 0;
  #reasons: readonly OverloadReason[] = [];
  /** Since when there is less of a reason than was told. */
  #calmSince: number | undefined;
  /** When more was shed last. */
  #shedAt = 0;
  /** Who may still come back in this second, … */
  #returns = 0;
  /** … which has begun then. */
  #returnsSince = Number.NEGATIVE_INFINITY;
  #cancel: (() => void) | undefined;

  constructor(limits: OverloadLimits, context: OverloadContext) {
    this.limits = limits;
    this.#context = context;
  }

  get reasons(): readonly OverloadReason[] {
    return this.#reasons;
  }

  /** Looks from now on, until there is nothing to look at. */
  watch(): void {
    if (this.#cancel !== undefined) return;
    const { platform, isIdle } = this.#context;
    const dueAt = platform.exact() + lookMs;
    this.#cancel = platform.after(lookMs, () => {
      this.#cancel = undefined;
      this.#look(platform.exact() - dueAt);
      if (this.isFull || !isIdle()) this.watch();
      else this.#delays.length = this.#busy.length = 0;
    });
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  /** A client wants to connect while work is shed. @returns whether it may, because it may be one that comes back */
  letsIn(): boolean {
    const now = this.#context.platform.now();
    if (now - this.#returnsSince >= 1_000) {
      this.#returnsSince = now;
      this.#returns = this.limits.returnsPerSecondMax;
    }
    if (this.#returns > 0) {
      this.#returns--;
      return true;
    }
    this.refusedConnections++;
    return false;
  }

  get #delayMs(): number {
    return medianOf(this.#delays);
  }

  #look(delayMs: number): void {
    const { platform } = this.#context;
    keep(this.#delays, Math.max(0, delayMs));
    const { loopDelayMs, utilizationMax, memoryBytes } = this.limits;
    if (utilizationMax !== Infinity) {
      const { active, idle } = platform.loopTimes();
      const passed = active - this.#times.active + idle - this.#times.idle;
      if (passed > 0) keep(this.#busy, (active - this.#times.active) / passed);
      this.#times = { active, idle };
    }
    if (this.#looks++ % looksPerMemory === 0 && memoryBytes !== Infinity) this.#memoryBytes = platform.memoryBytes();
    const part = (reason: OverloadReason): number => (this.#reasons.includes(reason) ? calmPart[reason] : 1);
    const reasons: OverloadReason[] = [];
    if (this.#delayMs >= loopDelayMs * part('loop-delay')) reasons.push('loop-delay');
    if (medianOf(this.#busy) >= utilizationMax * part('utilization')) reasons.push('utilization');
    if (this.#memoryBytes >= memoryBytes * part('memory')) reasons.push('memory');
    this.#judge(reasons, platform.now());
  }

  #judge(reasons: readonly OverloadReason[], now: number): void {
    const isWorse = reasons.some((reason) => !this.#reasons.includes(reason));
    if (isWorse) this.#change(reasons, now);
    else if (reasons.length < this.#reasons.length) {
      this.#calmSince ??= now;
      if (now - this.#calmSince >= calmMs) this.#change(reasons, now);
    } else {
      this.#calmSince = undefined;
      if (reasons.length > 0) this.#shedMore(now);
    }
  }

  #change(reasons: readonly OverloadReason[], now: number): void {
    const { platform, changed } = this.#context;
    const before = this.#reasons;
    this.#reasons = reasons;
    this.#calmSince = undefined;
    this.#shedAt = now;
    this.isFull = reasons.length > 0;
    this.isShedding = reasons.some((reason) => reason !== 'utilization');
    changed({
      state: this.isFull ? 'shedding' : 'normal',
      reasons: this.isFull ? reasons : before,
      loopDelayMs: Math.round(this.#delayMs),
      utilization: Math.round(medianOf(this.#busy) * 100) / 100,
      memoryBytes: this.#memoryBytes || platform.memoryBytes(),
    });
  }

  #shedMore(now: number): void {
    const { endsNewest, loopDelayMs } = this.limits;
    if (!endsNewest || now - this.#shedAt < patienceMs || this.#delayMs < loopDelayMs) return;
    this.#shedAt = now;
    this.#context.insufficient();
  }
}

function keep(values: number[], value: number): void {
  values.push(value);
  if (values.length > looksKept) values.shift();
}

/** @returns 0 as long as there are not enough */
function medianOf(values: readonly number[]): number {
  if (values.length < looksKept) return 0;
  return [...values].sort((a, b) => a - b)[looksKept >> 1] as number;
}
