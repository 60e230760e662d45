// A real client and a real server under random schedules, in virtual time: both sides busy, directly and through the logs of
// rooms, and the connection dying at any moment. A failure names its seed; HALYARD_SEED=<seed> replays it.
import { connect } from '@halyard/client/core';
import { json } from '@halyard/codec/json';
import { VirtualClock } from '@halyard/harness/clock';
import type { Network } from '@halyard/harness/link';
import { forSeeds, replaysOne, seededRandom } from '@halyard/harness/random';
import { Server, type ServerOptions, type Socket } from '@halyard/server';
import { MemoryNetwork } from '@halyard/testkit/internal';
import { expect, test } from 'vitest';
import { isLong } from '../kit/long';

const seedsMax = isLong ? 100 : 35;
const stepsMax = 200;
const rooms = ['a', 'b', 'c'];
const serverOptions: ServerOptions = { heartbeatMs: 400, heartbeatTimeoutMs: 300, sackPacketsMax: 5, sackDelayMs: 40 };
/** So that more is unconfirmed than goes before WELCOME, or at all. */
const seldom: ServerOptions = { sackPacketsMax: 200, sackDelayMs: 2_000, windowPacketsMax: 400 };
const narrow: ServerOptions = { sackPacketsMax: 30, sackDelayMs: 2_000, windowPacketsMax: 64 };

/** A client that misses a heartbeat asks for one after 10 s: then at the latest it knows of a dead connection, and comes back. */
const noticeMsMax = 15_000;

/** What is queued leaves at the end of the turn, and what was awaited goes on in a microtask. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** A client in all rooms of a server, over a bad network, and what each side was told to send. */
async function busyEnds(seed: number, options: ServerOptions = {}) {
  const random = seededRandom(seed);
  const clock = new VirtualClock();
  const network: Network = { latencyMs: [1, 5], noticeMs: [0, 200], unnoticed: random.pick([0, 0.3, 1]) };
  const memory = new MemoryNetwork(clock, seededRandom(random.int(2 ** 32)), network, random.chance(0.5));
  const replyMs = 150;

  const sent = { client: [] as string[], server: [] as string[] };
  const delivered = { client: [] as string[], server: [] as string[] };
  /** What was delivered to the server, by the socket it came to. */
  const bySocket = new Map<string, string[]>();
  /** For each acknowledgement that was asked for, its event's name. */
  const asked: string[] = [];
  const settled: string[] = [];
  /** What the client had not sent before its time was over, and never will. */
  const unsent = new Set<string>();
  const reply = (name: string) =>
    new Promise<string>((resolve) => clock.after(random.int(replyMs), () => resolve(name)));
  const settle = (name: string, answer: Promise<unknown>) => {
    asked.push(name);
    answer.then(
      (value) => settled.push(`${name}: ${value}`),
      (error: { code?: string; details?: { left?: boolean } }) => {
        settled.push(`${name}: ${error.code}`);
        if (error.details?.left === false) unsent.add(name);
      },
    );
  };

  const rhythm = random.pick([{}, seldom, narrow]);
  const io = new Server({ ...serverOptions, ...rhythm, ...options, host: memory.host, clock });
  io.on('connection', (socket) => {
    socket.join(rooms);
    for (const event of ['event', 'question']) {
      socket.on(event, (name: string) => {
        delivered.server.push(name);
        bySocket.set(socket.id, [...(bySocket.get(socket.id) ?? []), name]);
        return event === 'question' ? reply(name) : undefined;
      });
    }
  });
  await io.listen(1);
  const client = connect('http://memory.example', {
    codec: json(),
    transport: memory.transport,
    clock,
    random: random.next,
    reconnect: { delayMinMs: 1, delayMaxMs: 150 },
    connectTimeoutMs: 1_000,
  });
  for (const event of ['event', 'question']) {
    client.on(event, (name: string) => {
      delivered.client.push(name);
      return event === 'question' ? reply(name) : undefined;
    });
  }
  /** How many connections there were that began or resumed a session, and what was given up. */
  const connects = { recovered: 0, anew: 0, unconfirmed: 0 };
  client.on('connect', ({ recovered, unconfirmed }) => {
    connects[recovered ? 'recovered' : 'anew']++;
    connects.unconfirmed += unconfirmed;
  });

  /** The newest: a HELLO that comes late leaves a session that nobody resumes, for a moment. */
  const atServer = (): Socket | undefined => [...io.sockets.values()].at(-1);

  let count = 0;
  const act = () => {
    const side = random.pick(['client', 'server'] as const);
    const name = `${side} ${++count}`;
    const kind = random.pick(['direct', 'request', 'room', 'rooms'] as const);
    if (side === 'client') {
      if (kind !== 'request') {
        for (let i = random.chance(0.05) ? 100 : 1; i > 0; i--) {
          sent.client.push(`${name}, ${i}`);
          client.emit('event', `${name}, ${i}`);
        }
        return;
      }
      sent.client.push(name);
      settle(name, client.timeout(random.pick([80, 60_000])).emitWithAck('question', name));
      return;
    }
    // Until somebody is there, nobody is meant.
    const socket = atServer();
    if (socket === undefined) return;
    sent.server.push(name);
    const room = random.int(rooms.length);
    if (kind === 'direct') socket.emit('event', name);
    else if (kind === 'request') settle(name, socket.timeout(random.pick([80, 60_000])).emitWithAck('question', name));
    else if (kind === 'room') io.to(rooms[room]!).emit('event', name);
    else io.to([rooms[room]!, rooms[(room + 1) % rooms.length]!]).emit('event', name);
  };
  const elapse = async (ms: number) => {
    for (let passed = 0; passed < ms; passed++) {
      clock.advance(1);
      await turn();
    }
  };
  const cutChance = random.pick([0.01, 0.05, 0.2]);

  return {
    ...{ io, client, random, sent, delivered, bySocket, asked, settled, unsent, connects, atServer, act, elapse },
    async step(): Promise<void> {
      act();
      if (random.chance(0.6)) await elapse(random.int(20));
      if (random.chance(0.02)) await elapse(random.int(1_500));
      if (random.chance(cutChance)) memory.cut();
    },
    /** The network may be slow from now on, even too slow for the heartbeat. */
    worsen(): void {
      network.latencyMs = [1, random.pick([2, 30, 200, 600])];
    },
    /** The network is well again: everything that is under way arrives, or is given up. */
    async settle(): Promise<void> {
      network.latencyMs = [1, 5];
      for (let waited = 0; waited < 80_000; waited += 500) {
        await elapse(500);
        if (waited >= noticeMsMax && client.connected && settled.length === asked.length) return;
      }
      throw new Error('acknowledgements are still under way');
    },
    async close(): Promise<void> {
      client.connection.close();
      await io.close();
    },
  };
}

type BusyEnds = Awaited<ReturnType<typeof busyEnds>>;

/** Every acknowledgement that was asked for settled once, with its own reply or one of these errors. */
function expectSettled({ asked, settled }: BusyEnds, errors: readonly string[]): void {
  expect(settled.map((line) => line.split(': ')[0]).sort()).toEqual([...asked].sort());
  for (const line of settled) {
    const [name, result] = line.split(': ');
    expect([name, ...errors]).toContain(result);
  }
}

/** What is left of `all` without what is not in `names`: equal to `names` if they are some of `all`, in order, once. */
function inOrder(names: readonly string[], all: readonly string[]): string[] {
  const set = new Set(names);
  return all.filter((name) => set.has(name));
}

test('everything is delivered once and in order, directly and by rooms, whenever the connection dies', async () => {
  let recovered = 0;
  await forSeeds(seedsMax, async (seed) => {
    const ends = await busyEnds(seed);
    for (let i = ends.random.int(10); i > 0; i--) ends.act();
    await ends.elapse(100);
    ends.worsen();
    for (let i = 0; i < stepsMax; i++) await ends.step();
    await ends.settle();
    expect(ends.delivered.server).toEqual(ends.sent.client.filter((name) => !ends.unsent.has(name)));
    expect(ends.delivered.client).toEqual(ends.sent.server);
    expectSettled(ends, ['ERR_ACK_TIMEOUT']);
    expect([ends.connects.anew, ends.connects.unconfirmed]).toEqual([1, 0]);
    recovered += ends.connects.recovered;
    await ends.close();
  });
  if (!replaysOne()) expect(recovered).toBeGreaterThan(seedsMax);
});

test('when sessions are lost nothing is delivered twice, and what was given up is told', async () => {
  let lost = 0;
  await forSeeds(seedsMax, async (seed) => {
    const ends = await busyEnds(seed, { recoveryWindowMs: 60 });
    ends.worsen();
    for (let i = 0; i < stepsMax; i++) await ends.step();
    await ends.settle();
    // What was given up may still be handled, late, in a session of its own: a HELLO that was overtaken has made it.
    for (const names of ends.bySocket.values()) expect(names).toEqual(inOrder(names, ends.sent.client));
    expect(new Set(ends.delivered.server).size).toBe(ends.delivered.server.length);
    expect(ends.delivered.client).toEqual(inOrder(ends.delivered.client, ends.sent.server));
    expect(ends.io.sockets.size).toBe(1);
    expect(ends.sent.client.length - ends.unsent.size - ends.delivered.server.length).toBeLessThanOrEqual(
      ends.connects.unconfirmed,
    );
    expectSettled(ends, ['ERR_ACK_TIMEOUT', 'ERR_SESSION_LOST', 'ERR_SESSION_ENDED']);
    lost += ends.connects.anew - 1;

    ends.client.emit('event', 'from the client');
    ends.io.to('a').emit('event', 'from a room');
    ends.atServer()?.emit('event', 'from the server');
    await ends.elapse(100);
    expect(ends.delivered.server.at(-1)).toBe('from the client');
    expect(ends.delivered.client.slice(-2)).toEqual(['from a room', 'from the server']);
    await ends.close();
  });
  if (!replaysOne()) expect(lost).toBeGreaterThan(0);
});
