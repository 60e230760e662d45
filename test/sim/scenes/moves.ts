// Sessions go on elsewhere while something of theirs is under way.
import type { Random } from '@halyard/harness/random';
import { recoveryWindowMs, type ServerPlace } from '../server-place';
import type { Guest, Scene, Stage } from './stage';

/** For so long a record is kept that nobody writes: as long as a session waits, and its server takes to find out that it has to. */
const keptMs = recoveryWindowMs + 2_000 + 1_500 + 30_000;
/** For so long only one server is given a session that has expired, in milliseconds. */
const expiryLeaseMs = 30_000;

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

/** A client sleeps, and its server has noticed that when it is killed. */
async function dieAway(stage: Stage, place: ServerPlace, guest: Guest, awayMs: number): Promise<void> {
  stage.sleep(guest, awayMs);
  stage.cut(place);
  await stage.elapse(500);
  await stage.kill(place);
}

/** A session is claimed just before its record expires, for a client that is gone again before its server has written anything. */
export const claimLate: Scene = {
  excuse: 'long away',
  async play(stage) {
    const { random, store } = stage;
    await stage.calm();
    const place = random.pick(stage.servers());
    const there = random.pick(stage.servers().filter((one) => one !== place));
    const guest = await stage.guest(place);
    guest.way.place = there;
    // Its record is written once its server knows that it is away.
    const awayMs = keptMs - 500 - random.int(300);
    await dieAway(stage, place, guest, awayMs);
    await stage.elapse(awayMs - 510);
    const { path } = store;
    path.latencyMs = [40, 50];
    const before = there.network.count;
    await stage.until(() => there.network.count > before);
    // Three calls on, it is being claimed.
    await stage.elapse(190 + random.int(150));
    stage.sleep(guest, 20_000);
    stage.cut(there);
    path.latencyMs = [1, 5];
    await stage.elapse(25_000);
  },
};

/** A session that nobody comes back to expires, and the run goes on for as long as one server alone may tell that. */
export const expire: Scene = {
  excuse: 'long away',
  async play(stage) {
    const { random } = stage;
    await stage.calm();
    const place = random.pick(stage.servers());
    const guest = await stage.guest(place);
    const id = guest.id();
    await dieAway(stage, place, guest, keptMs + 30_000);
    await stage.elapse(keptMs - 1_000);
    await stage.until(() => stage.isOver(id));
    await stage.elapse(expiryLeaseMs - 4_000 + random.int(4_000));
  },
};

/** A client has had a message to two rooms by the first, and moves before its server has heard it of the second. */
export const moveBetweenRooms: Scene = {
  async play(stage) {
    const { random, store } = stage;
    await stage.calm();
    const place = random.pick(stage.servers());
    const there = random.pick(stage.servers().filter((one) => one !== place));
    const first = stage.room();
    const second = stage.room(first);
    const guest = await stage.guest(place, first, second);
    store.path.latencyMs = [20, 20];
    stage.emit(there, first, second);
    await stage.elapse(55);
    const catchUp = place.store.lag();
    store.path.latencyMs = [1, 5];
    // Its client confirms what it has had, and its record says so.
    await stage.elapse(2_000 + random.int(3_000));
    guest.way.place = there;
    stage.cut(place);
    await stage.elapse(3_000);
    catchUp();
    await stage.elapse(1_000);
  },
};

/** The store is away for longer than a session waits, and so is a client, because no server can find its session. */
export const waitForStore: Scene = {
  async play(stage) {
    const { random, store } = stage;
    await stage.calm();
    const place = random.pick(stage.servers());
    const guest = await stage.guest(place);
    guest.way.place = random.pick(stage.servers());
    const awayMs = 70_000 + random.int(20_000);
    stage.note(`the store is away for ${awayMs} ms`);
    store.goAway(awayMs);
    await stage.elapse(100);
    stage.cut(place);
    await stage.elapse(awayMs + 5_000);
  },
};

/** A server claims a session by force, and its client is back at the one that had it before that is done. */
export const claimBehind: Scene = {
  async play(stage) {
    const { random } = stage;
    await stage.calm();
    const place = random.pick(stage.servers());
    const there = random.pick(stage.servers().filter((one) => one !== place));
    const guest = await stage.guest(place);
    const { store } = there;
    store.isMute = true;
    store.claimMs = 600;
    const { claims } = store;
    guest.way.place = there;
    stage.cut(place);
    await stage.until(() => store.claims > claims);
    store.isMute = false;
    store.claimMs = 0;
    guest.way.place = place;
    stage.cut(there);
    await stage.elapse(700 + random.int(1_000));
    stage.ask(guest, 1);
    stage.post(there, guest.id());
    await stage.elapse(5_000);
  },
};
