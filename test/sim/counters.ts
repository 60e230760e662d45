// What runs of the simulator have met: a run that never met something has proven nothing about it.

export const counterNames = [
  'cuts',
  'half-open links',
  'stalls',
  'slow readers cut',
  'lost requests',
  'websocket connections',
  'polling connections',
  'sse connections',
  'sessions resumed',
  'switches',
  'switches back',
  'sessions lost',
  'servers restarted',
  'servers killed',
  'events to the server',
  'events handled again',
  'events to clients',
  'replays',
  'replays with except',
  'several rooms',
  'volatile',
  'volatile dropped',
  'replaced by newer',
  'clients asleep',
  'messages doubled',
  'clocks set',
  'acks',
  'acks failed',
  'joins',
  'leaves',
  'namespaces left',
  'garbage',
  'renewals',
  'auth ended',
  'pages reloaded',
  'pages crashed',
  'pages put away',
  'sessions over a reload',
] as const;

/** What only runs of several servers meet. */
export const clusterNames = [
  'letters',
  'durable',
  'said again',
  'moves',
  'fences',
  'commits repeated',
  'servers paused',
  'clients gone',
  'sessions expired',
  'store away',
  'rollbacks',
  'commits refused',
  'servers told to stop',
  'logs too short',
] as const;

export type CounterName = (typeof counterNames)[number] | (typeof clusterNames)[number];
export type Counters = Record<CounterName, number>;

export function noCounts(): Counters {
  return Object.fromEntries([...counterNames, ...clusterNames].map((name) => [name, 0])) as Counters;
}

/** Adds `more` to `sum`. */
export function add(sum: Counters, more: Counters): void {
  for (const name of [...counterNames, ...clusterNames]) sum[name] += more[name];
}

/** What only a server alone, or one after the other, meets here. */
const aloneNames: readonly CounterName[] = [
  ...(['servers restarted', 'replays'] as const),
  ...(['volatile dropped', 'namespaces left', 'garbage'] as const),
  ...(['pages reloaded', 'pages crashed', 'pages put away', 'sessions over a reload'] as const),
];

/** What is seldom met: after so many seeds it has to have been. */
const rareNames: readonly CounterName[] = ['switches back', 'slow readers cut'];
const rareAmongSeveral: readonly CounterName[] = [
  ...(['servers told to stop', 'renewals', 'auth ended', 'logs too short'] as const),
];
const rareSeeds = 500;

/** @returns the names of what was never met by so many seeds with so many servers */
export function unmet(counters: Counters, nodes: number, seeds: number): CounterName[] {
  const isAlone = nodes === 1;
  const names = isAlone ? counterNames : [...counterNames, ...clusterNames];
  const rare = isAlone ? rareNames : [...rareNames, ...rareAmongSeveral];
  const spared = [...(isAlone ? [] : aloneNames), ...(seeds < rareSeeds ? rare : [])];
  return names.filter((name) => counters[name] === 0 && !spared.includes(name));
}

export function table(counters: Counters): string {
  return [...counterNames, ...clusterNames]
    .map((name) => `  ${name.padEnd(24)}${counters[name].toLocaleString('en')}`)
    .join('\n');
}
