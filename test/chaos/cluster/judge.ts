// Judges a run by what its processes have written down, each for itself.
//
// A room has one order: everybody who was in it for the whole run has the same messages in the same order, each once, and who came for
// a while has a piece of that without a hole. What was told to be stored is there, and what a server has emitted that was not killed;
// what one was killed with may be there or not, for all alike. An event of a client is handled until its handler has settled, and only
// with `redelivered` more than once; what it says is then there once where it has a key or goes with the event in one commit. A session
// that does not go on is told, with a reason; then what came behind its end is not missed.
import type { Fault, FaultKind } from '../checker';
import type { Books, ClientBook } from './books';
import { type Look, rooms, setupOf } from './plan';
import { mail, own } from './records';

export interface JudgeOptions {
  /** Kills after which everybody is to be back soon. */
  readonly timed: ReadonlySet<number>;
  readonly backMsMax: number;
  /** So many clients come back in one second at the most. */
  readonly returnsMax: number;
  /** What each server knew of who was there when all had come to rest, and when all clients had gone. */
  readonly atRest: readonly Look[];
  readonly atEnd: readonly Look[];
}

export interface Verdict {
  readonly faults: readonly Fault[];
  /** Times a client was told that its session was not resumed, by reason. */
  readonly told: ReadonlyMap<string, number>;
}

export function judge(books: Books, options: JudgeOptions): Verdict {
  return new Judge(books, options).verdict();
}

/** How many of a kind are told of one client or room. */
const shownMax = 3;

class Judge {
  readonly #books: Books;
  readonly #options: JudgeOptions;
  readonly #faults: Fault[] = [];
  readonly #told = new Map<string, number>();
  /** Members of each room that were in it for the whole run, with what they have got of it. */
  readonly #orders = new Map<string, readonly string[]>();

  constructor(books: Books, options: JudgeOptions) {
    this.#books = books;
    this.#options = options;
  }

  verdict(): Verdict {
    const { clients, breaches } = this.#books;
    for (const room of rooms) this.#checkRoom(room);
    for (const client of clients.values()) {
      this.#checkGuest(client);
      this.#checkStays(client);
      this.#checkEvents(client);
      this.#checkOwn(client);
      this.#checkMail(client);
      this.#checkBack(client);
    }
    this.#checkPresence();
    this.#checkReturns();
    for (const [who, text] of breaches) this.#add('broken', who, text);
    return { faults: this.#faults, told: this.#told };
  }

  /** One order for all who were always there, and in it what is due. */
  #checkRoom(room: string): void {
    const all = this.#books.clients.values();
    const members = [...all].filter(
      ({ name, stays }) => stays.length === 1 && setupOf(numberOf(name)).rooms.includes(room),
    );
    const orders = members.map(({ name, stays }) => [name, once(stays[0]?.got.get(room) ?? [])] as const);
    const [longest, ids] = orders.reduce(
      (most, order) => (order[1].length > most[1].length ? order : most),
      ['nobody', [] as readonly string[]],
    );
    if (members.length > 0) this.#orders.set(room, ids);
    const places = new Map(ids.map((id, place) => [id, place]));
    for (const [name, its] of orders) {
      const here = new Set(its);
      const missing = ids.filter((id) => !here.has(id));
      const other = its.filter((id) => !places.has(id));
      this.#some('lost', name, missing, (id) => `${id} of ${room} did not come, as it did to ${longest}`);
      this.#some('lost', longest, other, (id) => `${id} of ${room} did not come, as it did to ${name}`);
      const late = its.filter((id, i) => i > 0 && (places.get(id) ?? 0) < (places.get(its[i - 1] as string) ?? 0));
      this.#some('reordered', name, late, (id) => `${id} of ${room} came otherwise than to ${longest}`);
    }
    if (members.length === 0) return;
    const said = this.#books.said.get(room) ?? new Set();
    this.#some(
      'misdelivered',
      room,
      [...places.keys()].filter((id) => !said.has(id)),
      (id) => `${id} was never said`,
    );
    const lost = [...said].filter((id) => this.#books.due.has(id) && !places.has(id));
    this.#some('lost', room, lost, (id) => `${id} was stored, and came to nobody`);
    this.#checkServers(room, ids);
  }

  /** What one server has said comes in its order. */
  #checkServers(room: string, ids: readonly string[]): void {
    const newest = new Map<string, number>();
    const late: string[] = [];
    for (const id of ids) {
      const [node = '', number] = id.split('#');
      if (number === undefined) continue;
      if (Number(number) < (newest.get(node) ?? 0)) late.push(id);
      newest.set(node, Number(number));
    }
    this.#some('reordered', room, late, (id) => `${id} came after what its server said later`);
  }

  /** A piece of the order of the room for each stay, once each, and without a hole. */
  #checkGuest({ name, stays, sent }: ClientBook): void {
    for (const [i, { got }] of stays.entries()) {
      for (const [from, ids] of got) {
        const doubled = ids.filter((id, place) => ids.indexOf(id) !== place);
        this.#some('doubled', name, doubled, (id) => `${id} of ${from} came again`);
      }
      const visits = [...sent.values()].filter(({ kind, stay }) => kind === 'join' && stay === i + 1);
      for (const room of new Set(visits.map(({ what }) => what))) {
        // Who comes twice has two pieces.
        if (visits.filter(({ what }) => what === room).length > 1) continue;
        this.#checkPiece(name, room, got.get(room) ?? []);
      }
    }
  }

  #checkPiece(name: string, room: string, ids: readonly string[]): void {
    const order = this.#orders.get(room);
    if (order === undefined) return;
    const from = order.indexOf(ids[0] ?? '');
    const due = order.slice(from, from + ids.length);
    const wrong = from < 0 ? [] : due.filter((id, i) => id !== ids[i]).slice(0, 1);
    this.#some('lost', name, wrong, (id) => `${id} of ${room} did not come in its place, to who was there for a while`);
  }

  #checkStays({ name, stays }: ClientBook): void {
    for (const [i, { socket, reason }] of stays.entries()) {
      if (i > 0 && !reason) this.#add('untold', name, `began anew without a reason, as ${socket}`);
      if (i > 0) this.#told.set(reason ?? '', (this.#told.get(reason ?? '') ?? 0) + 1);
      const known = this.#books.sockets.get(socket);
      if (known === undefined) {
        this.#add('broken', name, `was connected as ${socket}, which no server had`);
        continue;
      }
      const { fresh, over, expired } = known;
      if (fresh > 1) this.#add('doubled', name, `${socket} was new ${fresh} times`);
      if (over.length > 1) this.#add('doubled', name, `${socket} was over ${over.length} times`);
      if (i === stays.length - 1 && over.length + expired === 0) this.#add('ghost', name, `${socket} was never over`);
      const other = over.find(({ by }) => by !== 'client');
      if (i === stays.length - 1 && other)
        this.#add('untold', name, `${socket} was ended behind its back: ${other.text}`);
    }
  }

  /** Every server knows who is there, and in which rooms; each socket is at one of them; and nobody is there any more at the end. */
  #checkPresence(): void {
    const { atRest, atEnd } = this.#options;
    const due = new Map<string, readonly string[]>();
    for (const client of this.#books.clients.values()) due.set(client.stays.at(-1)?.socket ?? '', roomsOf(client));
    const counts = new Map(rooms.map((room) => [room, [...due.values()].filter((its) => its.includes(room)).length]));
    for (const [i, look] of atRest.entries()) {
      const who = `server ${i}`;
      this.#compare(who, look, due);
      for (const [room, count] of counts) {
        const told = look.counts[room];
        if (told !== count) this.#add('ghost', who, `counts ${told} in ${room}, where ${count} are`);
      }
    }
    const present = atRest.flatMap((look) => look.present);
    const twice = present.filter((id, i) => present.indexOf(id) !== i);
    this.#some('ghost', 'two servers', twice, (id) => `take ${id} for theirs`);
    const away = [...due.keys()].filter((id) => !present.includes(id));
    this.#some('lost', 'no server', away, (id) => `was told of ${id}, which is there`);
    for (const [i, look] of atEnd.entries()) {
      this.#compare(`server ${i} at the end`, look, new Map());
      this.#some('ghost', `server ${i} at the end`, look.present, (id) => `takes ${id} for present`);
    }
  }

  #checkReturns(): void {
    const { returnsMax } = this.#options;
    const most = mostInASecond(this.#books.returns);
    if (most > returnsMax)
      this.#add('late', 'all', `${most} came back in one second, and ${returnsMax} are to be the most`);
  }

  #compare(who: string, { sockets, missing }: Look, due: ReadonlyMap<string, readonly string[]>): void {
    this.#some('broken', who, missing, (node) => `misses the answer of ${node}`);
    const ghosts = Object.keys(sockets).filter((id) => !due.has(id));
    this.#some('ghost', who, ghosts, (id) => `lists ${id}, which is not there`);
    for (const [id, its] of due) {
      const told = sockets[id];
      if (told === undefined) this.#some('lost', who, [id], () => `does not list ${id}`);
      else if (told.toSorted().join() !== its.toSorted().join()) {
        this.#add('ghost', who, `has ${id} in ${told.join(', ')}, and it is in ${its.join(', ')}`);
      }
    }
  }

  #checkEvents({ name, sent, stays }: ClientBook): void {
    const unhandled: number[] = [];
    for (const [number, { outcome, kind }] of sent) {
      const key = `${name}/${number}`;
      const { fresh = 0, done = 0, cut = 0 } = this.#books.handled.get(key) ?? {};
      if (fresh > 1)
        this.#add('doubled', name, `its event ${number} (${kind}) was handled ${fresh} times, and not told so`);
      const mayBeLost = outcome === 'ERR_SESSION_LOST' && stays.length > 1;
      if (outcome !== 'right' && !mayBeLost) {
        this.#add('unanswered', name, `its event ${number} (${kind}): ${outcome ?? 'no answer'}`);
      }
      if (done === 0 && (outcome === 'right' || (cut > 0 && !mayBeLost))) unhandled.push(number);
      if (kind === 'say' && outcome === 'right') this.#checkSaid(name, number);
    }
    this.#some('lost', name, unhandled, (number) => `its event ${number} was not handled to its end`);
  }

  /** What was said to a room for an event that was handled, in plain: each time that it was handled, at least the last time. */
  #checkSaid(name: string, number: number): void {
    const said = this.#books.saidFor.get(`${name}/${number}`) ?? [];
    // Where nobody was for the whole run it is not known.
    const isThere = said.some(([room, id]) => this.#orders.get(room)?.includes(id) ?? true);
    if (!isThere) this.#add('lost', name, `what was said for its event ${number} came to nobody: ${said.join(', ')}`);
  }

  /** What is said to the client as its event is handled is of one commit with that: once, and in order. */
  #checkOwn({ name, stays, sent }: ClientBook): void {
    const got = stays.flatMap((stay) => stay.got.get(own) ?? []).map(Number);
    const here = new Set(got);
    const due = [...sent].flatMap(([number, { kind, outcome }]) =>
      kind === 'echo' && outcome === 'right' ? [number] : [],
    );
    const lost = due.filter((number) => !here.has(number));
    this.#some('lost', name, lost, (number) => `what was said to it for its event ${number} did not come`);
    const late = got.filter((number, i) => i > 0 && number < (got[i - 1] as number));
    this.#some('reordered', name, late, (number) => `what was said to it for its event ${number} came late`);
  }

  /** What others have had said to it, and were told that it is stored. */
  #checkMail({ name, sent }: ClientBook): void {
    const lost: string[] = [];
    for (const [number, { kind, what, outcome }] of sent) {
      if (kind !== 'direct' || outcome !== 'right') continue;
      const stay = this.#stays.get(what);
      if (stay?.isLast && !stay.got.has(`${name}/${number}`)) lost.push(`${number} to ${stay.name}`);
    }
    this.#some('lost', name, lost, (text) => `its message ${text} did not come`);
  }

  #checkBack({ name, back }: ClientBook): void {
    const { timed, backMsMax } = this.#options;
    for (const [kill, afterMs] of back) {
      if (timed.has(kill) && afterMs > backMsMax) {
        this.#add('late', name, `was back ${afterMs} ms after the server number ${kill} was killed`);
      }
    }
  }

  #cached:
    | Map<string, { readonly name: string; readonly got: ReadonlySet<string>; readonly isLast: boolean }>
    | undefined;

  /** By socket: whose it is, what came by mail, and whether it is there at the end. */
  get #stays() {
    if (this.#cached !== undefined) return this.#cached;
    this.#cached = new Map();
    for (const { name, stays } of this.#books.clients.values()) {
      for (const [i, { socket, got }] of stays.entries()) {
        this.#cached.set(socket, { name, got: new Set(got.get(mail)), isLast: i === stays.length - 1 });
      }
    }
    return this.#cached;
  }

  #some<Item>(kind: FaultKind, who: string, items: readonly Item[], text: (item: Item) => string): void {
    for (const item of items.slice(0, shownMax)) this.#add(kind, who, text(item));
    if (items.length > shownMax) this.#add(kind, who, `and ${items.length - shownMax} more of these`);
  }

  #add(kind: FaultKind, who: string, text: string): void {
    this.#faults.push({ kind, who, text, context: [] });
  }
}

/** @param times in milliseconds */
export function mostInASecond(times: readonly number[]): number {
  const seconds = new Map<number, number>();
  for (const at of times) seconds.set(Math.floor(at / 1_000), (seconds.get(Math.floor(at / 1_000)) ?? 0) + 1);
  return Math.max(0, ...seconds.values());
}

/** @returns a list without what comes again in it */
function once(ids: readonly string[]): readonly string[] {
  return [...new Set(ids)];
}

function numberOf(name: string): number {
  return Number(name.slice(1));
}

/** Where a client is at the end: where it always is, and what it has joined since. */
function roomsOf({ name, stays, sent }: ClientBook): readonly string[] {
  const its = new Set(setupOf(numberOf(name)).rooms);
  for (const { kind, what, stay } of sent.values()) {
    if (stay !== stays.length) continue;
    if (kind === 'join') its.add(what);
    if (kind === 'leave') its.delete(what);
  }
  return [...its];
}
