// What both ends of a round wrote down, each for itself: what was emitted and for whom, what arrived, and in which order.
// The clients are in a process of their own, and send their records over. It judges nothing: the checker does.
// Longer than other files: each thing that is written down, and how it is read again, are side by side.

/** A message of the server. Its number is its place among everything the server emitted in the round. */
export interface Message {
  readonly number: number;
  /** Such as `to room b, 1024 characters`. */
  readonly what: string;
  readonly atMs: number;
}

/**
 * A client in one namespace, from the server's event `connection` to its `disconnect`: the life of a socket's id. What
 * was emitted for it between these two is expected.
 */
export interface Epoch {
  readonly id: string;
  readonly seat: Seat;
  /** Numbers of the messages for it, as emitted. */
  readonly expected: number[];
  /** Numbers of the volatile ones, which need not arrive. */
  readonly optional: Set<number>;
  /** Numbers of the client's events that the server handled. */
  readonly handled: number[];
  /** Whether the client was told of it. If the answer to its HELLO was lost, it may never be, and then takes another. */
  entered: boolean;
  /** Why it ended, by the server. */
  end: string | undefined;
}

/** What the client was told when a namespace was connected anew. */
export interface Telling {
  /** Why the session before was not resumed. */
  readonly reason: string | undefined;
  /** How many of its events were given up. */
  readonly unconfirmed: number;
}

/** A client's place in one namespace, across its epochs. */
export interface Seat {
  readonly client: Client;
  readonly namespace: string;
  /** As the server opened them. */
  readonly epochs: Epoch[];
  /** The one that the client takes itself to be in. */
  current: Epoch | undefined;
  readonly tellings: Telling[];
  /** Number of the last event that the client emitted. */
  sent: number;
  readonly handledVolatile: number[];
  /** The client's questions, by their numbers. */
  readonly asks: Map<number, Ask>;
}

/** How the clients' process names a seat. */
export interface SeatName {
  readonly client: string;
  readonly namespace: string;
}

/** What the clients write down, in the order in which it happened to them. */
export type ClientRecord =
  | readonly ['note', client: string, text: string, atMs: number]
  | readonly ['breach', seat: SeatName, text: string]
  | readonly ['connected', seat: SeatName, id: string, info: Telling & { readonly recovered: boolean }]
  | readonly ['received', seat: SeatName, id: string | undefined, number: number]
  | readonly ['sent', seat: SeatName, number: number]
  | readonly ['asked', seat: SeatName, number: number]
  | readonly ['settled', seat: SeatName, number: number, outcome: string];

export interface Client {
  readonly name: string;
  readonly seats: Seat[];
  /** Everything it got, as it came. */
  readonly received: Arrival[];
  /** What happened to it and its cable. */
  readonly diary: { readonly atMs: number; readonly text: string }[];
}

export interface Arrival {
  /** Undefined for a socket id that the server never had. */
  readonly epoch: Epoch | undefined;
  readonly number: number;
}

/** A question, by either side, whose answer is its own number. */
export interface Ask {
  readonly by: 'client' | 'server';
  readonly seat: Seat;
  /** The socket that was asked. Undefined if a client asks. */
  readonly epoch: Epoch | undefined;
  readonly number: number;
  /** `right`, or the code of an error, or what else came. Undefined while it waits. */
  outcome: string | undefined;
}

export class Ledger {
  readonly clients: Client[] = [];
  readonly messages = new Map<number, Message>();
  readonly asks: Ask[] = [];
  /** What must not happen at all: an end that broke the protocol, a handler that failed. */
  readonly breaches: { readonly who: string; readonly text: string }[] = [];
  /** Grows with everything that arrives. */
  progress = 0;
  /** Deliveries that are expected and have not come, of all open epochs that clients are in. */
  owed = 0;
  /** Messages that came, whether or not they should. */
  deliveries = 0;
  /** Events of clients that the server handled. */
  handledCount = 0;
  readonly #epochs = new Map<string, Epoch>();
  readonly #arrived = new Map<Epoch, number>();
  readonly #now: () => number;

  /** @param now milliseconds, from anywhere */
  constructor(now: () => number) {
    this.#now = now;
  }

  addClient(name: string, namespaces: readonly string[]): Client {
    const client: Client = { name, seats: [], received: [], diary: [] };
    for (const namespace of namespaces) {
      client.seats.push({
        client,
        namespace,
        epochs: [],
        current: undefined,
        tellings: [],
        sent: 0,
        handledVolatile: [],
        asks: new Map(),
      });
    }
    this.clients.push(client);
    return client;
  }

  client(name: string): Client {
    const client = this.clients.find((candidate) => candidate.name === name);
    if (client === undefined) throw new Error(`"${name}" is no client of this round`);
    return client;
  }

  seat({ client: name, namespace }: SeatName): Seat {
    const seat = this.client(name).seats.find((candidate) => candidate.namespace === namespace);
    if (seat === undefined) throw new Error(`"${namespace}" is no namespace of this round`);
    return seat;
  }

  #note(client: Client, text: string): void {
    client.diary.push({ atMs: this.#now(), text });
  }

  breach(who: string, text: string): void {
    this.breaches.push({ who, text });
  }

  // The server's.

  opened(seat: Seat, id: string): Epoch {
    const epoch: Epoch = { id, seat, expected: [], optional: new Set(), handled: [], entered: false, end: undefined };
    seat.epochs.push(epoch);
    this.#epochs.set(id, epoch);
    this.#note(seat.client, `${seat.namespace}: the server has a new socket ${id}`);
    return epoch;
  }

  closed(epoch: Epoch, reason: string): void {
    epoch.end = reason;
    if (epoch.entered) this.owed -= this.#missing(epoch);
    this.#note(epoch.seat.client, `${epoch.seat.namespace}: the server ended socket ${epoch.id}: ${reason}`);
  }

  /** @returns the number of the message, which it carries */
  emitted(what: string, audience: Iterable<Epoch>, isVolatile = false): number {
    const number = this.messages.size + 1;
    this.messages.set(number, { number, what, atMs: this.#now() });
    for (const epoch of audience) {
      if (isVolatile) epoch.optional.add(number);
      else {
        epoch.expected.push(number);
        if (epoch.entered && epoch.end === undefined) this.owed++;
      }
    }
    return number;
  }

  handled(epoch: Epoch, number: number): void {
    epoch.handled.push(number);
    this.handledCount++;
    this.progress++;
  }

  handledVolatile(epoch: Epoch, number: number): void {
    epoch.seat.handledVolatile.push(number);
    this.handledCount++;
    this.progress++;
  }

  // The client's.

  connected(
    seat: Seat,
    id: string,
    { reason, unconfirmed, recovered }: Telling & { readonly recovered: boolean },
  ): void {
    const epoch = this.#epochs.get(id);
    const { client, namespace } = seat;
    this.#note(
      client,
      `${namespace}: connected as ${id}, ${recovered ? 'recovered' : `new (${reason ?? 'no reason'})`}`,
    );
    if (!recovered) seat.tellings.push({ reason, unconfirmed });
    else if (epoch !== seat.current) this.breach(client.name, `${namespace}: recovered as another socket, ${id}`);
    if (epoch === undefined) this.breach(client.name, `${namespace}: connected as ${id}, which the server never had`);
    else if (!epoch.entered) {
      epoch.entered = true;
      if (epoch.end === undefined) this.owed += this.#missing(epoch);
    }
    seat.current = epoch;
    this.progress++;
  }

  received(seat: Seat, id: string | undefined, number: number): void {
    const epoch = this.#epochs.get(id ?? '');
    seat.client.received.push({ epoch, number });
    this.progress++;
    this.deliveries++;
    if (epoch === undefined || epoch.optional.has(number)) return;
    this.#arrived.set(epoch, (this.#arrived.get(epoch) ?? 0) + 1);
    if (epoch.end === undefined) this.owed--;
  }

  /** Takes over what the clients wrote down, in their process. */
  copy(records: readonly ClientRecord[]): void {
    for (const record of records) this.#copyOne(record);
  }

  #copyOne(record: ClientRecord): void {
    const [kind] = record;
    switch (kind) {
      case 'note':
        this.client(record[1]).diary.push({ atMs: record[3], text: record[2] });
        return;
      case 'breach':
        this.breach(record[1].client, `${record[1].namespace}: ${record[2]}`);
        return;
      case 'connected':
        this.connected(this.seat(record[1]), record[2], record[3]);
        return;
      case 'received':
        this.received(this.seat(record[1]), record[2], record[3]);
        return;
      case 'sent':
        this.seat(record[1]).sent = record[2];
        return;
      case 'asked': {
        const seat = this.seat(record[1]);
        seat.sent = record[2];
        seat.asks.set(record[2], this.asked('client', seat, undefined, record[2]));
        return;
      }
      case 'settled': {
        const ask = this.seat(record[1]).asks.get(record[2]);
        if (ask === undefined) throw new Error(`nobody asked ${record[2]}`);
        this.settled(ask, record[3]);
        return;
      }
      default:
        kind satisfies never;
    }
  }

  // Either's.

  asked(by: Ask['by'], seat: Seat, epoch: Epoch | undefined, number: number): Ask {
    const ask: Ask = { by, seat, epoch, number, outcome: undefined };
    this.asks.push(ask);
    return ask;
  }

  settled(ask: Ask, outcome: string): void {
    ask.outcome = outcome;
    this.progress++;
  }

  /** Whether every client is in a socket of the server's and has the last message for it, and nothing waits. */
  get isAtRest(): boolean {
    return this.asks.every(isSettled) && this.clients.every(isAtRest);
  }

  #missing(epoch: Epoch): number {
    return epoch.expected.length - (this.#arrived.get(epoch) ?? 0);
  }
}

/** @returns what is written down of the answer to a question, which is to be its number */
export async function outcomeOf(answer: Promise<unknown>, number: number): Promise<string> {
  try {
    const value = await answer;
    return value === number ? 'right' : `answered ${String(value)}`;
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error);
  }
}

/** Nobody is there to answer what was asked of a socket that its client never knew of. */
function isSettled({ outcome, epoch }: Ask): boolean {
  return outcome !== undefined || epoch?.entered === false;
}

function isAtRest({ seats, received }: Client): boolean {
  return seats.every(({ current, sent }) => {
    if (current === undefined || current.end !== undefined) return false;
    const last = current.expected.at(-1);
    const hasLast =
      last === undefined ||
      received.findLast(({ epoch, number }) => epoch === current && number === last) !== undefined;
    return hasLast && (sent === 0 || current.handled.at(-1) === sent);
  });
}
