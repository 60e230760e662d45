// Types of typed events (no code): an event map is an interface whose methods are the events, their parameters the
// arguments, their return types the replies.
import type { ReservedEventName } from './event-rules';

/** What any event looks like when no map is given. */
export interface AnyEvents {
  // biome-ignore lint/suspicious/noExplicitAny: without an event map an app chooses the types where it handles the event.
  [event: string]: (...args: any[]) => any;
}

/** The names of the events of a map. Where a name may be wrong say `keyof Events & string`: of that a compiler lists the right ones. */
export type EventName<Events> = keyof Events & string;

/**
 * The arguments of an event. `any` for a map, as one writes it who wants to name another type alone, is as none. A map of Socket.IO's has the
 * callback of an acknowledgement as last argument: here a reply is what the handler returns, and such an event takes nothing but an error.
 * So does one that has a name of a socket's own events.
 */
export type EventArgs<Events, Name extends keyof Events> = 0 extends 1 & Events
  ? // biome-ignore lint/suspicious/noExplicitAny: it is what was said.
    any[]
  : [Name] extends [ReservedEventName]
    ? [error: 'this is the name of an event of sockets themselves: nobody can emit it']
    : Events[Name] extends (...args: infer Args) => unknown
      ? Required<Args> extends readonly [...unknown[], infer Last]
        ? 0 extends 1 & Last
          ? Args
          : [Last] extends [(...args: never[]) => unknown]
            ? [
                error: 'an event has no callback: its reply is what its handler returns, and what emitWithAck resolves to',
              ]
            : Args
        : Args
      : [error: 'an event is a function in its map: its parameters are the arguments'];

export type EventReply<Events, Name extends keyof Events> = 0 extends 1 & Events
  ? // biome-ignore lint/suspicious/noExplicitAny: it is what was said.
    any
  : Events[Name] extends (...args: never[]) => infer Reply
    ? Awaited<Reply>
    : 'an event is a function in its map: what it returns is the reply';

/**
 * Events as a type whose values are told apart by them: without it a socket would be taken for one of any other events, because methods with
 * type parameters of their own are not compared. Each event may be missing, so that a socket without a map is one of any.
 */
export type OfEvents<Events> = { readonly [Name in keyof Events]?: Events[Name] } | undefined;

/**
 * Handles an event; what it returns, or what its promise resolves to, is the reply. Of an event whose reply is `void` it may return
 * anything, as any function may whose result nobody looks at: who waits for a reply all the same gets it.
 */
export type EventHandler<Events, Name extends keyof Events> = (
  ...args: EventArgs<Events, Name>
) => // biome-ignore lint/suspicious/noConfusingVoidType: it is asked for just that.
[void, EventReply<Events, Name>] extends [EventReply<Events, Name>, void]
  ? unknown
  : EventReply<Events, Name> | PromiseLike<EventReply<Events, Name>>;
