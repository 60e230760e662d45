// How long a caller may wait for replies.
import { LocalUsageError, quoted, timeoutMsMin } from '@halyard/protocol';

/** @throws LocalUsageError `ERR_OPTION` */
export function checkTimeout(timeoutMs: number): number {
  if (typeof timeoutMs === 'number' && timeoutMs >= timeoutMsMin) return timeoutMs;
  const given = typeof timeoutMs === 'string' ? quoted(timeoutMs) : String(timeoutMs);
  const rule = `A timeout is ${given}: it may be from ${timeoutMsMin} to Infinity milliseconds.`;
  throw new LocalUsageError('ERR_OPTION', rule, { option: 'timeoutMs' });
}
