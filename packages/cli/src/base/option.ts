// What options may be: each is checked before anything starts.
import { checkEventName, LocalUsageError } from '@halyard/protocol';

/** @returns the error for an option: which one, what it may be, and what it was */
export function optionError(option: string, mayBe: string, given: unknown): LocalUsageError {
  return new LocalUsageError('ERR_OPTION', `${option} may be ${mayBe}, not ${JSON.stringify(given)}.`, { option });
}

/** @returns the error for an option that takes some of several names */
export function namesError(option: string, names: readonly string[], given: string): LocalUsageError {
  return optionError(option, `one or more of ${names.join(', ')}, with commas between them`, given);
}

/** @throws LocalUsageError `ERR_OPTION` if no event may be called so */
export function eventName(option: string, given: string): string {
  try {
    checkEventName(given);
    return given;
  } catch (error) {
    throw optionError(option, `the name of an event (${(error as Error).message})`, given);
  }
}

/** @throws LocalUsageError `ERR_OPTION` if it is no whole number of the range */
export function wholeNumber(option: string, given: unknown, least: number, most: number): number {
  const value = typeof given === 'string' && /^\d{1,15}$/.test(given) ? Number(given) : given;
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= least && value <= most) return value;
  throw optionError(option, `a whole number from ${least} to ${most}`, given);
}
