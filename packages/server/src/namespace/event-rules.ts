// What an emit checks before anything else.
import { LocalUsageError, packetLimits, type Value } from '@halyard/protocol';

/** Names that `on` takes for lifecycle events on either side can never be received. */
const reserved: ReadonlySet<string> = new Set([
  'disconnect',
  'away',
  'resume',
  'connect',
  'connect_error',
  'connection',
  'error',
]);

/** @throws LocalUsageError `ERR_RESERVED_EVENT`, `ERR_EVENT_NAME` */
export function checkEvent(event: string): void {
  if (reserved.has(event))
    throw new LocalUsageError('ERR_RESERVED_EVENT', `"${event}" is the name of a lifecycle event`);
  if (typeof event !== 'string' || event.length === 0 || event.length > packetLimits.nameCharsMax) {
    throw new LocalUsageError(
      'ERR_EVENT_NAME',
      `an event's name is text of 1 to ${packetLimits.nameCharsMax} characters`,
    );
  }
}

/** @throws LocalUsageError `ERR_OPTION` */
export function checkTimeout(timeoutMs: number): number {
  if (timeoutMs >= 1 && timeoutMs <= timeoutMsMax) return timeoutMs;
  const rule = `A timeout is ${String(timeoutMs)}: it may be from 1 to ${timeoutMsMax} milliseconds.`;
  throw new LocalUsageError('ERR_OPTION', rule, { option: 'timeoutMs' });
}

const timeoutMsMax = 86_400_000;

/** Arguments without undefined ones at the end: the other side sees the same parameters. */
export function trimmed(args: readonly unknown[]): readonly Value[] {
  let { length } = args;
  while (length > 0 && args[length - 1] === undefined) length--;
  return (length === args.length ? args : args.slice(0, length)) as readonly Value[];
}
