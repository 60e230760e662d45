// The store loses something of a room, and what is known of it is not where it is asked for: with a server that nobody is at, that nobody
// is at any more, or that stands still.
import type { ServerPlace } from '../server-place';
import { type Scene, type Stage, Unplayable } from './stage';

/** @returns servers of the run in any order. @throws Unplayable */
async function cast(stage: Stage): Promise<[ServerPlace, ServerPlace, ServerPlace]> {
  await stage.calm();
  const left = [...stage.servers()];
  const any = (): ServerPlace | undefined => left.splice(stage.random.int(left.length), 1)[0];
  const [one, two, three] = [any(), any(), any()];
  if (one === undefined || two === undefined || three === undefined) throw new Unplayable('there are too few servers');
  return [one, two, three];
}

/** The log of a room is renewed, and as long as it is not known who goes on, something is emitted to it and to another room. */
export const emitAside: Scene = {
  excuse: 'rollback',
  async play(stage) {
    const { random } = stage;
    const [here, slow, other] = await cast(stage);
    const room = stage.room();
    const second = stage.room(room);
    const quiet = await stage.newcomer();
    await stage.guest(here, room, second);
    stage.lose({ of: { room }, lostMs: 60, toldMs: (place) => (place === here ? 10 : 500) });
    // All have it who are in the room: the log goes on.
    stage.emit(quiet, room);
    await stage.elapse(55);
    await stage.block(slow, 300 + random.int(1_000));
    await stage.elapse(20);
    for (let i = 0; i < 3; i++) {
      await stage.elapse(random.int(60));
      stage.emit(other, room, second);
    }
    await stage.elapse(2_000);
  },
};

/** Who does not know what is lost asks who does; the member goes to that one as soon as it is told, and before it tells anybody. */
export const askBeforeMove: Scene = {
  excuse: 'rollback',
  async play(stage) {
    const { random, store } = stage;
    const [here, there] = await cast(stage);
    const room = stage.room();
    const quiet = await stage.newcomer();
    const guest = await stage.guest(here, room);
    await stage.guest(there, room);
    stage.lose({ of: { room }, lostMs: 60, toldMs: (place) => (place === here ? 5 : 2_000) });
    // By what it has got of this it finds out that something is lost, and not what.
    stage.emit(quiet, room);
    await stage.elapse(25);
    here.store.isDeaf = true;
    stage.emit(quiet, room);
    await stage.elapse(34);
    const catchUp = there.store.lag();
    await stage.elapse(2);
    here.store.isDeaf = false;
    store.path.latencyMs = [10, 20];
    await stage.elapse(200 + random.int(200));
    guest.way.place = there;
    const id = guest.id();
    stage.cut(here);
    await stage.until(() => !here.io.sockets.has(id));
    await stage.elapse(random.int(20));
    catchUp();
    await stage.elapse(3_000);
  },
};

/** What a member has got is lost, and two others are in its place: only of the second its server hears. */
export const replace: Scene = {
  excuse: 'rollback',
  async play(stage) {
    const { random } = stage;
    const [here, other] = await cast(stage);
    const room = stage.room();
    const quiet = await stage.newcomer();
    await stage.guest(here, room);
    stage.lose({ of: { room }, lostMs: 60, toldMs: (place) => (place === here ? 300 : 2_000) });
    stage.emit(quiet, room);
    await stage.elapse(61);
    here.store.isDeaf = true;
    stage.emit(other, room);
    if (random.chance(0.5)) await stage.elapse(10);
    here.store.isDeaf = random.chance(0.5);
    stage.emit(other, room);
    await stage.elapse(30);
    here.store.isDeaf = false;
    await stage.elapse(3_000);
  },
};

/** A letter is lost before the server of its socket has heard of it. */
export const loseLetter: Scene = {
  excuse: 'rollback',
  async play(stage) {
    const { random } = stage;
    const [here] = await cast(stage);
    const quiet = await stage.newcomer();
    const guest = await stage.guest(here);
    const socket = guest.id();
    here.store.isDeaf = true;
    stage.lose({ of: { socket }, lostMs: 60, toldMs: () => random.int(500) });
    stage.halt(here, 100 + random.int(400));
    for (let i = 0; i < 3; i++) {
      stage.post(quiet, socket);
      await stage.elapse(random.int(25));
    }
    await stage.elapse(100);
    here.store.isDeaf = false;
    await stage.elapse(1_000);
  },
};

/** Who has taken the place of what is lost has written to the next epoch of the log when others ask for the one before. */
export const writeOn: Scene = {
  excuse: 'rollback',
  async play(stage) {
    const { random, store } = stage;
    const [here] = await cast(stage);
    const room = stage.room();
    const quiet = await stage.newcomer();
    const writer = await stage.newcomer();
    await stage.guest(here, room);
    stage.lose({ of: { room }, lostMs: 60, toldMs: (place) => (place === here ? 10 + random.int(40) : 1_500) });
    for (let i = 0; i < 8; i++) stage.emit(quiet, room);
    await stage.elapse(59);
    here.store.isDeaf = true;
    store.path.latencyMs = [5, 20];
    await stage.elapse(2);
    for (let i = 0; i < 12; i++) {
      stage.emit(writer, room);
      await stage.elapse(5 + random.int(20));
    }
    await stage.elapse(100);
    here.store.isDeaf = false;
    await stage.elapse(3_000);
  },
};

/** Who has lost something in a room's log writes to it once more before it has another epoch: behind what others have put there. */
export const writeBehind: Scene = {
  excuse: 'rollback',
  async play(stage) {
    const { random, store } = stage;
    const [here, other] = await cast(stage);
    const room = stage.room();
    const quiet = await stage.newcomer();
    await stage.guest(here, room);
    // Either what is lost was not heard, or what comes behind it is not.
    const hearsFirst = random.chance(0.5);
    here.store.isDeaf = !hearsFirst;
    store.path.latencyMs = [2, 10];
    const toldMs = 30 + random.int(10);
    stage.lose({ of: { room }, lostMs: 60, toldMs: (place) => (place === quiet ? toldMs : 2_000) });
    stage.emit(quiet, room);
    await stage.elapse(61);
    here.store.isDeaf = hearsFirst;
    if (!hearsFirst) stage.emit(other, room);
    // It knows what it has lost, and asks for no other epoch before all have answered.
    await stage.elapse(toldMs + 5 + random.int(20));
    stage.emit(quiet, room);
    await stage.elapse(100);
    here.store.isDeaf = false;
    await stage.elapse(3_000);
  },
};

/** A member leaves just as what it has not got is lost. */
export const leaveInLoss: Scene = {
  excuse: 'rollback',
  async play(stage) {
    const { random, store } = stage;
    const [here] = await cast(stage);
    const room = stage.room();
    const quiet = await stage.newcomer();
    const guest = await stage.guest(here, room);
    here.store.isDeaf = true;
    store.path.latencyMs = [15, 25];
    stage.lose({ of: { room }, lostMs: 90, toldMs: () => 200 + random.int(1_500) });
    stage.emit(quiet, room);
    await stage.elapse(45 + random.int(25));
    stage.change(here, guest.id(), room);
    await stage.elapse(200);
    here.store.isDeaf = false;
    await stage.elapse(3_000);
  },
};

/** A member leaves when what it was sent is lost, and its connection dies with that under way. */
export const leaveBehindLoss: Scene = {
  excuse: 'rollback',
  async play(stage) {
    const { random } = stage;
    const [here] = await cast(stage);
    const room = stage.room();
    const quiet = await stage.newcomer();
    const guest = await stage.guest(here, room);
    const { network } = here.network;
    network.latencyMs = [300, 300];
    stage.lose({ of: { room }, lostMs: 60, toldMs: () => 1_000 + random.int(1_000) });
    stage.emit(quiet, room);
    await stage.elapse(61 + random.int(50));
    stage.change(here, guest.id(), room);
    await stage.elapse(20 + random.int(50));
    stage.cut(here);
    network.latencyMs = [1, 5];
    await stage.elapse(3_000);
  },
};

/** A member leaves when what it has not got is lost, and goes elsewhere: where it comes to, the log has another epoch by then. */
export const leaveAndMove: Scene = {
  excuse: 'rollback',
  async play(stage) {
    const { random } = stage;
    const [here, there] = await cast(stage);
    const room = stage.room();
    const quiet = await stage.newcomer();
    const guest = await stage.guest(here, room);
    const [isFollowed, isLate] = random.pick([
      [false, true],
      [true, true],
      [true, false],
    ]);
    if (isFollowed) await stage.guest(there, room);
    here.store.isDeaf = true;
    const lostMs = 60;
    const toldMs = (isLate ? 100 : random.pick([100, 1_200])) + random.int(400);
    stage.lose({ of: { room }, lostMs, toldMs: (place) => (place === quiet ? toldMs : 3_000) });
    stage.emit(quiet, room);
    await stage.elapse(lostMs + 1);
    stage.change(here, guest.id(), room);
    await stage.elapse(40);
    guest.way.place = there;
    // Who asks what is known waits two seconds for a server that stands still.
    const sleepMs = isLate ? 3_000 : 0;
    stage.halt(here, sleepMs + 3_000);
    stage.cut(here);
    stage.sleep(guest, sleepMs);
    await stage.elapse(sleepMs + 3_000);
    here.store.isDeaf = false;
    await stage.elapse(1_000);
  },
};

/** A member leaves, and as late as anybody remembers that it is found out what is lost of the room; a server that is asked does not answer. */
export const leaveLongBefore: Scene = {
  excuse: 'rollback',
  async play(stage) {
    const { random } = stage;
    const [here, slow] = await cast(stage);
    const room = stage.room();
    const quiet = await stage.newcomer();
    const guest = await stage.guest(here, room);
    here.store.isDeaf = true;
    stage.lose({ of: { room }, lostMs: 60, toldMs: () => 0 });
    stage.emit(quiet, room);
    await stage.elapse(59);
    const left = 9_000 + random.int(900);
    stage.halt(quiet, left);
    await stage.elapse(2);
    stage.change(here, guest.id(), room);
    await stage.elapse(left - 50);
    here.store.isDeaf = false;
    await stage.block(slow, 3_500);
    await stage.elapse(1_000 + random.int(500));
    // By its clock it is more than ten seconds.
    stage.emit(here, stage.room());
    await stage.elapse(4_000);
  },
};

/** A session begins, and is lost with a letter that it was sent; the letter is sent again before its server has written the session again. */
export const loseSession: Scene = {
  excuse: 'rollback',
  async play(stage) {
    const { random } = stage;
    const [here] = await cast(stage);
    const quiet = await stage.newcomer();
    const lostMs = 300;
    const endsAt = stage.now() + lostMs;
    // Of whatever partition the session is.
    stage.lose({ of: { room: stage.room() }, lostMs, toldMs: (place) => (place === quiet ? 0 : 500) });
    const guest = await stage.guest(here);
    here.store.isDeaf = true;
    stage.halt(here, endsAt - stage.now() + 200 + random.int(300));
    stage.post(quiet, guest.id());
    await stage.elapse(1_000);
    here.store.isDeaf = false;
    await stage.elapse(4_000);
  },
};

/** What a server has emitted is lost, and the answer that said where it was, though it has heard that; said again it comes to another place. */
export const sayAgain: Scene = {
  excuse: 'rollback',
  async play(stage) {
    const { random, store } = stage;
    const [here, other] = await cast(stage);
    const room = stage.room();
    await stage.guest(here, room);
    stage.lose({ of: { room }, lostMs: 60, toldMs: () => 3_000 });
    await stage.elapse(random.int(30));
    store.path.lostAnswers = 1;
    stage.emit(here, room);
    await stage.elapse(25);
    store.path.lostAnswers = 0;
    await stage.elapse(36);
    here.store.isDeaf = true;
    stage.emit(other, room);
    await stage.elapse(2_500);
    here.store.isDeaf = false;
    await stage.elapse(3_000);
  },
};
