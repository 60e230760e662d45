// What a process emits to the servers of a Redis that serves nobody itself.

import type { AnyEvents } from '@halyard/protocol';
import type { AnyData } from '@halyard/server';
import { type EmitterOptions as CommonOptions, Emitter as StoreEmitter } from '@halyard/server/emitter';
import { type RedisOptions, redis } from './redis';

/** Those of `redis()`, and those of an emitter. */
export interface EmitterOptions extends RedisOptions, CommonOptions {}

export class Emitter<Outgoing = AnyEvents, Data = AnyData, ServerSide = AnyEvents> extends StoreEmitter<
  Outgoing,
  Data,
  ServerSide
> {
  /** @throws LocalUsageError `ERR_OPTION` that names the option and what it may be */
  constructor(options: EmitterOptions) {
    // A text has its characters, and a client what it is made of: those are none.
    if (typeof options !== 'object' || options === null || 'duplicate' in options) redis(options);
    const { codecs, ackTimeoutMs, trustProxy, logger, clock, ...which } = options ?? {};
    super(redis(which), { codecs, ackTimeoutMs, trustProxy, logger, clock });
  }
}
