// A session's presence in one namespace, as the client knows it.
import type { EventPacket, PublishPacket, Value, VolatilePacket } from '@halyard/protocol';
import type { LifecycleEvents } from '../api/events';
import type { Socket } from '../api/socket';

/** What a namespace is asked for with. */
export type AuthData = { readonly [key: string]: Value | undefined } | undefined;

/** The data itself, or a function that gives it at every attempt. */
export type Auth = AuthData | (() => AuthData | Promise<AuthData>);

/** Answers an event: with the error if there is one. MUST be called once; never throws. */
export type Reply = (error?: unknown, value?: Value) => void;

export interface Member {
  readonly namespace: string;
  readonly socket: Socket;
  auth: Auth;
  /** What `auth` gave last. */
  data?: AuthData;
  /** `joining`: asked for by HELLO or CONNECT, or about to be. `joined`: let in. Undefined: nobody wants it. */
  phase?: 'joining' | 'joined' | undefined;
  id?: string;
  /** Events that wait until CONNECT is sent, because its auth is not known yet. Called with an error they fail. */
  held?: ((error?: unknown) => void)[] | undefined;
  /** Whether the HELLO of this connection asked for it. */
  listed?: boolean;
  /** What was lost with sessions in which it was wanted, and its `connect` has not told yet. */
  loss?: { readonly reason: string; readonly unconfirmed: number } | undefined;
  fire<Name extends keyof LifecycleEvents>(event: Name, value: Parameters<LifecycleEvents[Name]>[0]): void;
  /** @param reply there if the sender waits for one */
  handle(packet: EventPacket | PublishPacket | VolatilePacket, reply: Reply | undefined): void;
}

export async function askAuth(member: Member): Promise<void> {
  const { auth } = member;
  member.data = await (typeof auth === 'function' ? auth() : auth);
}
