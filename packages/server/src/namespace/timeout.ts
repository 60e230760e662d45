// How long a caller may wait for replies.
import { LocalUsageError, timeoutMsMin } from '@halyard/protocol';
import { given } from '../base/given';

/** @throws LocalUsageError `ERR_OPTION` */
export function checkTimeout(timeoutMs: number): number {
  if (typeof timeoutMs === 'number' && timeoutMs >= timeoutMsMin) return timeoutMs;
  const rule = `A timeout is ${given(timeoutMs)}: it may be from ${timeoutMsMin} to Infinity milliseconds.`;
  throw new LocalUsageError('ERR_OPTION', rule, { option: 'timeoutMs' });
}
