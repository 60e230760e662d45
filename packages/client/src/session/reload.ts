// What keeps a session over a reload of its page: the seam at which it is put between a session, its sockets and what carries it.
// Types only: who does not import `@halyard/client/reload` loads nothing of it.
import type { Presence } from './presence';
import type { Session, SessionOptions } from './session';

export type ReloadOptions = SessionOptions & { readonly path: string };

/** What `overReload()` of `@halyard/client/reload` gives. */
export interface Reload {
  /** How long what is saved may be: characters of text, of which frames of bytes are in base64. */
  readonly savedCharsMax: number;
  /**
   * @internal
   * @param origin of the server
   * @returns the session as its sockets and its connections are to have it
   */
  keep(session: Session, presences: ReadonlyMap<string, Presence>, origin: string, options: ReloadOptions): Session;
}
