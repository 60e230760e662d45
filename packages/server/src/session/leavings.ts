// Namespaces that a client has left while events before that were open. If the server goes, those come again at the next one,
// and so does the DISCONNECT behind them: until they are settled the presence stays in the record as it was, and what the client
// says to the same namespace waits.
import type { DeliveredPacket } from '@halyard/protocol';
import type { RecordedSocket } from './record-writer';

/** A packet, as it was delivered. */
export type Delivery = readonly [packet: DeliveredPacket, number: number, size: number];

interface Leaving {
  /** Of the DISCONNECT. */
  readonly number: number;
  socket: RecordedSocket | undefined;
  readonly waiting: Delivery[];
}

export class Leavings {
  readonly #byNamespace = new Map<string, Leaving>();

  /** @param socket what the presence was; undefined if its namespace has not decided */
  add(namespace: string, number: number, socket: RecordedSocket | undefined): void {
    this.#byNamespace.set(namespace, { number, socket, waiting: [] });
  }

  /** The namespace has let its client in, who has left again. */
  entered(namespace: string, socket: RecordedSocket): void {
    const leaving = this.#byNamespace.get(namespace);
    if (leaving !== undefined) leaving.socket = socket;
  }

  /** Keeps a packet if it has to wait. */
  keeps(packet: DeliveredPacket, number: number, size: number): boolean {
    const leaving = this.#byNamespace.get(packet.namespace);
    if (leaving === undefined || number === 0) return false;
    leaving.waiting.push([packet, number, size]);
    return true;
  }

  /** @param received all packets up to this number are settled. @returns what goes on now */
  settled(received: number): Delivery[] {
    return [...this.#byNamespace].flatMap(([namespace, { number, waiting }]) => {
      if (number > received) return [];
      this.#byNamespace.delete(namespace);
      return waiting;
    });
  }

  /** Nothing comes again any more. @returns what has waited */
  end(): Delivery[] {
    const waiting = [...this.#byNamespace.values()].flatMap((leaving) => leaving.waiting);
    this.#byNamespace.clear();
    return waiting;
  }

  /** @returns what has to come again at another server */
  sockets(received: number): RecordedSocket[] {
    return [...this.#byNamespace.values()].flatMap(({ number, socket }) => (number > received && socket) || []);
  }
}
