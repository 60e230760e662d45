// Two servers that share a Redis: what a message from a client of one to a client of the other takes, in time and at all three; an
// event with ack; sessions that go on at the other server; and what idle ones cost.
import { sleep } from '../base/sleep';
import { defaultPlan, type Plan } from '../contract/plan';
import type { ClusterTestbed, ClusterWindow } from '../testbed/cluster-testbed';
import type { ClusterWorkload, Sample } from './workload';

/** Few enough that all of it, of every subject, is well below what one processor does. */
const ratePerS = 1_000;
const pairs = 50;
const inFlight = 4;
/** Commands at Redis that are fewer than this per unit are not told. */
const callsMin = 0.001;

const everyAdapter = ['socketio-redis', 'socketio-redis-sharded', 'socketio-redis-streams', 'halyard-redis'];
/** With the least that it takes. */
const andByHand = [...everyAdapter, 'bare-redis'];

type Given = Pick<ClusterWorkload, 'name' | 'title' | 'unit' | 'measure'> &
  Partial<Pick<ClusterWorkload, 'subjects' | 'fresh'>> & { readonly plan: Partial<Plan> };

function cluster({ plan, ...given }: Given): ClusterWorkload {
  return {
    kind: 'cluster',
    subjects: everyAdapter,
    fresh: false,
    sliced: false,
    ...given,
    plan: { ...defaultPlan, ...plan },
  };
}

/** @returns what everything costs for one of what was done. @throws if nothing was done */
function costs(window: ClusterWindow, units: number): Omit<Sample, 'value'> & Required<Pick<Sample, 'commands'>> {
  if (units <= 0) throw new Error('nothing was done in a window');
  const calls = Object.entries(window.calls).map(([name, count]) => [name, count / units] as const);
  return {
    units,
    details: { serverUs: window.cpuUs / units, redisUs: window.redisCpuUs / units },
    commands: Object.fromEntries(calls.filter(([, count]) => count >= callsMin)),
  };
}

type Pattern = 'relay' | 'echo';

/** Opens what a pattern needs, the first time. */
async function connected(testbed: ClusterTestbed, pattern: Pattern): Promise<void> {
  if (testbed.connections > 0) return;
  if (pattern === 'relay') await testbed.connect('b', pairs);
  await testbed.connect('a', pairs, true);
}

/** As many as a fixed rate allows would take minutes to be compiled. */
async function warmUp(testbed: ClusterTestbed, pattern: Pattern): Promise<void> {
  await testbed.load.call(pattern, { inFlight });
  await sleep(testbed.warmUpMs());
  await testbed.load.call('stop', undefined);
}

async function atRate(testbed: ClusterTestbed, pattern: Pattern, windowMs: number): Promise<Sample> {
  await connected(testbed, pattern);
  await warmUp(testbed, pattern);
  await testbed.load.call(pattern === 'relay' ? 'relay' : 'rate', { ratePerS });
  await sleep(settleMs);
  await testbed.load.call('resetLatencies', undefined);
  const window = await testbed.window(() => sleep(windowMs));
  await testbed.load.call('stop', undefined);
  const { p50Us, p99Us, p999Us, replies } = await testbed.load.call('latencies', undefined);
  if (replies === 0) throw new Error('nothing arrived');
  const sample = costs(window, window.handled);
  return { ...sample, value: p99Us, details: { p50Us, p999Us, ...sample.details } };
}

/** What waits as the pace changes is not counted. */
const settleMs = 150;

async function most(testbed: ClusterTestbed, pattern: Pattern, windowMs: number): Promise<Sample> {
  await connected(testbed, pattern);
  await testbed.load.call(pattern, { inFlight });
  await sleep(testbed.warmUpMs());
  const window = await testbed.window(() => sleep(windowMs));
  await testbed.load.call('stop', undefined);
  const sample = costs(window, window.handled);
  const perS = window.handled / (window.wallMs / 1_000);
  return {
    ...sample,
    value: window.cpuUs / window.handled,
    details: { perS, ...sample.details, loadBusy: window.loadBusy },
  };
}

const room = 'a message from a client of one server to a client of the other, 64 bytes';
const echo = 'event + ack at one of two servers, 64 bytes';
const relayPlan = { connections: pairs * 2, rooms: pairs };
const echoPlan = { connections: pairs };

const sessions = 1_000;
const missed = 10;
/** Time for what has arrived to be confirmed, as clients do once a second. */
const confirmMs = 1_200;
const lossTimeoutMs = 10_000;

/** @param isKilled whether the server is killed, else only the connections are cut */
async function elsewhere(testbed: ClusterTestbed, isKilled: boolean): Promise<Sample> {
  const { load } = testbed;
  await testbed.connect('a', sessions);
  await load.call('remember', undefined);
  await testbed.emit('b', { perTick: 2, intervalMs: 0, forMs: 0 }, sessions);
  await sleep(confirmMs);
  let backMs = 0;
  const start = performance.now();
  await load.call('expectLoss', undefined);
  if (isKilled) testbed.kill('a');
  else await load.call('cut', undefined);
  await load.call('lost', { timeoutMs: lossTimeoutMs });
  const window = await testbed.window(async () => {
    await testbed.node('b').call('emit', { targets: [undefined], perTick: missed, intervalMs: 0, forMs: 0 });
    backMs = await load.call('resume', { missed, port: testbed.portOf('b') });
  });
  const tookMs = performance.now() - start;
  const sample = costs(window, sessions);
  return { ...sample, value: tookMs, details: { backMs, ...sample.details } };
}

const heartbeatMs = 8_000;
const idleSessions = 2_000;

async function idle(testbed: ClusterTestbed): Promise<Sample> {
  const opened = await testbed.window(async () => {
    await testbed.connect('a', idleSessions / 2);
    await testbed.connect('b', idleSessions / 2);
    await sleep(confirmMs);
  });
  const window = await testbed.window(() => sleep(heartbeatMs * 2));
  if (window.heartbeats === 0) throw new Error('no heartbeat came');
  const sample = costs(window, window.heartbeats);
  // Buffers of connections come and go beside it.
  const bytesPerSession = Math.max(0, opened.redisBytes) / idleSessions;
  return { ...sample, value: window.redisCpuUs / window.heartbeats, details: { ...sample.details, bytesPerSession } };
}

export const clusterWorkloads: readonly ClusterWorkload[] = [
  cluster({
    name: 'cluster-room',
    title: `${room}, at ${ratePerS} per second, p99`,
    unit: 'µs',
    plan: relayPlan,
    subjects: andByHand,
    measure: (testbed, windowMs) => atRate(testbed, 'relay', windowMs),
  }),
  cluster({
    name: 'cluster-room-most',
    title: `${room}, ${inFlight} in flight for each of ${pairs}`,
    unit: 'µs CPU of both servers per message',
    plan: relayPlan,
    subjects: andByHand,
    measure: (testbed, windowMs) => most(testbed, 'relay', windowMs),
  }),
  cluster({
    name: 'cluster-echo',
    title: `${echo}, at ${ratePerS} per second, p99`,
    unit: 'µs',
    plan: echoPlan,
    measure: (testbed, windowMs) => atRate(testbed, 'echo', windowMs),
  }),
  cluster({
    name: 'cluster-echo-most',
    title: `${echo}, ${inFlight} in flight for each of ${pairs}`,
    unit: 'µs CPU of both servers per message',
    plan: echoPlan,
    measure: (testbed, windowMs) => most(testbed, 'echo', windowMs),
  }),
  cluster({
    name: 'cluster-resume',
    title: `${sessions} sessions whose server is killed are back at the other one, each with ${missed} missed messages`,
    unit: 'ms from SIGKILL',
    plan: { connections: sessions },
    fresh: true,
    measure: (testbed) => elsewhere(testbed, true),
  }),
  cluster({
    name: 'cluster-move',
    title: `${sessions} sessions that are cut off are back at the other server, each with ${missed} missed messages; both live`,
    unit: 'ms from the cut',
    plan: { connections: sessions },
    fresh: true,
    measure: (testbed) => elsewhere(testbed, false),
  }),
  cluster({
    name: 'cluster-idle',
    title: `${idleSessions} idle sessions over two servers`,
    unit: 'µs CPU of Redis per heartbeat',
    plan: { connections: idleSessions, heartbeatMs },
    fresh: true,
    measure: (testbed) => idle(testbed),
  }),
];
