// Plays cases against a server, and tells what was seen of each: nothing hangs, and nothing of a case is left open.
import { Attacker, type HostName } from './attacker';
import type { Play } from './cases';

/** Far above what a case takes, also on a busy machine: it ends what hangs. Those that wait need up to 14 s. */
const hangsMs = 90_000;

export async function playOne({ case: { play }, way }: Play, port: number, host: HostName): Promise<string> {
  const attacker = new Attacker(port, host, way);
  let timer: NodeJS.Timeout | undefined;
  const hung = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve(`nothing within ${hangsMs} ms`), hangsMs);
  });
  try {
    return await Promise.race([play(attacker), hung]);
  } catch (error) {
    return `it failed: ${error instanceof Error ? error.message : error}`;
  } finally {
    clearTimeout(timer);
    attacker.leave();
  }
}

/** Plays all of them, some at once, and those that wait beside these from the beginning. @returns what was seen, by name */
export async function playAll(plays: readonly Play[], port: number, host: HostName): Promise<Map<string, string>> {
  const seen = new Map<string, string>();
  const run = async (play: Play): Promise<void> => {
    seen.set(play.name, await playOne(play, port, host));
  };
  const waiting = plays.filter((play) => play.case.waits).map(run);
  const queue = plays.filter((play) => !play.case.waits);
  const worker = async (): Promise<void> => {
    for (let play = queue.shift(); play !== undefined; play = queue.shift()) await run(play);
  };
  await Promise.all([...waiting, ...Array.from({ length: 8 }, worker)]);
  return seen;
}
