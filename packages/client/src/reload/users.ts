// As whom the namespaces of a session were let in: a page of somebody else does not go on with it.
import type { Codec } from '@halyard/codec';
import { PacketType } from '@halyard/protocol';
import type { AuthData, Presence } from '../session/presence';
import { checksum } from './checksum';

export interface Users {
  /** Before `auth` is asked again: what it gives then says nothing of who was let in. */
  remember(presences: Iterable<Presence>): void;
  /** As whom a page before this one was let in, as the socket it has. */
  set(presence: Presence, user: number): void;
  /** As whom it was let in; if it was not yet, as whom it asks. Undefined, which is nobody, if that cannot be told. */
  of(presence: Presence): number | undefined;
  /** As whom it asks now. */
  now(presence: Presence): number | undefined;
}

/** @param userOf what of `auth` says who it is; by default all of it */
export function createUsers(codec: Codec, userOf: ((auth: AuthData) => string) | undefined): Users {
  const known = new WeakMap<Presence, { readonly id: string | undefined; readonly user: number | undefined }>();
  const users: Users = {
    remember(presences) {
      for (const presence of presences) {
        const { phase, id } = presence;
        if (phase === 'joined' && known.get(presence)?.id !== id)
          known.set(presence, { id, user: users.now(presence) });
      }
    },
    set(presence, user) {
      known.set(presence, { id: presence.id, user });
    },
    of: (presence) => known.get(presence)?.user ?? users.now(presence),
    now(presence) {
      const { namespace, data } = presence;
      try {
        return checksum(userOf?.(data) ?? codec.encode({ type: PacketType.Connect, namespace, auth: data }));
      } catch (error) {
        presence.fire('error', error);
        return undefined;
      }
    },
  };
  return users;
}
