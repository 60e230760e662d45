// Which processor a process runs on, where the system lets that be said: else what is measured moves about.
import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';

const canPin = availableParallelism() > 1 && spawnSync('taskset', ['--version']).status === 0;

/** Processors of a cluster's parts. */
export interface Places {
  readonly redis: number | undefined;
  readonly nodes: readonly (number | undefined)[];
  readonly load: number | undefined;
}

/**
 * A processor for each part where there are enough. Else Redis and the nodes share one, so that whatever any of them does is
 * in the way of what is measured, and the load, which never sleeps, has the other.
 */
export function placesOf(processors = availableParallelism(), isPossible = canPin): Places {
  if (!isPossible) return { redis: undefined, nodes: [undefined, undefined], load: undefined };
  return processors >= 4 ? { redis: 0, nodes: [1, 2], load: 3 } : { redis: 0, nodes: [0, 0], load: 1 };
}

/** @returns what stands before a command, so that it runs on that processor */
export function pinnedTo(processor: number | undefined): string[] {
  return processor === undefined ? [] : ['taskset', '-c', `${processor}`];
}

/** @returns where everything runs, for people */
export function placesText({ redis, nodes, load }: Places): string {
  if (redis === undefined) return 'Nothing was pinned to a processor.';
  return `Pinned to processors: Redis ${redis}, servers ${nodes.join(' and ')}, load ${load}.`;
}
