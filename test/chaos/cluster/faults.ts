// What happens to the servers of a run, drawn from a seed: one is killed, and started again, or stands still for a while.
import { setTimeout as delay } from 'node:timers/promises';
import type { Random } from '@halyard/harness/random';
import { nowMs } from '../client-traffic';
import type { Fleet } from './fleet';

export interface FaultOptions {
  readonly stopMs: number;
  /** The longest wait between two faults. */
  readonly pauseMs: number;
  /** A server was killed. */
  killed(kill: number, at: number): void;
}

export interface Faults {
  readonly kills: number;
  readonly stops: number;
  /** Servers that were told to stop, and started again. */
  readonly restarts: number;
  /** Numbers of kills with no server standing still before they were over: everybody should be back soon. */
  readonly timed: ReadonlySet<number>;
}

/** One server is killed and stays away so long at most. */
const awayMsMax = 2_000;
/** Everybody is to be back by then, if no server stands still meanwhile: nobody can tell whether that is well. */
const backMs = 5_000;
/** Who has come to a server that stands still may take as long to find another after that. */
const echoMs = 2_000;
/** So many servers are gone or stand still at one time. */
const illMax = 2;

/** @returns once no more is to happen, and all servers are well again */
export async function runFaults(
  fleet: Fleet,
  random: Random,
  { stopMs, pauseMs, killed }: FaultOptions,
  stopped: () => boolean,
): Promise<Faults> {
  const kills: number[] = [];
  const stops: (readonly [from: number, to: number])[] = [];
  const running = new Set<Promise<void>>();
  let ill = 0;

  const kill = async (place: number): Promise<void> => {
    const at = nowMs();
    await fleet.kill(place);
    killed(kills.push(at), at);
    await delay(random.int(awayMsMax));
    await fleet.start(place);
  };
  const halt = async (place: number): Promise<void> => {
    const at = nowMs();
    fleet.halt(place);
    stops.push([at, at + stopMs]);
    await delay(stopMs);
    fleet.goOn(place);
  };

  for (let i = 0; !stopped(); i++) {
    await delay(pauseMs / 2 + random.int(pauseMs / 2));
    if (stopped()) break;
    if (ill >= illMax) continue;
    // One of each in a short run as well.
    const step = i === 0 ? kill : i === 1 ? halt : random.pick([kill, kill, kill, halt]);
    const run = step(random.pick(fleet.well));
    running.add(run);
    ill++;
    void run.finally(() => {
      running.delete(run);
      ill--;
    });
  }
  await Promise.all(running);
  const timed = kills.flatMap((at, i) => {
    const isQuiet = stops.every(([from, to]) => at + backMs < from || at > to + echoMs);
    return isQuiet ? [i + 1] : [];
  });
  return { kills: kills.length, stops: stops.length, restarts: 0, timed: new Set(timed) };
}
