// What all processes of a run have written down, by what it is about. It judges nothing: the judge does.
import type { ClientRecord, EventKind, NodeRecord } from './records';

/** A session of a client, as the client was told of it. */
export interface Stay {
  readonly socket: string;
  /** Why the one before did not go on. */
  readonly reason: string | undefined;
  /** What came, by where it is from: a room, answers, other clients. */
  readonly got: Map<string, string[]>;
}

export interface Sent {
  readonly kind: EventKind;
  /** A room, or the socket that it is for. */
  readonly what: string;
  readonly stay: number;
  outcome: string | undefined;
}

export interface ClientBook {
  readonly name: string;
  readonly stays: Stay[];
  readonly sent: Map<number, Sent>;
  /** How long after which kill it was back, in milliseconds. */
  readonly back: Map<number, number>;
  resumes: number;
  /** How often it went over to another connection, unnoticed. */
  moves: number;
  /** Since when it is away. */
  lostAt: number | undefined;
}

/** An event of a client, as the servers have it. */
export interface Handled {
  begun: number;
  /** Of these, without being told that it may be again. */
  fresh: number;
  done: number;
  /** Begun by a server that was killed before it was done. */
  cut: number;
}

export interface SocketBook {
  /** How often it was new. */
  fresh: number;
  moved: number;
  readonly over: { readonly by: string; readonly text: string }[];
  expired: number;
}

export interface Books {
  readonly clients: Map<string, ClientBook>;
  /** By client and number. */
  readonly handled: Map<string, Handled>;
  readonly sockets: Map<string, SocketBook>;
  /** Ids of what was said, by room. */
  readonly said: Map<string, Set<string>>;
  /** What was said for an event of a client, in plain. */
  readonly saidFor: Map<string, (readonly [room: string, id: string])[]>;
  /** Ids of what has to come: it was told to be stored, or its server was not killed. */
  readonly due: Set<string>;
  readonly breaches: (readonly [who: string, text: string])[];
  /** When clients have come back, or have gone over to another connection. */
  readonly returns: number[];
  /** How long each time a client was away, in milliseconds. */
  readonly away: number[];
}

/** @param nodes records of each server process. @param clients records of each process of clients */
export function booksOf(
  nodes: readonly (readonly NodeRecord[])[],
  clients: readonly (readonly ClientRecord[])[],
): Books {
  const books: Books = {
    clients: new Map(),
    handled: new Map(),
    sockets: new Map(),
    said: new Map(),
    saidFor: new Map(),
    due: new Set(),
    breaches: [],
    returns: [],
    away: [],
  };
  for (const records of nodes) readNode(books, records);
  for (const records of clients) for (const record of records) readClient(books, record);
  return books;
}

function readNode({ handled, sockets, said, saidFor, due, breaches }: Books, records: readonly NodeRecord[]): void {
  let node = 'a server';
  const open = new Set<string>();
  const its = new Set<string>();
  const socketOf = (id: string): SocketBook => entry(sockets, id, () => ({ fresh: 0, moved: 0, over: [], expired: 0 }));
  const eventOf = (key: string): Handled => entry(handled, key, () => ({ begun: 0, fresh: 0, done: 0, cut: 0 }));
  for (const record of records) {
    switch (record[0]) {
      case 'up':
        node = record[1];
        break;
      case 'said':
        entry(said, record[1], () => new Set<string>()).add(record[2]);
        its.add(record[2]);
        if (record[3] !== undefined) entry(saidFor, record[3], () => []).push([record[1], record[2]]);
        break;
      case 'stored':
        due.add(record[1]);
        break;
      case 'begun': {
        const event = eventOf(`${record[1]}/${record[2]}`);
        event.begun++;
        if (!record[3]) event.fresh++;
        open.add(`${record[1]}/${record[2]}`);
        break;
      }
      case 'done':
        eventOf(`${record[1]}/${record[2]}`).done++;
        open.delete(`${record[1]}/${record[2]}`);
        break;
      case 'open':
        if (!record[3]) socketOf(record[1]).fresh++;
        break;
      case 'moved':
        socketOf(record[1]).moved++;
        break;
      case 'over':
        socketOf(record[1]).over.push({ by: record[2], text: record[3] });
        break;
      case 'expired':
        socketOf(record[1]).expired++;
        break;
      case 'breach':
        breaches.push([`server ${node}`, record[1]]);
        break;
      case 'pulse':
        break;
      case 'end':
        // What it has emitted was stored in the end.
        for (const id of its) due.add(id);
        open.clear();
        break;
      default:
        record satisfies never;
    }
  }
  for (const key of open) eventOf(key).cut++;
}

function readClient(books: Books, record: ClientRecord): void {
  const name = record[1];
  const client = entry(books.clients, name, () => ({
    ...{ name, stays: [], sent: new Map(), back: new Map(), resumes: 0, moves: 0 },
    lostAt: undefined,
  }));
  const stay = client.stays.at(-1);
  switch (record[0]) {
    case 'connected': {
      const [, , socket, recovered, reason, at] = record;
      if (client.lostAt !== undefined) {
        books.returns.push(at);
        books.away.push(at - client.lostAt);
        client.lostAt = undefined;
      }
      if (!recovered) client.stays.push({ socket, reason, got: new Map() });
      else if (stay?.socket !== socket) books.breaches.push([name, `recovered as another socket, ${socket}`]);
      if (recovered) client.resumes++;
      return;
    }
    case 'lost':
      client.lostAt ??= record[3];
      return;
    case 'moved':
      client.moves++;
      books.returns.push(record[2]);
      return;
    case 'failed':
      return;
    case 'sent':
      client.sent.set(record[2], { kind: record[3], what: record[4], stay: client.stays.length, outcome: undefined });
      return;
    case 'settled': {
      const sent = client.sent.get(record[2]);
      if (sent !== undefined) sent.outcome = record[3];
      return;
    }
    case 'got':
      if (stay === undefined) books.breaches.push([name, `got ${record[3]} before it was connected`]);
      else entry(stay.got, record[2], () => []).push(record[3]);
      return;
    case 'back':
      client.back.set(record[2], record[3]);
      return;
    case 'breach':
      books.breaches.push([name, record[2]]);
      return;
    default:
      record satisfies never;
  }
}

function entry<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}
