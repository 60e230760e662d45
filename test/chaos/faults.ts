// What happens to a client's cable: a script drawn from a seed, that runs until it is told to stop and then lets go.
import { setTimeout as delay } from 'node:timers/promises';
import type { Cable, Direction, Ending } from '@halyard/harness/cable';
import type { Random } from '@halyard/harness/random';

export interface FaultCounts {
  stalls: number;
  /** Of them, those longer than the heartbeat. */
  longStalls: number;
  halfOpens: number;
  /** Times at 2 KB/s. */
  crawls: number;
}

interface Fault {
  readonly what: string;
  readonly holdMs: number;
  /** Called before everything flows again. */
  end?(): void;
}

type Step = (cable: Cable, random: Random, counts: FaultCounts) => Fault;

const endings: readonly Ending[] = ['reset', 'reset', 'fin'];
const stalls: readonly (readonly Direction[])[] = [['down'], ['down'], ['down'], ['up'], ['up', 'down']];

const cut: Step = (cable, random) => {
  const ending = random.pick(endings);
  cable.cut(ending);
  return { what: `cut, ${ending}`, holdMs: 0 };
};

const cutLater: Step = (cable, random) => {
  const ending = random.pick(endings);
  const bytes = 1 + random.int(random.pick([200, 5_000, 100_000]));
  cable.cutAfter(bytes, ending);
  return { what: `cut after ${bytes} bytes, ${ending}`, holdMs: 0 };
};

const pull: Step = (cable, random) => {
  cable.pull();
  // A polling client repeats a request for 1.8 seconds before it opens another connection.
  const holdMs = random.chance(0.1) ? 2_000 + random.int(500) : random.int(200);
  return { what: `pulled for ${holdMs} ms`, holdMs };
};

const stall: Step = (cable, random, counts) => {
  const directions = random.pick(stalls);
  cable.stall(...directions);
  counts.stalls++;
  const holdMs = 20 + random.int(random.pick([100, 600]));
  return { what: `stalled ${directions.join(' and ')} for ${holdMs} ms`, holdMs };
};

/** Reads and does not read by turns, also in the midst of a long turn of the server. */
const flicker: Step = (cable, random, counts) => {
  const holdMs = 200 + random.int(400);
  let stalled = false;
  const timer = setInterval(() => {
    stalled = !stalled;
    if (stalled) cable.stall('down');
    else cable.flow();
  }, 10 + random.int(40));
  counts.stalls++;
  return { what: `stalled down again and again for ${holdMs} ms`, holdMs, end: () => clearInterval(timer) };
};

const stallThenCut: Step = (cable, random, counts) => {
  const held = stall(cable, random, counts);
  cable.cutAfter(1 + random.int(500_000), random.pick(endings));
  return { ...held, what: `${held.what}, then cut` };
};

const halfOpen: Step = (cable, random, counts) => {
  cable.silence();
  counts.halfOpens++;
  // Sometimes long enough for the server to notice.
  const holdMs = 50 + random.int(random.pick([300, 300, 2_000]));
  return { what: `half-open for ${holdMs} ms`, holdMs };
};

const slow: Step = (cable, random) => {
  const bytesPerTick = random.pick([20, 500, 5_000]);
  cable.slow(bytesPerTick);
  const holdMs = 50 + random.int(400);
  return { what: `${bytesPerTick} bytes each 5 ms, for ${holdMs} ms`, holdMs };
};

/** Longer than servers and clients of the chaos run wait for a sign of life: 1.2 s. */
const longStall: Step = (cable, random, counts) => {
  const directions = random.pick(stalls);
  cable.stall(...directions);
  counts.stalls++;
  counts.longStalls++;
  const holdMs = 1_300 + random.int(900);
  return { what: `stalled ${directions.join(' and ')} for ${holdMs} ms`, holdMs };
};

const crawl: Step = (cable, random, counts) => {
  // Up, uWebSockets.js takes no request whose first line comes in parts.
  cable.slow(10, 'down');
  counts.crawls++;
  const holdMs = 1_000 + random.int(2_000);
  return { what: `2 KB/s, for ${holdMs} ms`, holdMs };
};

/** How often each is drawn. */
const weights: readonly (readonly [step: Step, weight: number])[] = [
  [cut, 40],
  [cutLater, 30],
  [stall, 14],
  [flicker, 8],
  [stallThenCut, 4],
  [pull, 5],
  [halfOpen, 4],
  [slow, 3],
  [longStall, 2],
  [crawl, 2],
];
const steps = weights.flatMap(([step, weight]) => Array.from({ length: weight }, () => step));

const pauseMsMax = 80;

export async function runFaults(
  { cable, note, counts }: { cable: Cable; note(text: string): void; counts: FaultCounts },
  random: Random,
  stopped: () => boolean,
): Promise<void> {
  while (!stopped()) {
    await delay(random.int(pauseMsMax));
    const { what, holdMs, end } = random.pick(steps)(cable, random, counts);
    note(what);
    if (holdMs === 0) continue;
    await delay(holdMs);
    end?.();
    cable.flow();
    cable.mend();
    note('flows again');
  }
  // One that is still to come does not.
  cable.cutAfter(Number.POSITIVE_INFINITY);
}

/** WebSockets pass and are refused by turns, those that are open are cut with it; from the end on they pass. */
export async function refuseByTurns(cable: Cable, random: Random, stopped: () => boolean): Promise<void> {
  while (!stopped()) {
    cable.webSockets = cable.webSockets === 'pass' ? random.pick(['reset', 'swallow'] as const) : 'pass';
    if (cable.webSockets !== 'pass') cable.cut(random.pick(endings));
    await delay(200 + random.int(1_200));
  }
  cable.webSockets = 'pass';
}
