// Two session machines under random schedules: both sides busy, the connection dying at any moment, in virtual time.
// A failure names its seed; HALYARD_SEED=<seed> replays it.

import { expect, it } from 'vitest';
import { pair } from '../../testing/pair';
import type { PairOptions } from '../../testing/peer';
import { forSeeds, givenSeed, seededRandom } from '../../testing/random';
import { defaultSettings } from '../wire/limits';

const seedsMax = 300;
const stepsMax = 250;
const settings = { ...defaultSettings, heartbeatMs: 400, heartbeatTimeoutMs: 300, sackPacketsMax: 5, sackDelayMs: 40 };
/** So that more is unconfirmed than goes before WELCOME. */
const seldom = { ...settings, sackPacketsMax: 200, sackDelayMs: 2_000 };
const logs = ['a', 'b', 'c'];

/** A pair over a bad network, and what each side was told to send. */
function busyPair(seed: number, given: Partial<PairOptions> = {}) {
  const random = seededRandom(seed);
  const options: Partial<PairOptions> = {
    seed: random.int(2 ** 32),
    settings: random.pick([settings, seldom]),
    network: { latencyMs: [1, 5], noticeMs: [0, 200], unnoticed: random.pick([0, 0.3, 1]) },
    replyMs: [0, 150],
    reconnectMs: [1, 150],
    replayPackets: random.pick([1, 5, 1_000]),
    replay: random.pick(['positions', 'confirmed']),
    ...given,
  };
  const world = pair(options);
  const { client, server, clock, cut } = world;
  const sent = { client: [] as string[], server: [] as string[] };
  const asked = { client: [] as string[], server: [] as string[] };
  const cutChance = random.pick([0.01, 0.05, 0.2]);
  let count = 0;

  const act = () => {
    const side = random.pick(['client', 'server'] as const);
    const name = `${side} ${++count}`;
    switch (random.pick(['emit', 'request', 'publish', 'probe'] as const)) {
      case 'emit':
        for (let i = random.chance(0.05) ? 70 : 1; i > 0; i--) {
          sent[side].push(`${name}, ${i}`);
          world[side].emit(`${name}, ${i}`);
        }
        return;
      case 'request':
        sent[side].push(name);
        asked[side].push(name);
        return world[side].request(name, random.pick([80, 60_000]));
      case 'publish': {
        const first = random.int(logs.length);
        sent.server.push(name);
        return server.publish(logs.slice(first, first + 1 + random.int(2)), name);
      }
      case 'probe':
        return world[side].machine.probe(clock.now());
    }
  };

  return {
    ...world,
    ...{ sent, asked, random, act },
    step(): void {
      act();
      if (random.chance(0.6)) clock.advance(random.int(20));
      if (random.chance(0.02)) clock.advance(random.int(1_500));
      if (random.chance(cutChance)) cut();
    },
    /** The network may be slow from now on, even too slow for the heartbeat. */
    worsen(): void {
      world.options.network.latencyMs = [1, random.pick([2, 30, 200, 600])];
    },
    /** The network is well again: waits until nothing is under way. */
    settle(): void {
      world.options.network.latencyMs = [1, 5];
      clock.advance(5_000);
      const isOver = clock.advance(30_000, () => isQuiet(client) && isQuiet(server));
      expect(isOver, 'nothing is under way').toBe(true);
    },
  };
}

type BusyPair = ReturnType<typeof busyPair>;

function isQuiet({ machine }: BusyPair['client' | 'server']): boolean {
  return machine.state === 'live' && machine.unconfirmed === 0 && machine.waiting === undefined;
}

/** Every acknowledgement that was asked for settled once, with its own reply or one of these errors. */
function expectSettled({ client, server, asked }: BusyPair, errors: readonly string[]): void {
  for (const [lines, names] of [
    [client.settled, asked.client],
    [server.settled, asked.server],
  ] as const) {
    expect(lines.map((line) => line.split(': ')[0]).sort()).toEqual([...names].sort());
    for (const line of lines) {
      const [name, result] = line.split(': ');
      expect([name, ...errors]).toContain(result);
    }
  }
}

/** What is left of `names` without what is not in `all`: equal to `names` if they are some of `all`, in order, once. */
function inOrder(names: readonly string[], all: readonly string[]): string[] {
  const set = new Set(names);
  return all.filter((name) => set.has(name));
}

it('delivers everything once and in order, whenever the connection dies', () => {
  const repeated = { client: 0, server: 0 };
  forSeeds(seedsMax, (seed) => {
    const world = busyPair(seed);
    const { client, server, sent, act, clock, random } = world;
    // Before WELCOME the client has no session that it could resume: that is the other test.
    for (let i = random.int(10); i > 0; i--) act();
    clock.advance(100);
    world.worsen();
    for (let i = 0; i < stepsMax; i++) world.step();
    world.settle();
    expect(server.delivered).toEqual(sent.client);
    expect(client.delivered).toEqual(sent.server);
    expectSettled(world, ['ERR_ACK_TIMEOUT']);
    expect(client.givenUp).toBe(0);
    repeated.client += client.repeated;
    repeated.server += server.repeated;
  });
  // Otherwise the schedules would not have needed the checks for duplicates.
  if (givenSeed === undefined) {
    expect(repeated.server, 'counted packets that arrived twice').toBeGreaterThan(0);
    expect(repeated.client, 'log messages that arrived twice').toBeGreaterThan(0);
  }
});

it('settles in any order, in a window, and goes on in another machine with what is not settled', () => {
  let again = 0;
  let full = 0;
  forSeeds(seedsMax, (seed) => {
    const random = seededRandom(seed + 1);
    const world = busyPair(seed, {
      settings: {
        ...random.pick([settings, { ...seldom, sackPacketsMax: 30 }]),
        windowPacketsMax: random.pick([64, 100]),
      },
      settleMs: random.pick([
        [0, 20],
        [0, 300],
        [0, 35_000],
      ]),
    });
    const { client, server, sent, clock } = world;
    clock.advance(100);
    world.worsen();
    const moveChance = random.pick([0, 0.01, 0.05]);
    for (let i = 0; i < stepsMax; i++) {
      world.step();
      if (client.machine.waiting !== undefined && client.machine.state === 'live') full++;
      if (random.chance(moveChance)) server.move();
    }
    clock.advance(200_000);
    world.settle();
    const first = [...new Set(server.delivered)];
    again += server.delivered.length - first.length;
    if (moveChance === 0) expect(server.delivered).toEqual(sent.client);
    expect(first).toEqual(sent.client);
    expect(client.delivered).toEqual(sent.server);
    expect([client.machine.settled, client.givenUp]).toEqual([undefined, 0]);
  });
  if (givenSeed !== undefined) return;
  expect(again, 'events that came again at another machine').toBeGreaterThan(0);
  expect(full, 'steps at which the window was full').toBeGreaterThan(0);
});

it('delivers nothing twice and reports what it gave up when sessions are lost', () => {
  let givenUp = 0;
  forSeeds(seedsMax, (seed) => {
    const world = busyPair(seed);
    const { client, server, sent, clock, random } = world;
    const forgetChance = random.pick([0.005, 0.05]);
    world.worsen();
    for (let i = 0; i < stepsMax; i++) {
      world.step();
      if (random.chance(forgetChance)) server.forget();
    }
    world.settle();
    expect(new Set(server.delivered).size).toBe(server.delivered.length);
    // What was given up with one session may still be handled, and later than what another session carried.
    server.began.forEach((from, i) => {
      const delivered = server.delivered.slice(from, server.began[i + 1]);
      expect(delivered).toEqual(inOrder(delivered, sent.client));
    });
    expect(client.delivered).toEqual(inOrder(client.delivered, sent.server));
    expect(sent.client.length - server.delivered.length).toBeLessThanOrEqual(client.givenUp);
    expectSettled(world, ['ERR_ACK_TIMEOUT', 'ERR_SESSION_LOST']);
    givenUp += client.givenUp;

    client.emit('from the client');
    server.publish(['a'], 'from a log');
    server.emit('from the server');
    clock.advance(100);
    expect(server.delivered.at(-1)).toBe('from the client');
    expect(client.delivered.slice(-2)).toEqual(['from a log', 'from the server']);
  });
  if (givenSeed === undefined) expect(givenUp).toBeGreaterThan(0);
});
