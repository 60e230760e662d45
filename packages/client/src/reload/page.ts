// A page's session, saved when the page goes away, and gone on with by the next page of the tab. What is saved is taken out of the
// storage before anything else.
import { isLater } from '../platform/page';
import { lockTab } from '../platform/tab-lock';
import { keepText, readText, takeText } from '../platform/tab-storage';
import type { AuthData, Presence } from '../session/presence';
import type { ReloadOptions } from '../session/reload';
import type { Session } from '../session/session';
import { type Heritage, keepSession } from './keeper';
import { fromText, lostWith, type Saved, toText } from './saved';
import { createUsers } from './users';

export interface PageOptions {
  readonly savedCharsMax: number;
  readonly name: string;
  readonly userOf: ((auth: AuthData) => string) | undefined;
}

/** For so long after a page is shown that was made before, what the one before it saves as it goes may be on its way. */
const lastWordsMs = 200;

/** After a page is shown that was put away, it is looked for so often, and at most so many times. */
const lookMs = 50;
const looksMax = 20;

/** Places in the storage that this page has filled. */
const filled = new Set<string>();

/** When the browser brought this page back. */
let shownAt = -Infinity;

const noteShown = ({ persisted }: PageTransitionEvent) => {
  if (persisted) shownAt = performance.now();
};

/** @returns the session as its sockets and its connections are to have it */
export function keepForPage(
  session: Session,
  presences: ReadonlyMap<string, Presence>,
  origin: string,
  options: ReloadOptions,
  { savedCharsMax, name, userOf }: PageOptions,
): Session {
  const { clock, codec } = options;
  const place = `halyard reload ${origin}${options.path} ${codec.name} ${name}`;
  let isSaved = false;
  /** What of this page is in the storage, saved or lost. */
  let mine = '';
  /** When the page went away. */
  let savedAt = 0;
  /** How many events other pages of the tab have left that nobody has taken, and nobody was told of. */
  let lost = 0;
  /** Names what was taken. */
  let once = '';

  const heritage: Heritage = {
    take() {
      filled.delete(place);
      const text = takeText(place);
      const saved = text !== undefined && text.length <= savedCharsMax ? fromText(text, codec) : undefined;
      if (saved && 'once' in saved) once = saved.once;
      return saved;
    },
    lock: () => lockTab(`halyard reload ${once}`, clock),
  };
  const kept = keepSession(session, presences, options, heritage, createUsers(codec, userOf));

  // Before the app's own handlers of that. However many clients there are, it is one listener.
  globalThis.addEventListener?.('pageshow', noteShown, true);

  /** While what this page has saved is used elsewhere: until it is known what is left of that. */
  let following: Promise<void> | undefined;

  const unsave = () => {
    if (readText(place) === mine) takeText(place);
    mine = '';
    if (isSaved) filled.delete(place);
    isSaved = false;
  };

  /** The page that has it by now says its last words as this one is shown, in a process of its own. */
  const lastWords = async (looks: number) => {
    for (let i = 0; i < looks && readText(place) === undefined; i++)
      await new Promise<void>((resolve) => clock.after(lookMs, resolve));
  };

  /**
   * A page that goes may be one that the browser puts away and brings back, and the tab have gone on with its session meanwhile. Before
   * anything else happens to the session: what is said from then on is not of the one that was saved.
   */
  const wakes = () => {
    if (!mine || readText(place) === mine) return;
    unsave();
    lost = 0;
    follow(looksMax);
  };

  const follow = (looks: number) => {
    kept.leaveOff();
    const known = lastWords(looks).then(() => {
      if (following === known) goOn();
    });
    following = known;
  };

  const goOn = () => {
    following = undefined;
    kept.goOn();
  };

  const lossWith = (loss: Presence['loss']) => ({ reason: 'not-saved', unconfirmed: lost + (loss?.unconfirmed ?? 0) });

  /** There is room for one session: what another page has left there since is told lost by the next one. */
  const savedNow = (): Saved => {
    const text = readText(place);
    const others = text !== undefined && text !== mine && fromText(text, codec);
    if (others) lost += lostWith(others);
    const saved = kept.saved();
    if (!lost) return saved;
    return { ...saved, spaces: saved.spaces.map((space) => ({ ...space, loss: lossWith(space.loss) })) };
  };

  const store = (): boolean => {
    const isWanted = [...presences.values()].some(({ phase }) => phase);
    // Another client of this page was here first.
    if (!isWanted || (!isSaved && filled.has(place))) return false;
    filled.delete(place);
    if (following) goOn();
    try {
      const saved = savedNow();
      mine = toText({ ...saved, once: options.token() });
      isSaved = mine.length <= savedCharsMax && keepText(place, mine);
      if (isSaved) {
        filled.add(place);
        // What is said once the page is shown again no copy of its tab has.
        if (shownAt <= savedAt) kept.handOver();
      } else {
        const word = toText({ lost: lostWith(saved) });
        mine = keepText(place, word) ? word : '';
      }
    } catch {
      isSaved = false;
    }
    return isSaved;
  };

  /** Wanted before the page is shown: the one before is still there, and has its session. */
  const early = new Set<Presence>();

  /** Whether the page is shown again just now, with no session and nothing to go on with. */
  const isJustBack = () => {
    const { key, token } = session.parts();
    return performance.now() - shownAt < lastWordsMs && !key && !token && !following && readText(place) === undefined;
  };

  return {
    ...kept,

    save() {
      savedAt = performance.now();
      return store();
    },

    join(presence) {
      wakes();
      const joinLater = () => {
        if (!early.delete(presence)) return;
        try {
          kept.join(presence);
        } catch (error) {
          presence.fire('error', error);
        }
      };
      // The one before says its last words as this one is shown, in a process of its own.
      if (isLater(() => clock.after(lastWordsMs, joinLater))) early.add(presence);
      else {
        if (isJustBack()) follow(lastWordsMs / lookMs);
        kept.join(presence);
      }
    },

    leave(presence) {
      wakes();
      early.delete(presence);
      kept.leave(presence);
    },

    leaveAll() {
      wakes();
      early.clear();
      kept.leaveAll();
    },

    wakes,

    ask() {
      wakes();
      let asked = following ? undefined : kept.ask();
      return async () => {
        do {
          await following;
          const answered = asked ?? kept.ask();
          asked = undefined;
          await answered();
          // Until the server is asked for it another page may take it.
          wakes();
        } while (following);
      };
    },

    emit(...event) {
      wakes();
      kept.emit(...event);
      // The page is going away, and its last words are not in what was saved.
      if (isSaved) store();
    },

    attach(link) {
      unsave();
      // It goes on itself.
      if (lost) for (const presence of presences.values()) if (presence.phase) presence.loss = lossWith(presence.loss);
      lost = 0;
      kept.attach(link);
    },

    detach(fate, reason) {
      if (fate === 'final' && isSaved) unsave();
      return kept.detach(fate, reason);
    },
  };
}
