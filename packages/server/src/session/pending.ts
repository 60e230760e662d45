// Namespaces whose middleware has not decided about a session, and the events that wait for them.
import type { EventPacket, VolatilePacket } from '@halyard/protocol';
import type { Backlog } from '../base/backlog';
import type { Handshake } from './handshake';

type WaitingPacket = EventPacket | VolatilePacket;

/** A packet, the number to settle it by, and its size. */
export type Waits = readonly [packet: WaitingPacket, number: number, size: number];

/** A handshake, whatever types its namespace has. */
type HandshakeKey = { readonly namespace: string };

interface Waiting {
  readonly handshake: Handshake;
  readonly packets: Waits[];
  bytes: number;
}

export class PendingNamespaces {
  readonly #waiting = new Map<string, Waiting>();
  /** Whose client has left again, behind the events that wait. */
  readonly #leaving = new Set<Waiting>();
  /** How many namespaces have not decided, those included that are not wanted any more: their middleware is at work. */
  undecided = 0;
  readonly #backlog: Backlog;

  /** @param backlog of what waits for all of them */
  constructor(backlog: Backlog) {
    this.#backlog = backlog;
  }

  get isEmpty(): boolean {
    return this.undecided === 0;
  }

  /** Whether its client has left one again, behind events that wait. */
  get hasLeft(): boolean {
    return this.#leaving.size > 0;
  }

  has(namespace: string): boolean {
    return this.#waiting.has(namespace);
  }

  /** Whether this handshake is still one that its namespace has to decide. */
  awaits(handshake: HandshakeKey): boolean {
    return this.#waiting.get(handshake.namespace)?.handshake === handshake || this.isLeaving(handshake);
  }

  /** Whether the client has left again. What it said before is still handled. */
  isLeaving(handshake: HandshakeKey): boolean {
    return this.#leavingOf(handshake) !== undefined;
  }

  /** The client leaves the namespace. If nothing waits for it, the question is dropped. */
  leave(namespace: string): void {
    const waiting = this.#waiting.get(namespace);
    if (waiting === undefined) return;
    this.#waiting.delete(namespace);
    if (waiting.packets.length > 0) this.#leaving.add(waiting);
  }

  /** The client leaves all of them. */
  leaveAll(): void {
    for (const namespace of [...this.#waiting.keys()]) this.leave(namespace);
  }

  /** The handshakes that are not decided, those included whose client has left again behind events. */
  *handshakes(): Generator<Handshake> {
    for (const { handshake } of this.#waiting.values()) yield handshake;
    for (const { handshake } of this.#leaving) yield handshake;
  }

  add(handshake: Handshake): void {
    this.undecided++;
    this.#waiting.set(handshake.namespace, { handshake, packets: [], bytes: 0 });
  }

  /** Keeps an event if its namespace has not decided. */
  keeps(packet: WaitingPacket, number: number, size: number): boolean {
    const waiting = this.#waiting.get(packet.namespace);
    if (waiting === undefined) return false;
    waiting.packets.push([packet, number, size]);
    waiting.bytes += size;
    this.#backlog.move(1, size);
    return true;
  }

  /** Takes a handshake out. @returns what waited for it */
  take(handshake: HandshakeKey): readonly Waits[] {
    const leaving = this.#leavingOf(handshake);
    const waiting = leaving ?? this.#waiting.get(handshake.namespace);
    if (waiting === undefined || waiting.handshake !== handshake) return [];
    if (leaving === undefined) this.#waiting.delete(handshake.namespace);
    else this.#leaving.delete(leaving);
    this.#backlog.move(-waiting.packets.length, -waiting.bytes);
    return waiting.packets;
  }

  #leavingOf(handshake: HandshakeKey): Waiting | undefined {
    for (const waiting of this.#leaving) if (waiting.handshake === handshake) return waiting;
    return undefined;
  }
}
