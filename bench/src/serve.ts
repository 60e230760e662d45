// The server's process: runs one subject, emits on command, and tells what the work cost.
import { answerRequests } from './base/child';
import { sleep } from './base/sleep';
import type { ServerMark, ServerOperations } from './contract/operations';
import { type Plan, payloadOf } from './contract/plan';
import { findSubject, findWorkload } from './registry';
import type { Running, Tally } from './subjects/subject';

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
    running = await findSubject(order.subject).start(plan, tally, order.redis);
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
