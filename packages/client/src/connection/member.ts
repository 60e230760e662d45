// A session's presence in one namespace, as the client knows it.
import {
  type EventPacket,
  type HalyardError,
  PublicError,
  type PublishPacket,
  type Value,
  type VolatilePacket,
} from '@halyard/protocol';
import type { LifecycleEvents } from '../events';
import type { Socket } from '../socket';

/** What a namespace is asked for with. */
export type AuthData = { readonly [key: string]: Value | undefined } | undefined;

/** The data itself, or a function that gives it at every attempt. */
export type Auth = AuthData | (() => AuthData | Promise<AuthData>);

/** Answers an event: with the error if there is one. MUST be called once; never throws. */
export type Reply = (error?: unknown, value?: Value) => void;

/** The one who holds the presence. */
export interface MemberOwner {
  readonly socket: Socket;
  fire<Name extends keyof LifecycleEvents>(event: Name, value: Parameters<LifecycleEvents[Name]>[0]): void;
  /** @param reply there if the sender waits for one */
  handle(packet: EventPacket | PublishPacket | VolatilePacket, reply: Reply | undefined): void;
}

export interface Member {
  readonly namespace: string;
  readonly owner: MemberOwner;
  auth: Auth | undefined;
  /** `idle`: nobody wants it connected. `joining`: asked for in HELLO or CONNECT, or about to be. `joined`: answered. */
  phase: 'idle' | 'joining' | 'joined';
  id: string | undefined;
  /** Events that wait until CONNECT is sent, because its auth is not known yet; called with an error they fail. */
  held: ((error?: HalyardError) => void)[] | undefined;
  /** Whether this connection's HELLO asked for it. */
  listed: boolean;
}

export const noHandler = new PublicError('ERR_NO_HANDLER', 'No handler for this event.');

/** Asks for the auth once, and calls back at once if it is there at once. */
export function askAuth({ auth }: Member, done: (auth: AuthData) => void, fail: (error: unknown) => void): void {
  try {
    const data = typeof auth === 'function' ? auth() : auth;
    if (data instanceof Promise) data.then(done).catch(fail);
    else done(data);
  } catch (error) {
    // Never at once: nobody listens before `connect` or `of` has returned.
    queueMicrotask(() => fail(error));
  }
}
