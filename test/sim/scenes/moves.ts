// Sessions go on elsewhere while something of theirs is under way.
import type { Random } from '@halyard/harness/random';
import type { ServerPlace } from '../server-place';
import type { Scene, Stage } from './stage';

/** A session goes on elsewhere while a handler of its runs, and the server that runs that is killed. */
export const killBehind: Scene = {
  async play(stage) {
    const { random } = stage;
    const place = random.pick(stage.servers());
    const guest = await stage.guest(place);
    stage.ask(guest, 3_000);
    await stage.elapse(200);
    guest.way.place = random.pick(stage.servers().filter((one) => one !== place));
    stage.cut(place);
    await stage.elapse(random.int(2_000));
    await stage.kill(place);
    await stage.elapse(500);
  },
};

/** Somebody joins a room by a clock that is ahead, and moves: others emit to all but the room, by their own. */
export function outrun(stage: Stage, place: ServerPlace, random: Random): void {
  const rooms = [...'abcd'];
  const socket = [...place.io.sockets.values()].find((one) => rooms.some((room) => !one.rooms.has(room)));
  const room = rooms.find((one) => !socket?.rooms.has(one));
  if (socket === undefined || room === undefined || !stage.change(place, socket.id, room)) return;
  const [toldMs, movedMs] = [200 + random.int(200), 500 + random.int(500)];
  stage.during(toldMs, () => stage.cut(place));
  stage.during(movedMs, () => {
    for (const other of stage.servers()) if (other !== place) stage.emitExcept(other, room);
  });
}

/** A session is on its way to a server that stands still, and what its handler has said where it was begun is told that one in vain. */
export const finishBehind: Scene = {
  async play(stage) {
    const { random, store } = stage;
    await stage.calm();
    const place = random.pick(stage.servers());
    const there = random.pick(stage.servers().filter((one) => one !== place));
    const guest = await stage.guest(place);
    stage.ask(guest, 3_000);
    const endsAt = stage.now() + 3_000;
    await stage.elapse(2_300 + random.int(600));
    guest.way.place = there;
    stage.cut(place);
    const id = guest.id();
    await stage.until(() => !place.io.sockets.has(id));
    const isAnswered = stage.now() >= endsAt;
    stage.halt(there, 4_600);
    if (isAnswered) return;
    await stage.elapse(endsAt - stage.now() - 5);
    store.path.lostCalls = 1;
    await stage.elapse(40);
    store.path.lostCalls = 0;
    await stage.elapse(6_000);
  },
};

/** A server stands still while its session goes on elsewhere, and the first that it does then is to end that. */
export const endBehind: Scene = {
  async play(stage) {
    const { random } = stage;
    await stage.calm();
    const place = random.pick(stage.servers());
    const guest = await stage.guest(place);
    const id = guest.id();
    stage.halt(place, 2_000 + random.int(1_000));
    guest.way.place = random.pick(stage.servers().filter((one) => one !== place));
    stage.cut(place);
    stage.disconnectLate(place, id);
    await stage.elapse(4_000);
  },
};
