// What a store loses that fails over to a copy which is late.
import type { MemoryHub } from '../../packages/server/src/store/memory-hub';

/** Remembers what a hub keeps now. @returns a function that loses everything since */
export function checkpoint(hub: MemoryHub): () => void {
  const logs = new Map(
    [...hub.logs].map(([name, { epoch, top, newest, entries, bytes }]) => [
      name,
      { epoch, top, newest, entries: [...entries], bytes },
    ]),
  );
  const sessions = new Map(
    [...hub.sessions].map(([id, { nonce, generation, owner, isOver, record, letters, letterBytes, lastLetter }]) => [
      id,
      {
        ...{ nonce, generation, owner, isOver, letterBytes, lastLetter },
        ...{ record: new Map(record), letters: [...letters] },
      },
    ]),
  );
  const keys = hub.keys.checkpoint();
  return () => {
    keys();
    for (const [name, log] of hub.logs) {
      // One that is followed stays a log, and has another epoch.
      const nothing = { epoch: hub.newEpoch(), top: 0, newest: [0, ''] as const, entries: [], bytes: 0 };
      Object.assign(log, logs.get(name) ?? nothing);
    }
    for (const [id, session] of hub.sessions) {
      const before = sessions.get(id);
      if (before !== undefined) Object.assign(session, before);
      else hub.sessions.delete(id);
    }
  };
}
