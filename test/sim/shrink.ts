// Leaves steps out of a run that fails, as long as it fails in the same way: what is left is what it takes.
import { playAny } from './play-any';
import { Failure, type Script } from './script';

/** Runs that are tried. */
const triesMax = 120;

/** @returns how it fails; undefined if it does not */
export async function failureOf(script: Script): Promise<Failure | undefined> {
  try {
    await playAny(script);
    return undefined;
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
}

/** @returns the shortest run found that fails as `failure` does */
export async function shrink(script: Script, failure: Failure): Promise<{ script: Script; failure: Failure }> {
  let found = { script, failure };
  let tries = 0;
  for (let size = Math.ceil(script.steps / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let from = 0; from < script.steps && tries < triesMax; from += size) {
      const without = new Set(found.script.without);
      const before = without.size;
      for (let i = from; i < Math.min(from + size, script.steps); i++) without.add(i);
      if (without.size === before) continue;
      tries++;
      const shorter = { ...script, without };
      const its = await failureOf(shorter);
      if (its !== undefined && kindOf(its) === kindOf(failure)) found = { script: shorter, failure: its };
    }
  }
  return found;
}

/** A message without what differs from run to run. */
function kindOf({ message }: Failure): string {
  return message.replace(/[\w-]*\d[\w.-]*|[\w-]{16}/g, '#');
}
