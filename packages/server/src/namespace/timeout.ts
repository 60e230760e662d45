// How long a caller may wait for replies.
import { LocalUsageError } from '@halyard/protocol';

const timeoutMsMax = 86_400_000;

/** @throws LocalUsageError `ERR_OPTION` */
export function checkTimeout(timeoutMs: number): number {
  if (timeoutMs >= 1 && timeoutMs <= timeoutMsMax) return timeoutMs;
  const rule = `A timeout is ${String(timeoutMs)}: it may be from 1 to ${timeoutMsMax} milliseconds.`;
  throw new LocalUsageError('ERR_OPTION', rule, { option: 'timeoutMs' });
}
