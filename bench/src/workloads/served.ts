// What most workloads share: a plan that differs from the usual one in a few points, and how a window becomes a sample.
import { defaultPlan, type Plan } from '../contract/plan';
import type { Window } from '../testbed/testbed';
import type { Sample, ServedWorkload } from './workload';

type Given = Pick<ServedWorkload, 'name' | 'title' | 'measure' | 'subjects'> & {
  readonly unit?: string;
  readonly plan?: Partial<Plan>;
  readonly fresh?: boolean;
  readonly sliced?: boolean;
  readonly connectsItself?: boolean;
};

export function served(given: Given): ServedWorkload {
  return {
    kind: 'served',
    unit: 'µs CPU per message',
    fresh: false,
    sliced: !given.fresh,
    connectsItself: false,
    ...given,
    plan: { ...defaultPlan, ...given.plan },
  };
}

/** The server's CPU time divided by what it did with it. @throws if it did nothing */
export function perUnit(window: Window, units: number): Sample {
  if (units <= 0) throw new Error('nothing was done in a window');
  return {
    value: window.cpuUs / units,
    units,
    details: { perS: units / (window.wallMs / 1_000), loadBusy: window.loadBusy },
  };
}

export const everySubject: readonly string[] = [
  'bare-uws',
  'ws',
  'socketio-ws',
  'socketio-uws',
  'socketio-recovery',
  'halyard-uws-json',
  'halyard-uws-msgpack',
  'halyard-uws-protobuf',
  'halyard-node-json',
  'halyard-node-msgpack',
  'halyard-node-protobuf',
];
/** One of each kind. */
export const mainSubjects: readonly string[] = [
  'bare-uws',
  'ws',
  'socketio-ws',
  'socketio-uws',
  'halyard-uws-json',
  'halyard-node-json',
];
