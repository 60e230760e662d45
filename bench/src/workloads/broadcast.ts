// The server emits, paced so that the receivers keep up; the sample is its CPU time per delivery that arrived.
import { audience, defaultPlan, type Plan, roomName } from '../contract/plan';
import { mainSubjects, perUnit, served } from './served';
import type { ServedWorkload } from './workload';

type Target = readonly string[] | undefined;

interface Variant {
  readonly name: string;
  readonly title: string;
  readonly plan: Partial<Plan>;
  /** Each tick emits to all of them in turn. */
  readonly targets: readonly Target[];
  readonly intervalMs: number;
  readonly subjects?: readonly string[];
}

/**
 * As many are there at first. A few hundred emits a second, which is what a thousand members allow, take minutes to be
 * compiled, and their cost until then is not that of a server that runs for days. So some thousands go to few members
 * before the others come. If all go to one room, that is more than its log keeps: dropping the oldest is compiled too.
 */
const firstMembers = 20;
const firstEmitsPerTick = 60;
const firstTickBytesMax = 65_536;
const firstBytesPerMsMax = 100_000;
const firstMs = 600;
/** Then, to all of them. */
const restMs = 300;

const burstOf10: readonly Target[] = Array.from({ length: 10 }, () => undefined);
const withRecovery = [...mainSubjects, 'socketio-recovery', 'halyard-uws-msgpack', 'halyard-uws-protobuf'];

const variants: readonly Variant[] = [
  {
    name: 'broadcast-single',
    title: 'broadcast to 1,000 members, one at a time',
    plan: { connections: 1_000 },
    targets: [undefined],
    intervalMs: 12,
    subjects: withRecovery,
  },
  {
    name: 'broadcast-burst',
    title: 'broadcast to 1,000 members, in bursts of 10',
    plan: { connections: 1_000 },
    targets: burstOf10,
    intervalMs: 25,
    subjects: withRecovery,
  },
  {
    name: 'broadcast-1k',
    title: 'broadcast of 1 KB to 1,000 members',
    plan: { connections: 1_000, payloadBytes: 1_024 },
    targets: [undefined],
    intervalMs: 12,
  },
  {
    name: 'broadcast-16k',
    title: 'broadcast of 16 KB to 1,000 members',
    plan: { connections: 1_000, payloadBytes: 16_384 },
    targets: [undefined],
    intervalMs: 60,
  },
  {
    name: 'multi-room',
    title: 'emit to 3 rooms of 20 that share members (1,000 sockets, each in 2 of 100 rooms)',
    plan: { connections: 1_000, rooms: 100, roomsPerPeer: 2 },
    targets: Array.from({ length: 100 }, (_, i) => [roomName(i), roomName((i + 1) % 100), roomName((i + 2) % 100)]),
    intervalMs: 30,
  },
  ...[1, 10, 100, 1_000].map((rooms) => ({
    name: `rooms-${rooms}`,
    title: `bursts of 10 to each of ${rooms} rooms of ${1_000 / rooms}`,
    plan: { connections: 1_000, rooms },
    targets: Array.from({ length: rooms * 10 }, (_, i) => [roomName(Math.floor(i / 10))]),
    intervalMs: 25,
    subjects: ['bare-uws', 'socketio-uws', 'halyard-uws-json'],
  })),
  {
    name: 'rooms-1000-of-10',
    title: 'bursts of 10 to each of 1000 rooms of 10, each socket in 10 of them: beside rooms-100, ten times the rooms',
    plan: { connections: 1_000, rooms: 1_000, roomsPerPeer: 10 },
    targets: Array.from({ length: 10_000 }, (_, i) => [roomName(Math.floor(i / 10))]),
    intervalMs: 25,
    subjects: ['bare-uws', 'socketio-uws', 'halyard-uws-json'],
  },
  ...[100, 5_000].map((connections) => ({
    name: `members-${connections}`,
    title: `broadcast to ${connections} members, in bursts of 10`,
    plan: { connections },
    targets: burstOf10,
    intervalMs: connections / 40,
    subjects: ['bare-uws', 'socketio-uws', 'halyard-uws-json'],
  })),
];

export const broadcastWorkloads: readonly ServedWorkload[] = variants.map(
  ({ name, title, plan, targets, intervalMs, subjects = mainSubjects }) => {
    const allPlan: Plan = { ...defaultPlan, ...plan };
    // Counted when asked for: every process of a run loads this file.
    const counted = new Map<number, readonly number[]>();
    const audiencesOf = (connections: number): readonly number[] => {
      const known = counted.get(connections);
      if (known !== undefined) return known;
      const byTarget = new Map(targets.map((target) => [String(target), target]));
      const sizes = new Map([...byTarget].map(([key, target]) => [key, audience({ ...allPlan, connections }, target)]));
      const audiences = targets.map((target) => sizes.get(String(target))!);
      counted.set(connections, audiences);
      return audiences;
    };
    const order = { targets, perTick: targets.length, intervalMs };
    return served({
      name,
      title,
      unit: 'µs CPU per delivery',
      subjects,
      plan,
      // Every slice is told its targets anew.
      sliced: targets.length <= burstOf10.length,
      connectsItself: true,
      async measure(testbed, windowMs) {
        if (testbed.connected === 0) {
          await testbed.connect(firstMembers);
          const reached = targets.filter((_, i) => audiencesOf(firstMembers)[i]! > 0);
          const fitting = Math.min(firstEmitsPerTick, firstTickBytesMax / allPlan.payloadBytes);
          const perTick = Math.max(reached.length, fitting);
          const intervalMs = Math.max(1, (perTick * firstMembers * allPlan.payloadBytes) / firstBytesPerMsMax);
          const often = { targets: reached, perTick, intervalMs };
          await testbed.emit(
            { ...often, forMs: firstMs },
            audiencesOf(firstMembers).filter((members) => members > 0),
          );
          await testbed.connect(allPlan.connections - firstMembers);
        }
        const members = audiencesOf(allPlan.connections);
        await testbed.emit({ ...order, forMs: testbed.warmUpMs(restMs) }, members);
        let deliveries = 0;
        const window = await testbed.window(async () => {
          deliveries = await testbed.emit({ ...order, forMs: windowMs }, members);
        });
        return perUnit(window, deliveries);
      },
    });
  },
);
