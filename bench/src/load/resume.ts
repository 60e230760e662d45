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

/** Resolves when every connection has ended. */
export async function lost(swarm: Swarm, timeoutMs: number): Promise<void> {
  const end = performance.now() + timeoutMs;
  while (swarm.peers.some(({ state }) => state !== 'closed')) {
    if (performance.now() > end) throw new Error(`connections are there after ${timeoutMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/**
 * Reconnects every peer and waits for what each missed.
 * @param port of the server they come to
 * @returns how long it took, in milliseconds
 * @throws if one was not recovered, or missed or doubled a message
 */
export async function resume(swarm: Swarm, missed: number, port = swarm.port): Promise<number> {
  const start = performance.now();
  const before = swarm.tally.deliveries;
  for (const peer of swarm.peers) peer.port = port;
  await swarm.open(swarm.peers);
  const fresh = swarm.peers.filter((peer) => !peer.session.recovered).length;
  if (fresh > 0) {
    const tookMs = Math.round(performance.now() - start);
    throw new Error(`${fresh} of ${swarm.peers.length} sessions were not recovered; all were back after ${tookMs} ms`);
  }
  await swarm.until(before + missed * swarm.peers.length, resumeTimeoutMs);
  return performance.now() - start;
}
