// A session's presence in one namespace, as the session knows it: what it is asked for with, how far that has come, and whom
// to tell.
import {
  type EventPacket,
  type InterfaceInput,
  LocalUsageError,
  type PublishPacket,
  type Value,
  type VolatilePacket,
} from '@halyard/protocol';
import type { LifecycleEvents } from './lifecycle';

/** What a namespace is asked for with. */
export type AuthData = { readonly [key: string]: Value | undefined } | undefined;

/** The same as an app gives it, which may be of an interface. */
export type AuthInput = AuthData | InterfaceInput;

/** The data itself, or a function that gives it at every attempt: returns it, or a promise of it; or, if it takes a parameter, gives it to that. */
// biome-ignore lint/suspicious/noConfusingVoidType: who gives it returns nothing.
export type Auth = AuthInput | ((give: (data: AuthInput) => void) => AuthInput | PromiseLike<AuthInput | void> | void);

/** Answers an event: with the error if there is one. MUST be called once; never throws. */
export type Reply = (error?: unknown, value?: Value) => void;

export interface Presence {
  readonly namespace: string;
  auth: Auth;
  /** What `auth` gave last. */
  data?: AuthData;
  /** An `auth` that has not answered yet. */
  asked?: { readonly auth: Auth; readonly first: AuthData | Promise<AuthData> } | undefined;
  /** `joining`: asked for by HELLO or CONNECT, or about to be. `joined`: let in. Undefined: nobody wants it. */
  phase?: 'joining' | 'joined' | undefined;
  id?: string;
  /** When what was presented ends; NaN: it does not, or nothing else is to be presented. */
  endsAt?: number;
  /** When `auth` is asked again for that. */
  renewAt?: number;
  /** Of a RENEW that is not answered. */
  renewAck?: number | undefined;
  /**
   * Events that wait until CONNECT is sent: from the beginning until it is wanted for the first time, and while its auth is not known yet.
   * Called with an error they fail.
   */
  held?: Set<(error?: unknown) => void> | undefined;
  /** Whether the HELLO of this connection asked for it. */
  listed?: boolean;
  /** What was lost with sessions in which it was wanted, and its `connect` has not told yet. */
  loss?: { readonly reason: string; readonly unconfirmed: number } | undefined;
  fire<Name extends keyof LifecycleEvents>(event: Name, value: Parameters<LifecycleEvents[Name]>[0]): void;
  /** @param reply there if the sender waits for one */
  handle(packet: EventPacket | PublishPacket | VolatilePacket, reply: Reply | undefined): void;
}

export async function askAuth(presence: Presence): Promise<void> {
  const { auth, asked } = presence;
  const given =
    typeof auth === 'function'
      ? new Promise<AuthData>((resolve, reject) => {
          // What takes a parameter may give to that later.
          Promise.resolve(auth.length ? auth(resolve) : (auth as () => AuthData)()).then(
            (data) => (data || !auth.length) && resolve(data as AuthData),
            reject,
          );
        })
      : auth;
  // One that takes longer than an attempt has been asked for the one before, and may answer first.
  const mine = { auth, first: asked && asked.auth === auth ? Promise.race([asked.first, given]) : given };
  presence.asked = mine;
  try {
    const data = await mine.first;
    // What was asked for before something else was says nothing any more.
    if (presence.asked === mine) presence.data = data;
  } finally {
    if (presence.asked === mine) presence.asked = undefined;
  }
  const { data } = presence;
  if (Array.isArray(data) || typeof (data ?? {}) !== 'object') throw new LocalUsageError('ERR_OPTION', 'no object');
}

/**
 * Asks all who are wanted now.
 * @param askOne rejects with what is told of the one that fails
 * @returns waits until everyone has answered who is wanted by then. Rejects with the error of one that fails
 */
export function askAll(
  wanted: () => readonly Presence[],
  askOne: (presence: Presence) => Promise<void>,
): () => Promise<void> {
  const asked = new Map<Presence, Promise<void>>();
  const ask = async (): Promise<void> => {
    const { size } = asked;
    for (const presence of wanted()) if (!asked.has(presence)) asked.set(presence, askOne(presence));
    await Promise.all(asked.values());
    if (asked.size > size) await ask();
  };
  // Whoever waits for it hears of what fails.
  ask().catch(() => {});
  return ask;
}
