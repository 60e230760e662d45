// Servers find out late what the store has lost: what others have emitted is unread by then, members have left, or something else is in
// its place.
import type { Random } from '@halyard/harness/random';
import type { Scene, Stage } from './stage';

/** The last that happens is such a loss: nothing later excuses or mends it. */
export const loseUnreadLast: Scene = {
  excuse: 'rollback',
  async play(stage) {
    const lostMs = 100;
    loseUnread(stage, stage.random, lostMs);
    await stage.elapse(lostMs + 500);
  },
};

export function loseUnread(stage: Stage, random: Random, lostMs: number): void {
  if (!stage.store.rollBack(lostMs, random.int(2_000))) return;
  if (random.chance(0.5)) leaveUnread(stage, random, lostMs);
  else replaceUnread(stage, random.int(4), lostMs);
}

/** What a room's members have got is lost; a server that does not know the room puts two others there, and only the second is told. */
function replaceUnread(stage: Stage, which: number, lostMs: number): void {
  const room = 'abcd'[which] as string;
  const isOfMember = ({ io }: ReturnType<Stage['servers']>[number]): boolean =>
    [...io.sockets.values()].some((socket) => socket.rooms.has(room));
  const place = stage.servers().find(isOfMember);
  const other = stage.servers().find((one) => !isOfMember(one));
  if (place === undefined || other === undefined) return;
  stage.emit(place, room);
  const { path } = stage.store;
  const { untold } = path;
  stage.during(lostMs + 1, () => {
    if (!other.isAlive) return;
    path.untold = 1;
    stage.emit(other, room);
  });
  stage.during(lostMs + 1 + path.latencyMs[1], () => {
    path.untold = 0;
    if (other.isAlive) stage.emit(other, room);
  });
  stage.during(lostMs + 500, () => {
    path.untold = untold;
  });
}

/** Others emit to a room, and a member leaves it before its server was told; the store loses both, or what was emitted. */
function leaveUnread(stage: Stage, random: Random, lostMs: number): void {
  const { path } = stage.store;
  const { untold } = path;
  path.untold = 1;
  stage.during(lostMs, () => {
    path.untold = untold;
  });
  for (const place of stage.servers()) {
    const [member] = stage.membersAt(place);
    const other = stage.servers().find((one) => one !== place);
    if (member === undefined || other === undefined) continue;
    const [socket, room] = member;
    stage.emit(other, room);
    stage.during(random.int(lostMs), () => {
      if (place.io.sockets.get(socket)?.rooms.has(room)) stage.change(place, socket, room);
    });
  }
}
