// What a client may never do, whatever a case is about: its numbers go on across the connections of a session, and what has one
// number is the same packet each time.
import { isDeepStrictEqual } from 'node:util';
import type { Tuple } from './line';
import { BrokenRule, isControl, isCounted, type Watch } from './talk';

/** Before WELCOME (docs/PROTOCOL.md §9). */
const helloWindow = { packets: 64, bytes: 65_536, pings: 4 };

/** What the server's side of a session has seen of its client. */
export class WatchedSession {
  /** How many counted packets it was sent. */
  sent = 0;
  /** How many of them it has confirmed. */
  received = 0;
  /** How many of its own it was told are handled. */
  confirmed = 0;
  generation = 0;
  /** The newest of its acks. */
  ack = 0;
  /** Namespaces that it may renew, and the acks of RENEWs that are not answered. */
  readonly renewable = new Set<unknown>();
  readonly renewals = new Map<unknown, unknown>();
  /** Its counted packets, by number. */
  readonly packets = new Map<number, Tuple>();

  get last(): number {
    return this.packets.size;
  }
}

export class ClientWatch implements Watch {
  readonly #begin: () => WatchedSession;
  #session: WatchedSession;
  #pings = 0;
  #hello: Tuple | undefined;
  #welcomed = false;
  /** A resume was refused, and RESET has not come. */
  #refused = false;
  /** Number of the last counted packet that came on this connection. */
  #number = 0;
  /** How many had come on earlier ones. */
  readonly #before: number;
  #window = { packets: helloWindow.packets, bytes: helloWindow.bytes };
  readonly #sizes = new Map<number, number>();

  /** @param begin makes the next session, and the watch of the next connection is given that */
  constructor(session: WatchedSession, begin: () => WatchedSession) {
    this.#session = session;
    this.#begin = begin;
    this.#before = session.last;
  }

  said(frame: Tuple): void {
    const [type] = frame;
    if (type === 1) this.#welcome(frame);
    else if (isCounted(frame)) {
      this.#session.sent++;
      this.#tellsRenewal(frame);
    } else if (isControl(frame)) this.#confirm(frame[1]);
  }

  saidRaw(): void {
    this.#session.sent = Number.POSITIVE_INFINITY;
  }

  heard(frame: Tuple, size: number): void {
    const [type] = frame;
    if (this.#hello === undefined) {
      if (type === 8 && ++this.#pings <= helloWindow.pings) return;
      if (type !== 0) throw new BrokenRule('§5.1', `${JSON.stringify(frame)} before HELLO`);
      this.#helloCame(frame);
    } else if (this.#refused) {
      // What left before WELCOME came was for the session before.
      if (type !== 14) return;
      this.#refused = false;
      this.#number = 0;
    } else if ([0, 1, 5, 11, 12, 14].includes(type as number))
      throw new BrokenRule('§4', `a client sends no packet of type ${type} here`);
    else if (isControl(frame)) this.#receives(frame[1]);
    else if (isCounted(frame)) this.#counted(frame, size);
  }

  #helloCame(hello: Tuple): void {
    this.#hello = hello;
    const [, , , resume, , generation, left] = hello;
    const session = this.#session;
    if (typeof generation === 'number' && generation !== 0) {
      if (generation <= session.generation)
        throw new BrokenRule('R6', `generation ${generation} behind ${session.generation}`);
      session.generation = generation;
    }
    if (Array.isArray(resume)) {
      this.#receives(resume[2]);
      const confirmed = Number(resume[3]);
      if (confirmed > session.confirmed)
        throw new BrokenRule('R3', `${confirmed} said to be confirmed, ${session.confirmed} were`);
      this.#number = confirmed;
    }
    if (typeof left === 'number' && left !== 0 && left < session.last)
      throw new BrokenRule('§4', `left is ${left}, and ${session.last} have come`);
  }

  #welcome(welcome: Tuple): void {
    this.#welcomed = true;
    const [, , , settings, received, recovered, reason] = welcome;
    const [, , , , , , packets, bytes] = settings as number[];
    this.#window = { packets: packets ?? 0, bytes: bytes ?? 0 };
    if (recovered === true) this.#confirm(received);
    else if (Array.isArray(this.#hello?.[3]) || reason) {
      this.#session = this.#begin();
      this.#refused = true;
    }
  }

  #confirm(received: unknown): void {
    if (typeof received === 'number') this.#session.confirmed = Math.max(this.#session.confirmed, received);
  }

  #receives(received: unknown): void {
    if (typeof received !== 'number') return;
    const session = this.#session;
    if (received > session.sent) throw new BrokenRule('§5.3', `${received} confirmed, ${session.sent} sent`);
    if (received < session.received) throw new BrokenRule('§5.3', `${received} confirmed, ${session.received} before`);
    session.received = received;
  }

  #counted(frame: Tuple, size: number): void {
    const session = this.#session;
    const number = ++this.#number;
    const before = session.packets.get(number);
    if (before !== undefined && !isDeepStrictEqual(before, frame))
      throw new BrokenRule('R4', `number ${number} was ${JSON.stringify(before)}, and is ${JSON.stringify(frame)} now`);
    session.packets.set(number, frame);
    const ack = frame[0] === 2 ? frame[4] : frame[0] === 15 ? frame[3] : undefined;
    if (before === undefined && typeof ack === 'number') {
      if (ack <= session.ack) throw new BrokenRule('§6', `ack ${ack} behind ack ${session.ack}`);
      session.ack = ack;
    }
    if (before === undefined && frame[0] === 15) this.#renews(frame);
    this.#sizes.set(number, size);
    if (number > this.#before) this.#checkWindow();
  }

  #renews([, namespace, , ack]: Tuple): void {
    const { renewable, renewals } = this.#session;
    if (!renewable.delete(namespace))
      throw new BrokenRule(
        '§5.11',
        `RENEW for ${namespace}, which has told no renewMs, or has not answered the last one`,
      );
    renewals.set(ack, namespace);
  }

  /** What the client is told of how long something lasts: in CONNECTED, and in the answers to RENEW. */
  #tellsRenewal([type, name, value, renewMs]: Tuple): void {
    const { renewable, renewals } = this.#session;
    if (type === 11 && typeof renewMs === 'number') renewable.add(name);
    if (!renewals.has(name)) return;
    if (type === 4 || (type === 3 && typeof value === 'number')) renewable.add(renewals.get(name));
    if (type === 3 || type === 4) renewals.delete(name);
  }

  #checkWindow(): void {
    const { packets, bytes } = this.#window;
    const open = [...this.#sizes].filter(([number]) => number > this.#session.confirmed);
    const sum = open.reduce((all, [, size]) => all + size, 0);
    if (open.length > 1 && (open.length > packets || sum > bytes))
      throw new BrokenRule('§5.10', `${open.length} packets, ${sum} bytes${this.#welcomed ? '' : ' before WELCOME'}`);
  }
}
