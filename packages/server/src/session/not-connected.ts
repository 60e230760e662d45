// The answer to what is said to a namespace that its client is not in (docs/PROTOCOL.md §5.8).
import type { Failure } from '@halyard/protocol';

export const notConnected: Failure = {
  code: 'ERR_NAMESPACE_NOT_CONNECTED',
  message: 'The namespace is not connected.',
  data: undefined,
};
