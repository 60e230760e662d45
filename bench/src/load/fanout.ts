// One member of each room speaks, the others hear it; when all have, the next member speaks.
import { type Payload, type Plan, roomName } from '../contract/plan';
import type { Dialect } from './dialect';
import { type Pattern, settled } from './pattern';
import type { Peer } from './peer';

interface Room {
  readonly members: Peer[];
  readonly speech: Buffer;
  speaker: number;
  awaited: number;
}

export class Fanout implements Pattern {
  readonly #rooms: Room[];
  readonly #plan: Plan;
  #busy = 0;
  #running = false;
  #stopped: (() => void) | undefined;

  constructor(dialect: Dialect, payload: Payload, plan: Plan) {
    if (plan.roomsPerPeer !== 1) throw new Error('each peer must be in one room');
    this.#plan = plan;
    this.#rooms = Array.from({ length: plan.rooms }, (_, i) => ({
      members: [],
      speech: dialect.event('say', [roomName(i), payload], undefined),
      speaker: 0,
      awaited: 0,
    }));
  }

  start(peers: readonly Peer[]): void {
    this.#running = true;
    for (const peer of peers) {
      peer.place = peer.index % this.#plan.rooms;
      this.#rooms[peer.place]?.members.push(peer);
    }
    for (const room of this.#rooms) this.#speak(room);
  }

  arrived(peer: Peer, _replies: number, deliveries: number): void {
    const room = this.#rooms[peer.place]!;
    room.awaited -= deliveries;
    if (room.awaited > 0) return;
    this.#busy--;
    if (this.#running) this.#speak(room);
    else if (this.#busy === 0) this.#stopped?.();
  }

  stop(): Promise<void> {
    this.#running = false;
    return settled((resolve) => {
      this.#stopped = resolve;
      if (this.#busy === 0) resolve();
    });
  }

  #speak(room: Room): void {
    this.#busy++;
    room.awaited = room.members.length - 1;
    room.members[room.speaker]?.write(room.speech);
    room.speaker = (room.speaker + 1) % room.members.length;
  }
}
