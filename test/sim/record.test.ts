// A session moves to another server at any moment of a random run: its record is what the store has of it, the server that had
// it is gone without a word, and the client resumes at a new one on the same store. A failure names its seed;
// HALYARD_SEED=<seed> replays it.
// Longer than other files: what happens at random, and the model of what is due, are side by side.
import { type Socket as ClientSocket, connect } from '@halyard/client/core';
import { json } from '@halyard/codec/json';
import { msgpack } from '@halyard/codec-msgpack';
import { VirtualClock } from '@halyard/harness/clock';
import type { Network } from '@halyard/harness/link';
import { forSeeds, replaysOne, seedCount, seededRandom } from '@halyard/harness/random';
import { memory, Server, type Socket } from '@halyard/server';
import { MemoryNetwork } from '@halyard/testkit/internal';
import { expect, test, vi } from 'vitest';
import { Session } from '../../packages/server/src/session/session';
import { isLong } from '../kit/long';
import { ServerClock } from '../kit/server-clock';

/** More are run by hand: docs/RELIABILITY.md. */
const seedsMax = seedCount(isLong ? 150 : 50);
const stepsMax = 60;
const rooms = ['a', 'b', 'c', 'd'];
const codec = msgpack();

type Membership = Readonly<Record<'from' | 'read' | 'to' | 'epoch' | 'begins' | 'ends', unknown>>;

/** What is queued leaves at the end of the turn, and what was awaited goes on in a microtask. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

async function movingEnds(seed: number) {
  const random = seededRandom(seed);
  const clock = new VirtualClock();
  const network: Network = { latencyMs: [1, 5], noticeMs: [0, 100], unnoticed: random.pick([0, 0.3]) };
  const adapter = memory({ shared: true, codec });
  const native = random.chance(0.5);
  let nodes = 0;
  /** What settles now may be stored, or not. */
  let isMoving = false;
  let server: { io: Server; network: MemoryNetwork; time: ServerClock };

  const sent = { client: [] as string[], other: [] as string[], server: [] as string[], slow: [] as string[] };
  const delivered = { client: [] as string[], other: [] as string[], server: [] as string[], slow: [] as string[] };
  /** Of the client's events those that were handled to the end, and stored so. */
  const settled = new Set<string>();
  const replies: string[] = [];
  const told: string[] = [];
  const wrong: string[] = [];

  async function start(): Promise<void> {
    const time = new ServerClock(clock);
    const wires = new MemoryNetwork(clock, seededRandom(random.int(2 ** 32)), network, native);
    const options = {
      ...random.pick([{}, { windowPacketsMax: 64 }]),
      heartbeatMs: 400,
      heartbeatTimeoutMs: 300,
      sackPacketsMax: 5,
      sackDelayMs: 40,
    };
    const io = new Server({ ...options, host: wires.host, clock: time, adapter });
    const node = ++nodes;
    for (const name of ['/', '/b', '/slow']) {
      const namespace = io.of(name);
      namespace.use(async (handshake) => {
        handshake.data.node = node;
        if (name !== '/')
          await new Promise<void>((resolve) => clock.after(random.int(name === '/b' ? 30 : 100), resolve));
      });
      namespace.on('connection', (socket) => {
        if (!socket.recovered && name === '/') socket.join(['a', 'b']);
        if (socket.handshake.auth.name !== name) wrong.push(`auth ${JSON.stringify(socket.handshake.auth)}`);
        if (socket.handshake.headers.get('upgrade') !== 'websocket') wrong.push('headers');
        socket.on('event', async (text: string) => {
          // Of a server that is gone.
          if (node !== nodes) return '';
          const heard = delivered[name === '/slow' ? 'slow' : 'server'];
          if (settled.has(text)) wrong.push(`${text} was settled`);
          if (heard.includes(text) && !socket.redelivered) wrong.push(`${text} comes again, and nobody says so`);
          heard.push(text);
          if (random.chance(0.5)) await new Promise<void>((resolve) => clock.after(random.int(150), resolve));
          if (node === nodes && !isMoving) settled.add(text);
          return text;
        });
      });
    }
    await io.listen(1);
    server = { io, network: wires, time };
  }
  await start();

  const client = connect('http://memory.example', {
    codec: json(),
    transport: { open: (address, events) => server.network.transport.open(address, events) },
    clock,
    random: random.next,
    auth: { name: '/' },
    reconnect: { delayMinMs: 1, delayMaxMs: 50 },
    connectTimeoutMs: 1_000,
  });
  const listen = (socket: ClientSocket, heard: string[]) => {
    socket.on('event', (text: string) => {
      heard.push(text);
    });
    socket.on('connect', ({ recovered, reason }) =>
      told.push(`${socket.namespace} ${recovered ? 'recovered' : 'new'} ${reason ?? ''}`),
    );
  };
  listen(client, delivered.client);
  const other = client.of('/b', { auth: { name: '/b' } });
  listen(other, delivered.other);
  const slow = client.of('/slow', { auth: { name: '/slow' } });
  let isSlowWanted = true;
  let wantedAt = 0;

  const atServer = (): Socket | undefined => [...server.io.sockets.values()].at(-1);
  const model = { rooms: new Set(['a', 'b']), data: {} as Record<string, unknown> };

  let count = 0;
  let asked = 0;
  const elapse = async (ms: number) => {
    for (let passed = 0; passed < ms; passed++) {
      clock.advance(1);
      await turn();
    }
  };
  const act = () => {
    const name = `${++count}`;
    const kind = random.int(16);
    if (kind < 3) {
      if (random.chance(0.1)) {
        for (let i = 0; i < 70; i++) {
          sent.client.push(`${name}, ${i}`);
          client.emit('event', `${name}, ${i}`);
        }
        return;
      }
      sent.client.push(name);
      if (random.chance(0.5)) client.emit('event', name);
      else {
        const reply = client.timeout(60_000).emitWithAck('event', name);
        reply.then(
          (text) => replies.push(text === name ? 'its own' : `${text} for ${name}`),
          (error) => replies.push(String(error)),
        );
        asked++;
      }
      return;
    }
    if (kind > 11) {
      if (!isSlowWanted) {
        slow.connect();
        wantedAt = clock.now();
      }
      isSlowWanted = true;
      sent.slow.push(name);
      slow
        .timeout(60_000)
        .emitWithAck('event', name)
        .catch(({ code }) => {
          // It waited for CONNECT to be sent, which was taken back.
          if (code === 'ERR_DISCONNECTED') sent.slow.splice(sent.slow.indexOf(name), 1);
        });
      if (clock.now() === wantedAt || random.chance(0.7)) return;
      slow.disconnect();
      isSlowWanted = false;
      return;
    }
    const socket = atServer();
    // Of a client that has not come back yet nothing is here but what is published for it.
    if (socket === undefined && (kind < 4 || kind > 6)) return;
    const room = rooms[random.int(rooms.length)]!;
    const second = rooms[random.int(rooms.length)]!;
    const expectIt = (isFor: boolean) => {
      if (isFor) sent.server.push(name);
    };
    switch (kind) {
      case 3:
        expectIt(true);
        socket!.emit('event', name);
        return;
      case 4:
        expectIt(model.rooms.has(room));
        server.io.to(room).emit('event', name);
        return;
      case 5:
        expectIt(model.rooms.has(room) || model.rooms.has(second));
        server.io.to([room, second]).emit('event', name);
        return;
      case 6:
        expectIt(!model.rooms.has(room));
        server.io.except(room).emit('event', name);
        return;
      case 7:
        if (model.rooms.delete(room)) socket!.leave(room);
        else {
          model.rooms.add(room);
          socket!.join(room);
        }
        return;
      case 8:
      case 9: {
        // Both are for whoever is in the other namespace, even if it is ended at once.
        const namespace = server.io.of('/b');
        const [there] = namespace.sockets.values();
        if (there === undefined) {
          if (!other.connected) other.connect();
          return;
        }
        sent.other.push(name);
        if (kind === 8) there.emit('event', name);
        else namespace.emit('event', name);
        if (random.chance(0.2)) there.disconnect();
        return;
      }
      default:
        model.data = { ...model.data, [room]: count, at: new Date(count), big: BigInt(count) };
        Object.assign(socket!.data, model.data);
        // It is saved with what follows.
        expectIt(true);
        socket!.emit('event', name);
    }
  };

  return {
    ...{ random, sent, delivered, told, wrong, replies, model, client, other, slow, atServer, act, elapse },
    cut: () => server.network.cut(),
    get asked() {
      return asked;
    },
    get io() {
      return server.io;
    },
    /** The server is gone, and another one is there. */
    async move(): Promise<void> {
      // What a turn has produced is stored at its end.
      isMoving = true;
      await turn();
      server.time.isGone = true;
      server.network.cut();
      // Within a millisecond nobody knows which of two servers emits first.
      clock.advance(2);
      await start();
      isMoving = false;
    },
    async settle(): Promise<void> {
      for (let waited = 0; waited < 30_000; waited += 500) {
        await elapse(500);
        if (waited >= 12_000 && client.connected && replies.length === asked) return;
      }
      throw new Error('the client does not come back');
    },
    async close(): Promise<void> {
      client.connection.close();
      await server.io.close();
    },
  };
}

/**
 * Compares what is stored of a session, at every fifth write, with what would be if all of it were written each time.
 * @returns how many parts of records were left as they were
 */
function checkWrites(): { readonly unchanged: number; restore(): void } {
  const stored = new WeakMap<Session, Map<string, unknown>>();
  let unchanged = 0;
  let writes = 0;
  // What is known to be read is said with the next PONG, and where a log was as soon as anything else is said.
  // A frame is marked anew when it leaves.
  const comparable = (parts: ReadonlyMap<string, unknown>) =>
    [...parts]
      .filter(([name]) => !name.startsWith('top'))
      .map(([name, part]) => [
        name,
        name.startsWith('frame')
          ? (codec.decode(part as Uint8Array) as unknown as { value: unknown[] }).value[0]
          : name.startsWith('socket') || name === 'left'
            ? contentOf(part)
            : part,
      ]);
  const { write } = Session.prototype;
  const spy = vi.spyOn(Session.prototype, 'write').mockImplementation(function (this: Session, changed, before) {
    const done = write.call(this, changed, before);
    const { parts, isWhole } = done.write;
    if (parts === undefined) return done;
    const merged = isWhole ? new Map<string, unknown>() : (stored.get(this) ?? new Map());
    stored.set(this, merged);
    for (const [name, part] of parts) {
      if (part === undefined) merged.delete(name);
      else merged.set(name, part);
    }
    if (++writes % 5 > 0) return done;
    const all = write.call(this, new Set(), undefined).write.parts!;
    unchanged += all.size - parts.size;
    expect(new Map(comparable(merged) as [])).toEqual(new Map(comparable(all) as []));
    return done;
  });
  return {
    get unchanged() {
      return unchanged;
    },
    restore: () => spy.mockRestore(),
  };
}

/** What a part says, but for what is known to be read and what has been forgotten for that. */
function contentOf(part: unknown): unknown {
  const { value } = codec.decode(part as Uint8Array) as unknown as { value: { memberships: Membership[] } };
  const all = [value].flat() as { memberships: Membership[] }[];
  return all.map(({ memberships, ...rest }) => ({
    ...rest,
    memberships: memberships.map(({ from, read, to, epoch, begins, ends, ...its }) => its),
  }));
}

test('a session goes on at another server, once and in order, with its rooms and its data', async () => {
  const writes = checkWrites();
  let moves = 0;
  let again = 0;
  await forSeeds(seedsMax, async (seed) => {
    const ends = await movingEnds(seed);
    // What leaves before the client knows its session may be given up.
    while (!ends.client.connected) await ends.elapse(1);
    await ends.elapse(ends.random.int(40));
    for (let i = 0; i < stepsMax; i++) {
      ends.act();
      if (ends.random.chance(0.6)) await ends.elapse(ends.random.int(20));
      if (ends.random.chance(0.05)) ends.cut();
      if (ends.random.chance(0.03)) {
        await ends.move();
        moves++;
      }
    }
    await ends.move();
    await ends.settle();
    const socket = ends.atServer();
    expect([...new Set(ends.delivered.server)]).toEqual(ends.sent.client);
    // Two sockets of one namespace, one behind the other, may be let in in any order.
    expect(new Set(ends.delivered.slow)).toEqual(new Set(ends.sent.slow));
    expect(new Set(ends.replies)).toEqual(new Set(ends.asked > 0 ? ['its own'] : []));
    again +=
      ends.delivered.server.length + ends.delivered.slow.length - ends.sent.client.length - ends.sent.slow.length;
    expect(ends.delivered.client).toEqual(ends.sent.server);
    expect(ends.delivered.other).toEqual(ends.sent.other);
    expect(ends.told.filter((line) => line.startsWith('/ new'))).toEqual(['/ new ']);
    expect([socket?.recovered, new Set(socket?.rooms)]).toEqual([true, new Set([socket?.id, ...ends.model.rooms])]);
    expect(socket?.data).toMatchObject(ends.model.data);
    expect(ends.io.of('/b').sockets.size).toBe(ends.other.connected ? 1 : 0);
    expect(ends.io.of('/slow').sockets.size).toBe(ends.slow.connected ? 1 : 0);
    expect(ends.wrong).toEqual([]);
    await ends.close();
  });
  writes.restore();
  if (replaysOne()) return;
  expect(writes.unchanged).toBeGreaterThan(0);
  expect(moves).toBeGreaterThan(seedsMax / 2);
  expect(again, 'events that were handled again').toBeGreaterThan(0);
});
