// Events between servers: what one of them emits, the handlers of all others get; with the replies of those, if they are wanted.
import type { Codec } from '@halyard/codec';
import { checkEventName, type Frame, LocalUsageError, PublicError, quoted, type Value } from '@halyard/protocol';
import { encodeEvent, encodeValue } from '../session/record';
import type { Shape } from '../session/record-shape';
import type { Inbox } from '../store/inbox';
import type { Replies } from './audience';
import {
  callEvent,
  type Handler,
  type Handlers,
  hasHandler,
  missedCallback,
  noHandlers,
  withHandler,
} from './handlers';
import { isReportEvent } from './report-events';
import { isRoomEvent } from './room-events';
import { sentArgs } from './sent-args';
import { decoded, shaped } from './target-message';

export interface ServerEventsContext {
  readonly inbox: Inbox;
  readonly codec: Codec;
  readonly ackTimeoutMs: number;
  report(error: unknown, where: string): void;
  /** @param about which of several things of the kind */
  warn(code: string, message: string, about?: string): void;
}

const kind = 'server event';
const messageShape: Shape = { tuple: ['frame', 'flag'] };

export class ServerEvents {
  readonly #context: ServerEventsContext;
  #handlers: Handlers = noHandlers;

  constructor(context: ServerEventsContext) {
    this.#context = context;
    context.inbox.on(kind, (message) => this.#receive(message));
  }

  on(event: string, handler: Handler): void {
    check(event);
    this.#handlers = withHandler(this.#handlers, event, handler);
  }

  /** @throws LocalUsageError as `Server.serverSideEmit` says */
  emit(event: string, args: readonly unknown[]): void {
    const message = this.#message(event, args, false);
    const { inbox, ackTimeoutMs } = this.#context;
    // It fails where the store was never reached: that is reported.
    inbox.askAll(kind, message, ackTimeoutMs).catch(() => {});
  }

  /** @throws LocalUsageError as `Server.serverSideEmit` says */
  async request(event: string, args: readonly unknown[]): Promise<Replies<unknown>> {
    const message = this.#message(event, args, true);
    const { inbox, codec, ackTimeoutMs, report } = this.#context;
    const { results, missing } = await inbox.askAll(kind, message, ackTimeoutMs);
    const replies: unknown[] = [];
    for (const [node, value] of results) {
      try {
        replies.push(decoded(shaped<Frame>(value, 'frame', 'reply'), codec));
      } catch (error) {
        missing.push(node);
        report(error, `reading the answer of node ${node}`);
      }
    }
    return { replies, missing };
  }

  #message(event: string, args: readonly unknown[], wantsReply: boolean): Value {
    check(event);
    return [encodeEvent(event, sentArgs(args), this.#context.codec), wantsReply];
  }

  async #receive(message: Value): Promise<Value> {
    const [frame, wantsReply] = shaped<[Frame, boolean]>(message, messageShape, 'event');
    const { codec, report, warn } = this.#context;
    const [name, ...args] = shaped<Value[]>(decoded(frame, codec) as Value, { list: 'any' }, 'event');
    const event = shaped<string>(name as Value, 'text', 'event[0]');
    const where = `the handler of "${event}" of another server`;
    if (!wantsReply) {
      void this.#call(event, args).catch((error: unknown) => report(error, where));
      return null;
    }
    if (!hasHandler(this.#handlers, event))
      throw new PublicError('ERR_NO_HANDLER', `Nothing handles ${quoted(event)}.`);
    try {
      const handlers = this.#handlers;
      const value = (await this.#call(event, args)) as Value | undefined;
      const missed = value === undefined && missedCallback(handlers, event, args.length);
      if (missed) warn('ERR_NO_CALLBACK', missed, `between servers ${event}`);
      return encodeValue(value, codec);
    } catch (error) {
      if (error instanceof PublicError) throw error;
      report(error, where);
      throw new PublicError('ERR_HANDLER', 'The handler failed.');
    }
  }

  async #call(event: string, args: readonly Value[]): Promise<unknown> {
    return callEvent(this.#handlers, event, args, (error) =>
      this.#context.report(error, 'a handler beside the one that replies'),
    );
  }
}

/** @throws LocalUsageError `ERR_RESERVED_EVENT`, `ERR_EVENT_NAME` */
function check(event: string): void {
  checkEventName(event);
  if (event === 'session-expired' || isReportEvent(event) || isRoomEvent(event))
    throw new LocalUsageError('ERR_RESERVED_EVENT', `"${event}" is the name of a lifecycle event`);
}
