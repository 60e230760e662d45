// Types of what a server tells of itself (no code).
import type { AnyEvents, EventHandler, PublicError, Value } from '@halyard/protocol';
import type { OverloadChange } from '../base/overload';
import type { Warning } from '../base/warnings';
import type { RoomEvents } from '../namespace/room-events';
import type { ExpiredHandler } from '../session/expiry';
import type { AnyData } from '../session/handshake';
import type { ErrorContext } from './reports';
import type { Socket } from './socket';

/** Handlers of a server's own events. Those of rooms are of the main namespace. */
export interface ServerLifecycle<Incoming = AnyEvents, Outgoing = AnyEvents, Data = AnyData> extends RoomEvents {
  /** A socket is connected to the main namespace. */
  readonly connection: (socket: Socket<Incoming, Outgoing, Data>) => unknown;
  /** Something failed that nobody waits for, most often code of the app. Unheard it goes to stderr, errors that are alike ten times a minute. */
  readonly error: (error: unknown, context: ErrorContext) => unknown;
  /** A limit was met, a page refused, or the store is away; once a minute for each. Unheard it goes to stderr. */
  readonly warning: (warning: Warning) => unknown;
  /** The server sheds work from now on, because it has more to do than it can, or takes it again: see the option `overload`. */
  readonly overload: (change: OverloadChange) => unknown;
  /**
   * An event of a client of any namespace has no handler, whatever `onAny` does with it: its name is mistyped, or its handler was added too
   * late, behind an `await`. Unheard, what waits for no reply and no `onAny` has seen is a `warning`.
   */
  readonly unhandled: (socket: Socket, event: string, args: readonly Value[]) => unknown;
  /** An event of a client of any namespace was refused by the contract or a guard; the error is what its caller is told. */
  readonly refused: (socket: Socket, event: string, error: PublicError) => unknown;
  /**
   * A session is over whose server is gone: nobody came back to it. One of the servers that share a store is told, and another one if
   * that goes before the handler has settled, or takes longer than 30 s. Where its server lives, each socket fires `disconnect` instead.
   */
  readonly 'session-expired': ExpiredHandler;
}

/** What handles an event of a server: one of its own, or one that other servers emit. */
export type ServerHandler<ServerSide, Incoming, Outgoing, Data, Name> = Name extends keyof ServerLifecycle
  ? ServerLifecycle<Incoming, Outgoing, Data>[Name]
  : Name extends keyof ServerSide
    ? EventHandler<ServerSide, Name>
    : never;
