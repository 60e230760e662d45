// Plays a script with one server or with several.
import { playCluster } from './cluster-play';
import type { Counters } from './counters';
import { play } from './play';
import type { Script } from './script';

/** @returns what the run has met. @throws Failure */
export function playAny(script: Script): Promise<Counters> {
  return script.nodes > 1 ? playCluster(script) : play(script);
}
