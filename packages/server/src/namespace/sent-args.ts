// What user code hands to an emit, as it is sent.
import { LocalUsageError, trimmedArgs, type Value } from '@halyard/protocol';

/** @throws LocalUsageError `ERR_NOT_ENCODABLE` for a callback at the end, which is how Socket.IO waits for a reply */
export function sentArgs(args: readonly unknown[]): readonly Value[] {
  if (typeof args[args.length - 1] === 'function') {
    const path = `args[${args.length - 1}]`;
    throw new LocalUsageError(
      'ERR_NOT_ENCODABLE',
      `${path}: an emit takes no callback. For a reply, await emitWithAck(…): it is what the handler over there returns`,
      { path },
    );
  }
  return trimmedArgs(args);
}
