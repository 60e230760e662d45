// Everything that can be measured, by name. A new subject or workload is one line here.
import { bareRedis } from './subjects/bare-redis';
import { bareUws } from './subjects/bare-uws';
import { clusterBefore, clusterSubjects } from './subjects/cluster';
import { halyardBefore, halyardMetered, halyardSubjects } from './subjects/halyard';
import { socketioOnUws, socketioOnWs, socketioRecovery } from './subjects/socketio';
import type { Subject } from './subjects/subject';
import { wsByHand } from './subjects/ws';
import { broadcastWorkloads } from './workloads/broadcast';
import { clusterWorkloads } from './workloads/cluster';
import { codecWorkloads } from './workloads/codec';
import { connectRate } from './workloads/connect';
import { echoWorkloads } from './workloads/echo';
import { fanout } from './workloads/fanout';
import { idleBytes, idleHeartbeat, idleProcesses } from './workloads/idle';
import { latency } from './workloads/latency';
import { polling, sse } from './workloads/polling';
import { resume } from './workloads/resume';
import type { Workload } from './workloads/workload';

/** A checkout of Halyard with another build of it, which is measured wherever this one is. */
const before = process.env.HALYARD_BEFORE;

export const subjects: readonly Subject[] = [
  ...(before ? [halyardBefore(before), clusterBefore(before)] : []),
  bareUws,
  wsByHand,
  socketioOnWs,
  socketioOnUws,
  socketioRecovery,
  ...halyardSubjects,
  halyardMetered,
  bareRedis,
  ...clusterSubjects,
];

const all: readonly Workload[] = [
  ...echoWorkloads,
  ...broadcastWorkloads,
  fanout,
  resume,
  connectRate,
  idleBytes,
  idleHeartbeat,
  idleProcesses,
  polling,
  sse,
  latency,
  ...codecWorkloads,
  ...clusterWorkloads,
];

export const workloads: readonly Workload[] = before ? all.map(withBefore) : all;

function withBefore(workload: Workload): Workload {
  if (workload.subjects.includes('halyard-redis')) {
    return { ...workload, subjects: ['halyard-redis-before', ...workload.subjects] };
  }
  if (!workload.subjects.includes('halyard-uws-json')) return workload;
  return { ...workload, subjects: ['halyard-before', ...workload.subjects] };
}

/** A name that nothing here has; its message lists those that exist. */
export class UnknownNameError extends Error {
  readonly code = 'ERR_UNKNOWN_NAME';

  constructor(kind: 'workload' | 'subject', name: string, known: readonly string[]) {
    super(`unknown ${kind} "${name}"; known: ${known.join(', ')}`);
    this.name = 'UnknownNameError';
  }
}

function find<T extends { readonly name: string }>(kind: 'workload' | 'subject', list: readonly T[], name: string): T {
  const found = list.find((entry) => entry.name === name);
  if (found !== undefined) return found;
  throw new UnknownNameError(
    kind,
    name,
    list.map((entry) => entry.name),
  );
}

export function findSubject(name: string): Subject {
  return find('subject', subjects, name);
}

export function findWorkload(name: string): Workload {
  return find('workload', workloads, name);
}
