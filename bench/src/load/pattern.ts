// The contract of a pattern: what the peers of a swarm send, and when. And how one waits for what is under way as it ends.
import type { Peer } from './peer';

/** What peers do once they are open. */
export interface Pattern {
  start(peers: readonly Peer[]): void;
  /** Hot: after each read of a peer that brought something. */
  arrived(peer: Peer, replies: number, deliveries: number): void;
  /** Ends sending. Resolves once nothing is under way. */
  stop(): Promise<void>;
}

const settleTimeoutMs = 10_000;

/** A promise that does not wait for ever: what is still under way then is lost. */
export function settled(start: (resolve: () => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('replies are missing')), settleTimeoutMs);
    start(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}
