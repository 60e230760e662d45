// What each client and the server are due, by the words of README.md and docs/PROTOCOL.md: once, in order, only to members, never
// to the excepted. It knows nothing of how that is done. Every delivery is held against it at once.

/** A delivery, or the want of one, that breaks the promise. */
export class Broken extends Error {
  override readonly name = 'Broken';
}

/** What was emitted to one socket, in order. */
interface Due {
  readonly names: string[];
  delivered: number;
  /** What has not come, and later ones have: the client had left. */
  readonly skipped: string[];
  readonly volatile: string[];
  /** The newest of each key of which only that matters, … */
  readonly latest: Map<string, string>;
  /** … and those before it: they may be left out, and never come behind what is behind them. */
  readonly replaced: Set<string>;
  /** How many of the volatile ones are behind it: delivered, or dropped. */
  passed: number;
  dropped: number;
}

/** What one client has said in one namespace. */
interface Said {
  readonly names: Map<string, number>;
  readonly handled: Set<string>;
  /** What need not be handled. */
  readonly spared: Set<string>;
  last: number;
  /** How many of them were said to a session that goes on without the client: they come among what is said since. */
  apart: number;
}

export class Model {
  /** Every socket there ever was on a server, and which rooms it is in. */
  readonly sockets = new Map<string, { readonly namespace: string; readonly rooms: Set<string> }>();
  /** How many never came because a newer one has taken their place. */
  replaced = 0;
  /** Whether a server may be lost: then what was not settled is handled again, and said so. */
  #repeats: boolean;
  readonly #due = new Map<string, Due>();
  readonly #said = new Map<string, Said>();

  constructor(repeats: boolean) {
    this.#repeats = repeats;
  }

  /** The server is started anew: it does not know what was handled of those that were not told of their sessions. */
  restarted(): void {
    this.#repeats = true;
  }

  /** Something was emitted to a socket of the server. */
  emitted(socket: string, name: string): void {
    this.#dueTo(socket).names.push(name);
  }

  /** The same, and what was emitted to it before under the same key need not come any more. */
  emittedLatest(socket: string, name: string, key: string): void {
    const { latest, replaced } = this.#dueTo(socket);
    const before = latest.get(key);
    if (before !== undefined) replaced.add(before);
    latest.set(key, name);
    this.emitted(socket, name);
  }

  emittedVolatile(socket: string, name: string): void {
    this.#dueTo(socket).volatile.push(name);
  }

  /**
   * @param mayHaveLeft whether the client may have left with this socket: then nothing more is due to it
   * @throws Broken if it was not for that socket, comes again, or something before it has not come
   */
  arrived(socket: string, name: string, mayHaveLeft: boolean): void {
    const due = this.#dueTo(socket);
    for (let next = due.names[due.delivered]; next !== undefined && next !== name && due.replaced.has(next); ) {
      this.replaced++;
      next = due.names[++due.delivered];
    }
    const at = mayHaveLeft ? due.names.indexOf(name, due.delivered) : -1;
    if (at >= 0) {
      due.skipped.push(...due.names.slice(due.delivered, at));
      due.delivered = at;
    }
    const next = due.names[due.delivered];
    if (next !== name) throw new Broken(`${socket} got ${short(name)}, and is due ${short(next ?? 'nothing')}`);
    due.delivered++;
  }

  /** @throws Broken if it was not for that socket, or comes again or behind a later one */
  arrivedVolatile(socket: string, name: string): void {
    const due = this.#dueTo(socket);
    const at = due.volatile.indexOf(name, due.passed);
    if (at < 0) throw new Broken(`${socket} got the volatile ${name}, which is not for it, or too late`);
    due.dropped += at - due.passed;
    due.passed = at + 1;
  }

  said(client: string, name: string): void {
    const { names } = this.#saidBy(client);
    names.set(name, names.size);
  }

  /** A client has taken back what it said: it never left. */
  takenBack(client: string, name: string): void {
    this.#saidBy(client).spared.add(name);
  }

  /** @throws Broken if the client never said it, it was handled before, or something later was */
  handled(client: string, name: string, redelivered: boolean): void {
    const said = this.#saidBy(client);
    const at = said.names.get(name);
    if (at === undefined) throw new Broken(`${client} never said ${name}`);
    if (said.handled.has(name) && !(this.#repeats && redelivered)) throw new Broken(`${name} is handled again`);
    if (at < said.last && at >= said.apart && !this.#repeats) throw new Broken(`${name} is handled behind a later one`);
    said.handled.add(name);
    said.last = Math.max(said.last, at);
  }

  /** A client has left its session to itself, and begins another one. */
  parted(client: string): void {
    const said = this.#saidBy(client);
    said.apart = said.names.size;
  }

  /** What a client has said so far need not be handled. */
  forgive(client: string): void {
    for (const name of this.unhandled(client)) this.takenBack(client, name);
  }

  /** @returns what is missing of what a client has said */
  unhandled(client: string): string[] {
    const { names, handled, spared } = this.#saidBy(client);
    return [...names.keys()].filter((name) => !handled.has(name) && !spared.has(name));
  }

  /** @returns what a socket has not got */
  undelivered(socket: string): string[] {
    const { names, delivered, skipped, replaced } = this.#dueTo(socket);
    return [...skipped, ...names.slice(delivered)].filter((name) => !replaced.has(name));
  }

  /** How many volatile ones never came. */
  dropped(): number {
    let count = 0;
    for (const { volatile, passed, dropped } of this.#due.values()) count += dropped + volatile.length - passed;
    return count;
  }

  #dueTo(socket: string): Due {
    let due = this.#due.get(socket);
    if (due === undefined) {
      due = {
        names: [],
        delivered: 0,
        skipped: [],
        volatile: [],
        latest: new Map(),
        replaced: new Set(),
        passed: 0,
        dropped: 0,
      };
      this.#due.set(socket, due);
    }
    return due;
  }

  #saidBy(client: string): Said {
    let said = this.#said.get(client);
    if (said === undefined) {
      said = { names: new Map(), handled: new Set(), spared: new Set(), last: -1, apart: 0 };
      this.#said.set(client, said);
    }
    return said;
  }
}

function short(name: string): string {
  return name.slice(0, 24);
}
