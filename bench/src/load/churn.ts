// Sessions that open and close, a fixed number at a time.
import { Peer, type PeerOwner } from './peer';
import type { Swarm } from './swarm';

/** Sources are changed in turn, so that ports waiting after a close do not run out. */
const sourceAddresses = 16;

/** @returns how many sessions were opened */
export function churn(swarm: Swarm, concurrency: number, forMs: number): Promise<number> {
  const { dialect, port } = swarm;
  const until = performance.now() + forMs;
  return new Promise((resolve, reject) => {
    let opened = 0;
    let started = 0;
    let active = 0;
    const next = () => {
      if (performance.now() >= until) {
        if (active === 0) resolve(opened);
        return;
      }
      active++;
      new Peer(owner, started).connect(`127.0.0.${2 + (started++ % sourceAddresses)}`);
    };
    const owner: PeerOwner = {
      dialect,
      port,
      opened(peer) {
        opened++;
        active--;
        peer.close('close-frame');
        next();
      },
      read() {},
      arrived() {},
      heartbeat() {},
      failed: (peer, reason) => reject(new Error(`connection ${peer.index}: ${reason}`)),
    };
    for (let i = 0; i < concurrency; i++) next();
  });
}
