// A cluster in miniature: two servers in this process, with a Redis. It is measured on uWebSockets.js alone.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { defaultPlan, type Plan } from '../contract/plan';
import { type Lane, type LaneKind, lanesOf } from '../load/lanes';
import { FixedRate } from '../load/latency';
import { Relay } from '../load/relay';
import { cut, remember, resume } from '../load/resume';
import { Swarm } from '../load/swarm';
import { clusterSubjects } from '../subjects/cluster';
import { MissingRedisError, RedisServer } from './redis-server';

const rooms = 3;
const plan: Plan = { ...defaultPlan, connections: 2 * rooms, rooms };

const hasUws = await import('uWebSockets.js').then(
  () => true,
  () => process.env.CI === 'true',
);

let redis: RedisServer | undefined;
beforeAll(async () => {
  if (!hasUws) return;
  redis = await RedisServer.start(undefined).catch((error) => {
    if (!(error instanceof MissingRedisError) || process.env.CI === 'true') throw error;
    return undefined;
  });
});
afterAll(() => redis?.end());

let started = 0;

async function start() {
  const subject = clusterSubjects.find(({ name }) => name === 'halyard-redis')!;
  const shared = { url: redis!.url, prefix: `test-${++started}` };
  const tally = { handled: 0 };
  const a = await subject.start(plan, tally, shared);
  const b = await subject.start(plan, tally, shared);
  const swarm = await Swarm.create({ dialect: subject.dialect, port: a.port, plan });
  return { a, b, swarm, tally };
}

function lanes(kind: LaneKind, { dialect, payload, peers }: Swarm): Lane[] {
  return lanesOf(kind, { dialect, payload, peers, plan });
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1));
}

describe('a cluster', () => {
  it('carries messages to who is at the other server, in flight and at a rate, and answers', async ({ skip }) => {
    if (redis === undefined) skip();
    const { b, swarm, tally } = await start();
    await swarm.connect({ count: rooms, port: b.port });
    await swarm.connect({ count: rooms, isOutside: true });
    const joins = tally.handled;
    const relay = lanes('relay', swarm);
    swarm.start(new Relay(relay, 4));
    await until(() => swarm.tally.deliveries > 100);
    await swarm.stop();
    const rate = new FixedRate(relay, 1_000);
    swarm.start(rate);
    await until(() => swarm.tally.deliveries > 150);
    await swarm.stop();
    expect(swarm.tally.deliveries).toBe(tally.handled - joins);
    expect(rate.results().p50Us).toBeGreaterThan(0);
    const echo = new FixedRate(lanes('echo', swarm), 1_000);
    swarm.start(echo);
    await until(() => swarm.tally.replies > joins + 20);
    await swarm.stop();
    expect(swarm.tally.replies).toBe(tally.handled - swarm.tally.deliveries);
  });

  it('brings sessions to the other server what they have missed', async ({ skip }) => {
    if (redis === undefined) skip();
    const { a, b, swarm } = await start();
    await swarm.connect({ count: 6, isOutside: true });
    remember(swarm);
    a.emit(undefined, 'first');
    await swarm.until(6, 10_000);
    cut(swarm);
    b.emit(undefined, 'missed');
    await resume(swarm, 1, b.port);
    expect(swarm.tally.deliveries).toBe(12);
    expect(swarm.peers.map(({ port }) => port)).toEqual(swarm.peers.map(() => b.port));
  });
});
