// The server's option `overload`: from which marks on work is shed, and how.
import { LocalUsageError } from '@halyard/protocol';
import type { OverloadLimits } from '../base/overload';
import type { Platform } from '../base/platform';

export interface OverloadOptions {
  /**
   * How late the event loop comes to a timer, in the median of seven looks, before work is shed; it is taken again below half of that. 10 to
   * 60,000, default 250.
   */
  readonly loopDelayMs?: number | undefined;
  /**
   * Which part of the time the event loop may be busy, in the median of seven looks, before new clients are turned away, and nothing else is
   * shed; they are taken again below nine tenths of it. 0.1 to 1. Default: none, because a server that starts is busy with those who come.
   */
  readonly utilizationMax?: number | undefined;
  /**
   * Resident memory of the process from which on work is shed; it is taken again below 95 % of that. Default: nine tenths of what the process may
   * have, where the system bounds it (a container); else none.
   */
  readonly memoryBytes?: number | undefined;
  /** While work is shed: connections that are let in in a second, for clients that come back to a session. 0 to 1,000,000, default 100. */
  readonly returnsPerSecondMax?: number | undefined;
  /** When clients that are turned away are to come again, which they are told in seconds. 1,000 to 600,000, default 5,000. */
  readonly retryAfterMs?: number | undefined;
  /**
   * Whether, if the event loop stays late for a second after all else, connections are closed too (1013): those of one in 20 sessions each
   * second, of those that began last. The sessions stay, and can be resumed. Default: false.
   */
  readonly endsNewest?: boolean | undefined;
}

const numbers = {
  loopDelayMs: { default: 250, min: 10, max: 60_000 },
  memoryBytes: { default: Infinity, min: 1, max: 2 ** 50 },
  returnsPerSecondMax: { default: 100, min: 0, max: 1_000_000 },
  retryAfterMs: { default: 5_000, min: 1_000, max: 600_000 },
} as const;

const others = ['utilizationMax', 'endsNewest'];

type NumberName = keyof typeof numbers;

/** @returns undefined if it is not looked for. @throws LocalUsageError `ERR_OPTION` */
export function overloadOf(given: false | OverloadOptions, platform: Platform): OverloadLimits | undefined {
  if (given === false) return undefined;
  if (typeof given !== 'object' || given === null) throw bad('', `is ${String(given)}`, 'it may be false or options');
  const { endsNewest = false, utilizationMax = Infinity } = given;
  for (const name of Object.keys(given)) {
    if (!others.includes(name) && !Object.hasOwn(numbers, name)) {
      throw bad(`.${name}`, 'is not an option', `known ones are ${[...Object.keys(numbers), ...others].join(', ')}`);
    }
  }
  if (typeof endsNewest !== 'boolean') throw bad('.endsNewest', `is ${String(endsNewest)}`, 'it may be true or false');
  const isPart = typeof utilizationMax === 'number' && utilizationMax >= 0.1 && utilizationMax <= 1;
  if (!isPart && utilizationMax !== Infinity)
    throw bad('.utilizationMax', `is ${String(utilizationMax)}`, 'it may be a number from 0.1 to 1');
  const { memoryBytes = memoryMark() } = given;
  const limits = {
    loopDelayMs: numberOf(given, 'loopDelayMs'),
    returnsPerSecondMax: numberOf(given, 'returnsPerSecondMax'),
    retryAfterMs: numberOf(given, 'retryAfterMs'),
    memoryBytes: given.memoryBytes === undefined ? memoryBytes : numberOf(given, 'memoryBytes'),
    utilizationMax,
    endsNewest,
  };
  const now = given.memoryBytes === undefined ? 0 : platform.memoryBytes();
  if (memoryBytes <= now) {
    throw bad(
      '.memoryBytes',
      `is ${memoryBytes}`,
      `the process has ${now} bytes already, so that it would take nobody`,
    );
  }
  return limits;
}

function numberOf(given: OverloadOptions, name: NumberName): number {
  const { min, max } = numbers[name];
  const value = given[name] ?? numbers[name].default;
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw bad(`.${name}`, `is ${String(value)}`, `it may be a whole number from ${min} to ${max}`);
}

/** Without a bound the system has numbers that nothing has: then there is no mark. */
function memoryMark(): number {
  const bytes = process.constrainedMemory?.() ?? 0;
  return bytes > 0 && bytes <= 2 ** 43 ? Math.floor(bytes * 0.9) : Infinity;
}

function bad(name: string, what: string, rule: string): LocalUsageError {
  const option = `overload${name}`;
  return new LocalUsageError('ERR_OPTION', `The server option "${option}" ${what}: ${rule}.`, { option });
}
