// A worker that is killed takes nothing with it: what another one needs to go on with the session is told to the tabs, before what
// follows from it leaves the worker. Of what tabs have said they are told when it has left: until then they repeat it to the next worker.
import type { Frame, OutboxEntry } from '@halyard/protocol';
import type { Link } from '../link/transport';
import { type Heritage, type KeptSession, keepSession } from '../reload/keeper';
import type { Presence } from '../session/presence';
import type { Reload } from '../session/reload';
import { type Kept, nameOf } from './messages';

/** Those of one worker are one user. */
const oneUser = { remember() {}, set() {}, of: () => 0, now: () => 0 };

/** What a tab has said. */
export interface Owner {
  readonly tab: string;
  readonly number: number;
}

export interface Mirror {
  /** Puts it between a session and what has it. */
  readonly keep: Reload['keep'];
  /** Goes on with what tabs know. Before anything is wanted. */
  inherit(kept: Kept): void;
  /** Which session it is now. */
  name(): string;
  /** Tells all of it again. */
  renew(): void;
  /** @param say pushes one frame into the outbox at most, which is the owner's then @returns whether it has */
  own(owner: Owner, say: () => void): boolean;
  /** Something may have been given up. @returns whose frame will never leave */
  givenUp(): Owner[];
}

/** @param tell what has changed */
export function createMirror(tell: (kept: Kept) => void): Mirror {
  let session!: KeptSession;
  let presences: ReadonlyMap<string, Presence>;
  let heir: Kept | undefined;
  /** Of frames that have not left. */
  const owners = new Map<OutboxEntry<Frame>, Owner>();
  /** Who says something now, as long as it is not known by which frame. */
  let speaker: Owner | undefined;
  /** What was told: frames of that name up to a number. */
  let name = '';
  let told = 0;
  let stamp = 0;
  let last = 0;

  /** Owners of what was given up. */
  const gone: Owner[] = [];

  /** What waits may have been given up. In another session it has other entries: the same frames in the same order. */
  const findAgain = () => {
    const parts = session.parts();
    const entries = [...parts.machine.outbox.entries.values()];
    const live = new Set(entries);
    const isAnother = nameOf(parts) !== name;
    let next = 0;
    for (const [entry, owner] of [...owners]) {
      if (live.has(entry)) continue;
      owners.delete(entry);
      const isIt = (one: OutboxEntry<Frame>) =>
        one.frame === entry.frame && one.mark === entry.mark && !owners.has(one);
      let at = isAnother ? next : entries.length;
      while (at < entries.length && !isIt(entries[at]!)) at++;
      if (at < entries.length) {
        owners.set(entries[at]!, owner);
        next = at + 1;
      } else gone.push(owner);
    }
  };

  const flush = () => {
    const parts = session.parts();
    const { confirmed, entries, left } = parts.machine.outbox;
    if (nameOf(parts) !== name) {
      findAgain();
      name = nameOf(parts);
      told = 0;
    }
    const fresh: [number, OutboxEntry<Frame>][] = [];
    const said: [tab: string, number: number, mark: number][] = [];
    for (let number = Math.max(told, confirmed) + 1; number <= left; number++) {
      const entry = entries.get(number);
      if (!entry) continue;
      fresh.push([number, entry]);
      let owner = owners.get(entry);
      // All before the last one have their owners.
      if (speaker && !owner && !entries.has(number + 1)) {
        owner = speaker;
        speaker = undefined;
      }
      owners.delete(entry);
      if (owner) said.push([owner.tab, owner.number, entry.mark]);
    }
    told = left;
    stamp = Math.max(stamp + 1, Date.now());
    const saved = session.saved(fresh);
    // What waits is no loss: it is repeated.
    const spaces = saved.spaces.map((space) => ({ ...space, loss: presences.get(space.namespace)?.loss }));
    tell({ ...saved, spaces, stamp, said });
  };

  /** @returns the number of the last frame: above those that have left there are no gaps */
  const lastNumber = () => {
    const { entries, left } = session.parts().machine.outbox;
    while (last > left && !entries.has(last)) last--;
    last = Math.max(last, left);
    while (entries.has(last + 1)) last++;
    return last;
  };

  const heritage: Heritage = {
    take: () => heir,
    lock: async () => () => {},
  };

  const tapped = new WeakSet<Link>();
  const tap = (link: Link): Link => {
    if (tapped.has(link)) return link;
    tapped.add(link);
    const { send } = link;
    link.send = (frame) => {
      flush();
      send.call(link, frame);
    };
    return link;
  };

  return {
    keep(inner, all, _origin, options) {
      presences = all;
      session = keepSession(inner, presences, options, heritage, oneUser);
      return {
        ...session,
        attach: (link) => session.attach(tap(link)),
        receive(frame) {
          session.receive(frame);
          // What comes next belongs to another one.
          if (nameOf(session.parts()) !== name) flush();
        },
      };
    },
    inherit(kept) {
      heir = kept;
      stamp = kept.stamp;
    },
    name: () => nameOf(session.parts()),
    renew() {
      told = 0;
      if (name) flush();
    },
    own(owner, say) {
      const { entries } = session.parts().machine.outbox;
      const before = entries.get(lastNumber());
      speaker = owner;
      try {
        say();
        const entry = speaker && session.parts().machine.outbox.entries.get(lastNumber());
        if (entry && entry !== before) owners.set(entry, owner);
        return !speaker || owners.get(entry!) === owner;
      } finally {
        speaker = undefined;
      }
    },
    givenUp() {
      findAgain();
      return gone.splice(0);
    },
  };
}
