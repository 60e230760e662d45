// Who asks and where the answer comes: an event with ack at one peer, or a message from a peer to another one.
import { type Payload, type Plan, roomName } from '../contract/plan';
import type { Dialect } from './dialect';
import type { Peer } from './peer';
import { Requests } from './requests';

export interface Lane {
  readonly from: Peer;
  /** Where what `from` has asked for arrives, in order. */
  readonly to: Peer;
  /** `from` asks so many times more, in one write where that can be. */
  ask(count: number): void;
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
    const requests = new Requests(dialect, payload);
    return peers.map((peer) => ({
      from: peer,
      to: peer,
      ask: (count) => {
        requests.after(peer.asked, count, (some) => peer.write(some));
        peer.asked += count;
      },
    }));
  }
  if (plan.roomsPerPeer !== 1 || peers.length !== 2 * plan.rooms) {
    throw new Error(`${peers.length} peers are not one in each of ${plan.rooms} rooms and one outside of it`);
  }
  return Array.from({ length: plan.rooms }, (_, i) => {
    const from = peers[plan.rooms + i]!;
    const request = dialect.event('say', [roomName(i), payload], undefined);
    let burst = request;
    return {
      from,
      to: peers[i]!,
      ask(count) {
        const bytes = count * request.length;
        if (burst.length < bytes) burst = Buffer.concat(Array.from({ length: count }, () => request));
        from.write(burst.subarray(0, bytes));
      },
    };
  });
}
