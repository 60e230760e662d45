// What the clients of a round say and hear, drawn from a seed, and what they write down of it.
import { setTimeout as delay } from 'node:timers/promises';
import type { Socket } from '@halyard/client';
import type { Random } from '@halyard/harness/random';
import { type ClientRecord, outcomeOf, type SeatName } from './ledger';

const asksMax = 200;
const pad = 'x'.repeat(100);

interface Speaker {
  readonly seat: SeatName;
  readonly socket: Socket;
  sent: number;
  sentVolatile: number;
}

export class ClientTraffic {
  readonly #write: (record: ClientRecord) => void;
  /** The script. */
  readonly #random: Random;
  /** For what depends on when something arrives: it must not disturb the script. */
  readonly #reactions: Random;
  readonly #speakers: Speaker[] = [];
  /** Questions that wait. */
  #asks = 0;

  constructor(write: (record: ClientRecord) => void, random: Random, reactions: Random) {
    this.#write = write;
    this.#random = random;
    this.#reactions = reactions;
  }

  add(seat: SeatName, socket: Socket): void {
    const { client, namespace } = seat;
    const write = this.#write;
    const speaker: Speaker = { seat, socket, sent: 0, sentVolatile: 0 };
    this.#speakers.push(speaker);
    socket.on('connect', ({ recovered, reason, unconfirmed }) => {
      write(['connected', seat, socket.id ?? '', { recovered, reason, unconfirmed }]);
    });
    socket.on('disconnect', ({ code, reason, willReconnect }) => {
      write(['note', client, `${namespace}: disconnected, ${code} ${reason}`, nowMs()]);
      if (!willReconnect) write(['breach', seat, `closed for good, ${code} ${reason}`]);
    });
    socket.on('error', (error) => write(['breach', seat, String(error)]));
    socket.on('say', (number) => {
      write(['received', seat, socket.id, number]);
      // What clients send while they are sent a lot keeps connections alive that a host has given up.
      if (this.#reactions.chance(0.05)) this.#emit(speaker);
    });
    socket.on('ask', (number) => {
      write(['received', seat, socket.id, number]);
      return this.#reactions.chance(0.2) ? delay(this.#reactions.int(50), number) : number;
    });
  }

  async run(stopped: () => boolean): Promise<void> {
    const random = this.#random;
    while (!stopped()) {
      const speaker = random.pick(this.#speakers);
      const kind = random.int(10);
      if (kind < 6) for (let count = 1 + random.int(4); count > 0; count--) this.#emit(speaker);
      else if (kind < 8 && this.#asks < asksMax) void this.#ask(speaker);
      else this.#emitVolatile(speaker);
      await delay(random.int(4));
    }
  }

  /** A last question of each: everything before it was handled when it is answered. */
  sayLast(): void {
    for (const speaker of this.#speakers) void this.#sayLastOf(speaker);
  }

  async #sayLastOf(speaker: Speaker): Promise<void> {
    // What was given up with a session is said again.
    while ((await this.#ask(speaker)) === 'ERR_SESSION_LOST');
  }

  #emit(speaker: Speaker): void {
    try {
      speaker.socket.emit('emit', speaker.sent + 1, pad);
    } catch (error) {
      this.#write(['breach', speaker.seat, `emit threw ${String(error)}`]);
      return;
    }
    this.#write(['sent', speaker.seat, ++speaker.sent]);
  }

  async #ask(speaker: Speaker): Promise<string> {
    const { seat, socket } = speaker;
    const number = ++speaker.sent;
    this.#write(['asked', seat, number]);
    this.#asks++;
    const outcome = await outcomeOf(socket.emitWithAck('ask', number), number);
    this.#asks--;
    this.#write(['settled', seat, number, outcome]);
    return outcome;
  }

  #emitVolatile(speaker: Speaker): void {
    speaker.socket.volatile.emit('volatile', ++speaker.sentVolatile);
  }
}

/** Milliseconds by the same clock in every process. */
export function nowMs(): number {
  return performance.timeOrigin + performance.now();
}
