// Who asks and where the answer comes: an event with ack at one peer, or a message from a peer to another one.
import { type Payload, type Plan, roomName } from '../contract/plan';
import type { Dialect } from './dialect';
import type { Peer } from './peer';

export interface Lane {
  readonly from: Peer;
  /** Where what `from` has asked for arrives, in order. */
  readonly to: Peer;
  readonly request: Buffer;
}

/** `relay`: the first peers are in one room each, and as many after them are in none and speak to these. */
export type LaneKind = 'echo' | 'relay';

interface Given {
  readonly dialect: Dialect;
  readonly payload: Payload;
  readonly plan: Plan;
  readonly peers: readonly Peer[];
}

export function lanesOf(kind: LaneKind, { dialect, payload, plan, peers }: Given): Lane[] {
  if (kind === 'echo') {
    const request = dialect.event('echo', [payload], 1_001);
    return peers.map((peer) => ({ from: peer, to: peer, request }));
  }
  if (plan.roomsPerPeer !== 1 || peers.length !== 2 * plan.rooms) {
    throw new Error(`${peers.length} peers are not one in each of ${plan.rooms} rooms and one outside of it`);
  }
  return Array.from({ length: plan.rooms }, (_, i) => ({
    from: peers[plan.rooms + i]!,
    to: peers[i]!,
    request: dialect.event('say', [roomName(i), payload], undefined),
  }));
}
