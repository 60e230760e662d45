// One client of a run: what it says, what it hears, and what it writes down of it.
import { connect, type Socket } from '@halyard/client';
import type { Random } from '@halyard/harness/random';
import { nowMs } from '../client-traffic';
import { outcomeOf } from '../ledger';
import { last, rooms, type Setup, setupOf } from './plan';
import { type ClientRecord, type EventKind, mail } from './records';

/** How often each is drawn. */
const kinds: readonly EventKind[] = [
  ...(['echo', 'echo', 'echo', 'say', 'say', 'order', 'order', 'direct', 'direct', 'slow', 'slow'] as const),
  ...(['join', 'leave'] as const),
];

export class Person {
  readonly setup: Setup;
  readonly #socket: Socket;
  readonly #random: Random;
  readonly #write: (record: ClientRecord) => void;
  #sent = 0;
  #waiting = 0;
  #heard = 0;
  #isLeaving = false;
  /** Where it has had the last word. */
  readonly #last = new Set<string>();
  /** A room that it has joined for a while. */
  #guestIn: string | undefined;

  constructor(number: number, port: number, random: Random, write: (record: ClientRecord) => void) {
    this.setup = setupOf(number);
    this.#random = random;
    this.#write = write;
    const { name, codec, transports, rooms: its } = this.setup;
    this.#socket = connect(`http://127.0.0.1:${port}`, {
      auth: { client: name, rooms: [...its] },
      codec: codec(),
      transports: transports(),
      reconnect: { delayMinMs: 200, delayMaxMs: 2_000 },
      connectTimeoutMs: 5_000,
      ackTimeoutMs: Infinity,
      autoConnect: false,
    });
    this.#socket.on('connect', ({ recovered, reason }) => {
      // A new session is in no room but those that it always is in.
      if (!recovered) this.#guestIn = undefined;
      write(['connected', name, this.#socket.id ?? '', recovered, reason, nowMs()]);
    });
    this.#socket.on('disconnect', ({ code, reason, willReconnect }) => {
      write(['lost', name, `${code} ${reason}`, nowMs()]);
      if (!willReconnect && !this.#isLeaving) write(['breach', name, `closed for good, ${code} ${reason}`]);
    });
    this.#socket.connection.on('state', ({ to, reason }) => {
      if (to === 'open' && reason === 'moved') write(['moved', name, nowMs()]);
    });
    this.#socket.on('connect_error', ({ message }) => write(['failed', name, message, nowMs()]));
    this.#socket.on('error', (error) => write(['breach', name, String(error)]));
    this.#socket.on('say', (from: string, id: string) => {
      write(['got', name, from, id]);
      this.#heard++;
      if (id === last) this.#last.add(from);
    });
  }

  open(): void {
    this.#socket.connect();
  }

  get id(): string | undefined {
    return this.#socket.id;
  }

  get connected(): boolean {
    return this.#socket.connected;
  }

  /** How many of its questions have no answer. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Grows with everything that happens. */
  get progress(): number {
    return this.#heard + this.#sent - this.#waiting;
  }

  /** Whether all that was said before the last word has come. */
  get isAtRest(): boolean {
    return this.#last.has(mail) && this.setup.rooms.every((room) => this.#last.has(room));
  }

  /** Says one thing. @param peers whom it may be said to */
  talk(peers: readonly Person[]): void {
    const kind = this.#random.pick(kinds);
    switch (kind) {
      case 'say':
      case 'order':
        void this.#ask(
          kind,
          this.#random.pick([...this.setup.rooms, this.#guestIn ?? (this.setup.rooms[0] as string)]),
        );
        return;
      case 'direct': {
        const to = this.#random.pick(peers).id;
        if (to !== undefined) void this.#ask(kind, to);
        return;
      }
      case 'join': {
        const room = this.#random.pick(rooms);
        if (this.#guestIn !== undefined || this.setup.rooms.includes(room)) return;
        this.#guestIn = room;
        void this.#ask(kind, room);
        return;
      }
      case 'leave':
        if (this.#guestIn !== undefined) void this.#ask(kind, this.#guestIn);
        this.#guestIn = undefined;
        return;
      default:
        void this.#ask(kind, '');
    }
  }

  /** Shows that it is back. @param at when a server was killed */
  async probe(kill: number, at: number): Promise<void> {
    await this.#ask('echo', '');
    this.#write(['back', this.setup.name, kill, Math.round(nowMs() - at)]);
  }

  close(): void {
    this.#isLeaving = true;
    this.#socket.connection.close();
  }

  async #ask(kind: EventKind, what: string): Promise<void> {
    const number = ++this.#sent;
    this.#write(['sent', this.setup.name, number, kind, what]);
    this.#waiting++;
    const outcome = await outcomeOf(this.#socket.emitWithAck(kind, number, what), number);
    this.#waiting--;
    this.#write(['settled', this.setup.name, number, outcome]);
  }
}
