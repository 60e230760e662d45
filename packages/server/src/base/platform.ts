// Everything from outside that would make two runs of the same program differ: time, turns of the event loop, randomness. It
// is handed in, so that whole servers run in virtual time; this file makes the real one.
import { randomBytes } from 'node:crypto';
import { performance } from 'node:perf_hooks';
// Not the global one: the fake clocks of test runners replace that, and turns of the event loop are no time. A server whose
// turns stood still would answer nobody, and never close.
import { setImmediate } from 'node:timers';
import type { Clock } from '@halyard/protocol';

/** How long the event loop has been busy, and idle, since the process began, in milliseconds. */
export interface LoopTimes {
  readonly active: number;
  readonly idle: number;
}

export interface Platform extends Clock {
  /** `now` with its fractions: for what is measured. */
  exact(): number;
  /** The time of day, in milliseconds since 1970. */
  wall(): number;
  /** Calls `run` in a later turn of the event loop, after those that were asked for before. */
  soon(run: () => void): void;
  /** Calls `run` once this call of the event loop has come to its end, before the next one. */
  microtask(run: () => void): void;
  /** @returns so many bytes that nobody can guess */
  randomBytes(length: number): Buffer;
  /** Resident memory of the process. */
  memoryBytes(): number;
  loopTimes(): LoopTimes;
}

/** The real one. Its timers never keep a process alive by themselves. */
export const systemPlatform: Platform = {
  // Whole milliseconds since the process started: for 24 days such a number lives in the field that holds it, where the
  // time of day takes 16 bytes more. It does not jump when somebody sets the clock either.
  now: () => Math.floor(performance.now()),
  exact: () => performance.now(),
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs);
    timer.unref();
    return () => clearTimeout(timer);
  },
  wall: Date.now,
  soon: (run) => {
    setImmediate(run);
  },
  microtask: queueMicrotask,
  randomBytes,
  memoryBytes: process.memoryUsage.rss,
  loopTimes: () => performance.eventLoopUtilization(),
};

/** @returns a platform with some of it replaced */
export function platformOf(clock: Clock & Partial<Platform>): Platform {
  return {
    now: () => clock.now(),
    exact: () => clock.exact?.() ?? clock.now(),
    after: (delayMs, run) => clock.after(delayMs, run),
    wall: () => clock.wall?.() ?? systemPlatform.wall(),
    soon: (run) => (clock.soon ? clock.soon(run) : systemPlatform.soon(run)),
    microtask: (run) => (clock.microtask ? clock.microtask(run) : systemPlatform.microtask(run)),
    randomBytes: (length) => clock.randomBytes?.(length) ?? randomBytes(length),
    memoryBytes: () => clock.memoryBytes?.() ?? systemPlatform.memoryBytes(),
    loopTimes: () => clock.loopTimes?.() ?? systemPlatform.loopTimes(),
  };
}
