// For pages: a session that goes on when its page is loaded anew. An import of its own, so that pages without it do not load it.
import { checkNumber, optionError } from './base/option-error';
import { keepForPage } from './reload/page';
import type { AuthData } from './session/presence';
import type { Reload } from './session/reload';

export interface OverReloadOptions {
  /**
   * What is saved may be so long: characters of text, of which frames of bytes are in base64. A session with more that waits for
   * the server than that is not saved. 1,024 to 2^24, default 2^20; browsers keep about 5 million for all of a tab's pages.
   */
  savedCharsMax?: number | undefined;
  /** Tells clients of one page to one server apart: each of them that is to go on has its own. Default empty. */
  name?: string | undefined;
  /**
   * What of `auth` says whose session it is: a page with another one begins a new session. Default: all of it. MUST be given where
   * `auth` has what is new with every page, such as a token that was just issued.
   */
  userOf?: ((auth: AuthData) => string) | undefined;
}

/**
 * The option `reload` of `connect`: when its page goes away the session is saved in `sessionStorage`, instead of ended, and the next
 * page of the tab goes on with it. A tab that is closed ends it after the server's `recoveryWindowMs`.
 * @throws LocalUsageError `ERR_OPTION`
 */
export function overReload({ savedCharsMax = 1 << 20, name = '', userOf, ...others }: OverReloadOptions = {}): Reload {
  checkNumber('savedCharsMax', savedCharsMax, 1_024, 1 << 24);
  if (typeof name !== 'string') throw optionError('name', 'a text');
  if (userOf && typeof userOf !== 'function') throw optionError('userOf', 'a function that gives a text');
  for (const other in others) throw optionError(other, 'no such option');
  return {
    savedCharsMax,
    keep: (session, presences, origin, options) =>
      keepForPage(session, presences, origin, options, { savedCharsMax, name, userOf }),
  };
}

export type { AuthData, Reload };
