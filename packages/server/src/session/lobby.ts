// Namespaces whose middleware has not decided about a session, and the events that wait for them.
import { CloseCode, type EventPacket, RemoteProtocolError, type VolatilePacket } from '@halyard/protocol';
import type { Handshake } from '../namespace/handshake';

export interface LobbyLimits {
  readonly waitingPacketsMax: number;
  readonly waitingBytesMax: number;
}

type WaitingPacket = EventPacket | VolatilePacket;

interface Waiting {
  readonly handshake: Handshake;
  readonly packets: WaitingPacket[];
  bytes: number;
}

export class Lobby {
  /** Length of the frame that is being handled. */
  frameBytes = 0;
  readonly #limits: LobbyLimits;
  readonly #waiting = new Map<string, Waiting>();
  #count = 0;
  #bytes = 0;

  constructor(limits: LobbyLimits) {
    this.#limits = limits;
  }

  /** How many namespaces have not decided. */
  get size(): number {
    return this.#waiting.size;
  }

  has(namespace: string): boolean {
    return this.#waiting.has(namespace);
  }

  /** Whether this handshake is still the one that its namespace has to decide. */
  awaits(handshake: { readonly namespace: string }): boolean {
    return this.#waiting.get(handshake.namespace)?.handshake === handshake;
  }

  enter(handshake: Handshake): void {
    this.#waiting.set(handshake.namespace, { handshake, packets: [], bytes: 0 });
  }

  /** Keeps an event if its namespace has not decided. @throws RemoteProtocolError if too much waits */
  keeps(packet: WaitingPacket): boolean {
    const waiting = this.#waiting.get(packet.namespace);
    if (waiting === undefined) return false;
    this.#bytes += this.frameBytes;
    const { waitingPacketsMax, waitingBytesMax } = this.#limits;
    if (++this.#count > waitingPacketsMax || this.#bytes > waitingBytesMax) {
      throw new RemoteProtocolError('ERR_WAITING_FULL', 'too many packets before CONNECTED', CloseCode.PolicyViolation);
    }
    waiting.packets.push(packet);
    waiting.bytes += this.frameBytes;
    return true;
  }

  /** Takes a namespace out. @returns what waited for it */
  drop(namespace: string): readonly WaitingPacket[] {
    const waiting = this.#waiting.get(namespace);
    if (waiting === undefined) return [];
    this.#waiting.delete(namespace);
    this.#count -= waiting.packets.length;
    this.#bytes -= waiting.bytes;
    return waiting.packets;
  }
}
