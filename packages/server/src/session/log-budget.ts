// How many logs a client may have to know its position in (docs/PROTOCOL.md §5.7): those of messages that are not known to be
// handled. It answers every PING, and the next PING tells it that its answer to the one before has come. So it knows the logs
// of two rounds: those sent since the newest PING, and those before it.
import { packetLimits } from '@halyard/protocol';

const logsMax = packetLimits.helloPositionsMax;

export class LogBudget {
  /** Whether messages are counted, until the connection ends: they may be of more logs than a client can know. */
  isCounting = false;
  /** Rooms that were left, and messages that were sent one by one, in each of the two rounds. */
  #left = 0;
  #leftBefore = 0;
  #rooms = 0;
  #sent = 0;
  #sentBefore = 0;

  /** The client says how many positions it has as it comes back: all of them are of the newest round. */
  resumed(positions: number): void {
    this.#leftBefore = this.#sentBefore = 0;
    this.#left = this.#sent = positions;
  }

  /** A PING was sent, and that before it was answered. */
  pinged(): void {
    this.#leftBefore = this.#left;
    this.#sentBefore = this.#sent;
    this.#left = this.#sent = 0;
  }

  left(): void {
    this.#left++;
  }

  sent(): void {
    this.#sent++;
  }

  /**
   * Sees whether a session in so many rooms may be sent messages of more logs than a client can know.
   * @param spoken how many of the rooms have had a message: called when counting begins, because they were not counted
   */
  look(rooms: number, spoken: () => number): void {
    this.#rooms = rooms;
    if (this.isCounting || rooms + this.#left + this.#leftBefore <= logsMax) return;
    this.isCounting = true;
    this.#sent = Math.max(this.#sent, spoken() + this.#left + this.#leftBefore);
  }

  /** There is no connection. */
  stop(): void {
    this.isCounting = false;
  }

  /** Whether the client may know so many logs that it asks for a PING. */
  get isUsed(): boolean {
    return this.#rooms + this.#sent + this.#sentBefore + this.#left + this.#leftBefore > logsMax / 4;
  }

  /** Whether it is time for a PING. */
  get isLow(): boolean {
    return this.#sent + this.#sentBefore >= logsMax / 2;
  }

  /** Whether nothing more may be sent before a PING. */
  get isSpent(): boolean {
    return this.#sent + this.#sentBefore >= logsMax;
  }
}
