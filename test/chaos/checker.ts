// Judges a round by what both ends wrote down.
//
// An epoch begins with the server's event `connection` and ends with its `disconnect`. While it is open at the end of the
// round, everything expected must have arrived, once and in order. If it ended, the client must have been told by a
// `connect` with `recovered: false`; then what was emitted last may be missing, but nothing that is older than something
// that did arrive. An epoch that its client was never told of, because the answer to its HELLO was lost, is left behind:
// the client takes another, and is told of the loss there. Of a client's events as many may be missing as it was told
// were given up (`unconfirmed`), and only before the first one that is handled in an epoch: the first epoch too, if the
// answer to the first HELLO was lost with its session.
import type { Ask, Client, Epoch, Ledger, Seat } from './ledger';

export type FaultKind =
  | 'lost'
  | 'doubled'
  | 'reordered'
  /** To one that was excepted, or is not in the room, or not in this epoch. */
  | 'misdelivered'
  /** A session that ended, and its client was not told, or not why. */
  | 'untold'
  /** An acknowledgement that did not come, or was another's, or failed though the session lives. */
  | 'unanswered'
  /** Somebody is taken to be there who is not, or in a room. */
  | 'ghost'
  /** Took longer than is promised. */
  | 'late'
  /** The protocol was broken, or something of the library threw. */
  | 'broken';

export interface Fault {
  readonly kind: FaultKind;
  readonly who: string;
  readonly text: string;
  /** What came before and after. */
  readonly context: readonly string[];
}

export interface Verdict {
  readonly faults: readonly Fault[];
  /** Messages that were lost with a session whose client was told so. */
  readonly toldLosses: number;
  /** Times a client was told that its session was not resumed, by reason. */
  readonly told: ReadonlyMap<string, number>;
}

export function check(ledger: Ledger): Verdict {
  return new Checker(ledger).verdict();
}

/** How many numbers are shown on either side, and how long before and after the diary is read. */
const aroundMax = 6;
const diaryMs = 1_000;
const diaryLinesMax = 16;

class Checker {
  readonly #ledger: Ledger;
  readonly #faults: Fault[] = [];
  readonly #told = new Map<string, number>();
  #toldLosses = 0;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  verdict(): Verdict {
    for (const client of this.#ledger.clients) {
      this.#checkArrivals(client);
      for (const seat of client.seats) {
        for (const epoch of seat.epochs) this.#checkMissing(epoch);
        this.#checkEnds(seat);
        this.#checkHandled(seat);
      }
    }
    for (const ask of this.#ledger.asks) this.#checkAsk(ask);
    for (const { who, text } of this.#ledger.breaches) this.#faults.push({ kind: 'broken', who, text, context: [] });
    return { faults: this.#faults, toldLosses: this.#toldLosses, told: this.#told };
  }

  /** Nothing twice, nothing that was not for it, and everything in the order of emission, over all namespaces. */
  #checkArrivals(client: Client): void {
    const { received } = client;
    const meant = new Map<Epoch, Set<number>>();
    const seen = new Map<Epoch, Set<number>>();
    let newest = 0;
    for (const [index, { epoch, number }] of received.entries()) {
      const add = (kind: FaultKind, what: string) =>
        this.#add(kind, client, epoch, `${this.#name(number)} ${what}`, number, [
          `arrived: ${around(received, index, (arrival) => arrival.number)}`,
        ]);
      if (epoch === undefined) {
        add('misdelivered', 'came to a socket that the server never had');
        continue;
      }
      const expected = meant.get(epoch) ?? new Set(epoch.expected);
      meant.set(epoch, expected);
      const before = seen.get(epoch) ?? new Set();
      seen.set(epoch, before);
      if (before.has(number)) add('doubled', 'came again');
      else if (!expected.has(number) && !epoch.optional.has(number)) add('misdelivered', 'was not for this socket');
      else if (number < newest) add('reordered', `came after ${newest}`);
      before.add(number);
      newest = Math.max(newest, number);
    }
  }

  #checkMissing(epoch: Epoch): void {
    const { client } = epoch.seat;
    const arrived = client.received.filter((arrival) => arrival.epoch === epoch).map(({ number }) => number);
    const seen = new Set(arrived);
    const newest = arrived.reduce((most, number) => Math.max(most, number), 0);
    for (const [index, number] of epoch.expected.entries()) {
      if (seen.has(number)) continue;
      if ((epoch.end !== undefined || !epoch.entered) && number > newest) {
        this.#toldLosses++;
        continue;
      }
      const next = arrived.findIndex((other) => other > number);
      this.#add('lost', client, epoch, `${this.#name(number)} did not come`, number, [
        `expected: ${around(epoch.expected, index, String)}`,
        next < 0 ? 'nothing newer arrived' : `arrived: ${around(arrived, next, String)}, the first one newer`,
      ]);
    }
  }

  #checkEnds(seat: Seat): void {
    const { client, current, epochs, tellings, namespace } = seat;
    for (const epoch of epochs) {
      if (epoch.end === undefined && epoch.entered && epoch !== current) {
        this.#add('untold', client, epoch, 'is a socket of the server that the client is not in at the end');
      } else if (epoch.end !== undefined && epoch === current) {
        this.#add('untold', client, epoch, `was ended (${epoch.end}), and the client is in it at the end`);
      }
    }
    for (const [index, { reason }] of tellings.entries()) {
      if (index > 0 && !reason) this.#add('untold', client, current, `${namespace} began anew without a reason`);
      if ((index > 0 || reason) && namespace === client.seats[0]?.namespace) {
        this.#told.set(reason ?? '', (this.#told.get(reason ?? '') ?? 0) + 1);
      }
    }
  }

  /** What the client emitted: handled once and in order, across epochs. */
  #checkHandled(seat: Seat): void {
    const { client, epochs, tellings, sent, handledVolatile } = seat;
    const handled = new Set<number>();
    let next = 1;
    let givenUp = 0;
    for (const epoch of epochs) {
      for (const [index, number] of epoch.handled.entries()) {
        const add = (kind: FaultKind, what: string) =>
          this.#add(kind, client, epoch, `the client's event ${number} ${what}`, undefined, [
            `handled: ${around(epoch.handled, index, String)}`,
          ]);
        if (handled.has(number)) add('doubled', 'was handled again');
        else if (number < next) add('reordered', `was handled after ${next - 1}`);
        else if (number > next && index === 0) givenUp += number - next;
        else if (number > next) add('lost', `was handled after ${next - 1}`);
        handled.add(number);
        next = Math.max(next, number + 1);
      }
    }
    const told = tellings.reduce((sum, { unconfirmed }) => sum + unconfirmed, 0);
    if (givenUp > told) {
      const what = `${givenUp} of the client's events were not handled, and it was told of ${told}`;
      this.#add('lost', client, epochs.at(-1), what);
    }
    if (next <= sent) {
      this.#add('lost', client, epochs.at(-1), `the client's events from ${next} to ${sent} were not handled`);
    }
    for (const [index, number] of handledVolatile.entries()) {
      const before = handledVolatile[index - 1] ?? 0;
      if (number > before) continue;
      const kind = number === before ? 'doubled' : 'reordered';
      this.#add(kind, client, epochs.at(-1), `the client's volatile event ${number} was handled after ${before}`);
    }
  }

  #checkAsk({ by, seat, epoch, number, outcome }: Ask): void {
    if (outcome === 'right' || (outcome === undefined && epoch?.entered === false)) return;
    if (by === 'server' && outcome === 'ERR_SESSION_ENDED' && epoch?.end !== undefined) return;
    if (by === 'client' && outcome === 'ERR_SESSION_LOST' && seat.tellings.some(({ reason }) => reason)) return;
    this.#add(
      'unanswered',
      seat.client,
      epoch ?? seat.current,
      `question ${number} of the ${by}: ${outcome ?? 'no answer'}`,
      by === 'server' ? number : undefined,
    );
  }

  #add(
    kind: FaultKind,
    client: Client,
    epoch: Epoch | undefined,
    text: string,
    number?: number,
    context: readonly string[] = [],
  ): void {
    const who = epoch === undefined ? client.name : `${client.name} ${epoch.seat.namespace} as ${epoch.id}`;
    this.#faults.push({ kind, who, text, context: [...context, ...this.#diary(client, number)] });
  }

  #name(number: number): string {
    const message = this.#ledger.messages.get(number);
    return message === undefined ? `message ${number}` : `message ${number} (${message.what})`;
  }

  /** What happened to the client about the time when the message was emitted, or at the end. */
  #diary(client: Client, number: number | undefined): string[] {
    // A broken round has thousands of faults: only the first ones are read.
    if (this.#faults.length > 20) return [];
    const message = this.#ledger.messages.get(number ?? 0);
    const near = client.diary.filter(({ atMs }) => message === undefined || Math.abs(atMs - message.atMs) < diaryMs);
    const lines = near.map(({ atMs, text }) => {
      const at = message === undefined ? `at ${Math.round(atMs)} ms` : `${signed(Math.round(atMs - message.atMs))} ms`;
      return `${at}: ${text}`;
    });
    return message === undefined ? lines.slice(-diaryLinesMax) : lines.slice(0, diaryLinesMax * 2);
  }
}

function around<T>(items: readonly T[], index: number, show: (item: T) => unknown): string {
  const before = items.slice(Math.max(0, index - aroundMax), index).map(show);
  const after = items.slice(index + 1, index + 1 + aroundMax).map(show);
  return [...before, `[${items[index] === undefined ? '' : show(items[index])}]`, ...after].join(' ');
}

function signed(number: number): string {
  return number < 0 ? `${number}` : `+${number}`;
}
