// The server's process: runs one subject, emits on command, and tells what the work cost.
import { answerRequests, sleep } from './base/child';
import { type Plan, payloadOf, type Running, type Tally } from './contract/plan';
import { findSubject, findWorkload } from './registry';

export interface ServerMark {
  /** User and system time of the process so far, in microseconds. */
  readonly cpuUs: number;
  readonly rssBytes: number;
  readonly handled: number;
}

export interface EmitOrder {
  /** Taken in turn, one for each emit; undefined means everybody. */
  readonly targets: readonly (readonly string[] | undefined)[];
  readonly perTick: number;
  readonly intervalMs: number;
  readonly forMs: number;
}

export type ServerOperations = {
  start: { params: { subject: string; plan: Plan }; result: { port: number } };
  mark: { params: undefined; result: ServerMark };
  /** Gives memory back first. */
  collect: { params: undefined; result: ServerMark };
  /** @returns how often it emitted */
  emit: { params: EmitOrder; result: number };
  local: { params: { workload: string; subject: string; windowMs: number }; result: number };
};

const tally: Tally = { handled: 0 };
let running: Running | undefined;
let plan: Plan | undefined;

function mark(): ServerMark {
  const { user, system } = process.cpuUsage();
  return { cpuUs: user + system, rssBytes: process.memoryUsage.rss(), handled: tally.handled };
}

answerRequests<ServerOperations>({
  async start(order) {
    plan = order.plan;
    running = await findSubject(order.subject).start(plan, tally);
    return { port: running.port };
  },
  mark,
  async collect() {
    // `gc()` leaves the young generation at the size that connecting gave it; this is what a process comes to when idle.
    const { Session } = await import('node:inspector/promises');
    const session = new Session();
    session.connect();
    for (let i = 0; i < 2; i++) await session.post('HeapProfiler.collectGarbage');
    session.disconnect();
    return mark();
  },
  async emit({ targets, perTick, intervalMs, forMs }) {
    if (running === undefined || plan === undefined) throw new Error('not started');
    const payload = payloadOf(plan);
    const until = performance.now() + forMs;
    let emits = 0;
    do {
      for (let i = 0; i < perTick; i++) running.emit(targets[emits++ % targets.length], payload);
      await sleep(intervalMs);
    } while (performance.now() < until);
    return emits;
  },
  local({ workload, subject, windowMs }) {
    const found = findWorkload(workload);
    if (found.kind !== 'local') throw new Error(`${workload} needs a server`);
    return found.measure(subject, windowMs);
  },
});
