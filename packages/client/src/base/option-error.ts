// The error of an option that is not what it may be.
import { LocalUsageError } from '@halyard/protocol';

export function optionError(name: string, rule: string): LocalUsageError {
  return new LocalUsageError('ERR_OPTION', `${name}: ${rule}`, { option: name });
}

/** @throws LocalUsageError `ERR_OPTION` */
export function checkNumber(name: string, value: unknown, min: number, max: number): number {
  if (typeof value === 'number' && value >= min && value <= max) return value;
  throw optionError(name, `a number from ${min} to ${max}`);
}
