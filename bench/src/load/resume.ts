// Sessions that are cut off, miss some messages, and come back all at once.
import type { Swarm } from './swarm';

const resumeTimeoutMs = 20_000;

/** From now on positions are kept, as a client does that means to resume. */
export function remember(swarm: Swarm): void {
  for (const peer of swarm.peers) peer.remember();
}

export function cut(swarm: Swarm): void {
  for (const peer of swarm.peers) peer.close('cut');
}

/**
 * Reconnects every peer and waits for what each missed.
 * @returns how long it took, in milliseconds
 * @throws if one was not recovered, or missed or doubled a message
 */
export async function resume(swarm: Swarm, missed: number): Promise<number> {
  const start = performance.now();
  const before = swarm.tally.deliveries;
  await swarm.open(swarm.peers);
  const lost = swarm.peers.filter((peer) => !peer.session.recovered).length;
  if (lost > 0) throw new Error(`${lost} of ${swarm.peers.length} sessions were not recovered`);
  await swarm.until(before + missed * swarm.peers.length, resumeTimeoutMs);
  return performance.now() - start;
}
