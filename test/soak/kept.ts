// What a server has at one time, and what of it is not as it was before.

export interface Kept {
  /** After a collection of garbage, in bytes. */
  readonly heap: number;
  readonly external: number;
  readonly rss: number;
  /** How many there are, by class. */
  readonly objects: Readonly<Record<string, number>>;
  /** What the server says of itself. */
  readonly gauges: Readonly<Record<string, number>>;
  /** What keeps the process busy, by kind. */
  readonly handles: Readonly<Record<string, number>>;
}

/** What may be left of the heap: V8 keeps code and feedback for as long as it likes. */
const heapBytesMax = 6 << 20;
/** Of plain collections and promises some come and go by themselves; of what is ours nothing may be left. */
const looseMax: Readonly<Record<string, number>> = { Map: 64, Set: 64, Promise: 64 };
/** Timers of the moment. */
const handlesMax: Readonly<Record<string, number>> = { Timeout: 8, Immediate: 2, TCPSocketWrap: 2 };
/** How it is just now, and not how much there is of something. */
const passing = /loop_delay|lag|queue_bytes/;

/** @returns the gauges of how much there is of something */
export function lasting(gauges: Kept['gauges']): Record<string, number> {
  return Object.fromEntries(Object.entries(gauges).filter(([name]) => !passing.test(name)));
}

/** @returns what is left, in words: nothing if all is as it was */
export function leftOf(before: Kept, after: Kept): string[] {
  const left: string[] = [];
  const compare = (
    was: Readonly<Record<string, number>>,
    is: Readonly<Record<string, number>>,
    may: typeof looseMax,
  ) => {
    for (const name of new Set([...Object.keys(was), ...Object.keys(is)])) {
      const [first = 0, last = 0] = [was[name], is[name]];
      if (last - first > (may[name] ?? 0)) left.push(`${name}: ${first} before, ${last} after`);
    }
  };
  compare(before.objects, after.objects, looseMax);
  compare(before.handles, after.handles, handlesMax);
  compare(lasting(before.gauges), lasting(after.gauges), {});
  if (after.heap - before.heap > heapBytesMax) left.push(`heap: ${before.heap} bytes before, ${after.heap} after`);
  return left;
}
