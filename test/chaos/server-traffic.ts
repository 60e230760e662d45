// What the server of a round says, drawn from a seed: to sockets, rooms and namespaces, in long turns too. Each message
// carries its number, and for whom it is meant is written down before it leaves.
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import type { Random } from '@halyard/harness/random';
import type { Namespace, Server, Socket } from '@halyard/server';
import { namespaces } from './combinations';
import { type Epoch, type Ledger, outcomeOf } from './ledger';
import { Roster } from './roster';

const rooms = ['a', 'b', 'c', 'd'];
/** Lengths of what is said, in characters: above 16 KB uWebSockets.js does not batch. */
const lengths = [0, 0, 10, 100, 1_000, 20_000];
/** Of what is said in a long turn: the larger fill what the kernel holds for a client too. */
const burstLengths = [1_000, 1_000, 20_000];
/** Nothing large is added while more deliveries than this are under way. */
const owedMax = 30_000;
const asksMax = 200;

const pads = new Map(lengths.map((length) => [length, 'x'.repeat(length)]));

interface Outlet {
  emit(event: string, ...args: (number | string)[]): unknown;
}

/** To whom something is said, and who that is by our own account. */
interface Address {
  readonly what: string;
  readonly target: Outlet & { readonly volatile: Outlet };
  audience(): Iterable<Epoch>;
}

/** A namespace as the test sees it. */
interface Hall {
  readonly namespace: Namespace;
  readonly roster: Roster;
  readonly sockets: Map<Epoch, Socket>;
}

export class ServerTraffic {
  readonly #ledger: Ledger;
  /** The script. */
  readonly #random: Random;
  /** For what depends on when something arrives: it must not disturb the script. */
  readonly #reactions: Random;
  readonly #halls: Hall[] = [];
  /** Questions that wait. */
  #asks = 0;

  constructor(ledger: Ledger, random: Random, reactions: Random) {
    this.#ledger = ledger;
    this.#random = random;
    this.#reactions = reactions;
  }

  /** Wires the server's side. */
  serve(io: Server): void {
    io.on('error', (error, { where }) => this.#ledger.breach('server', `${where}: ${String(error)}`));
    for (const name of namespaces) {
      const hall: Hall = { namespace: io.of(name), roster: new Roster(), sockets: new Map() };
      this.#halls.push(hall);
      hall.namespace.on('connection', (socket) => this.#welcome(hall, socket));
    }
  }

  async run(stopped: () => boolean): Promise<void> {
    const random = this.#random;
    while (!stopped()) {
      await this.#step(random);
      if (this.#ledger.owed > owedMax) await delay(5);
      else if (random.chance(0.3)) await delay(random.int(8));
      else await nextTurn();
    }
  }

  /** A last word to all: everything before it has arrived when it has. */
  sayLast(): void {
    for (const { roster, namespace } of this.#halls) {
      const number = this.#ledger.emitted('to all, the last one', roster.everyone);
      namespace.emit('say', number, '');
    }
  }

  async #step(random: Random): Promise<void> {
    const kind = random.int(100);
    if (kind < 2) await this.#burst(random);
    else if (kind < 20) this.#move(random);
    else if (kind < 85) this.#say(random, random.pick(lengths));
    else if (kind < 93) this.#sayVolatile(random);
    else void this.#ask(random);
  }

  #welcome(hall: Hall, socket: Socket): void {
    const { roster, sockets, namespace } = hall;
    const ledger = this.#ledger;
    const seat = ledger.seat({ client: String(socket.handshake.auth.client), namespace: namespace.name });
    const epoch = ledger.opened(seat, socket.id);
    roster.everyone.add(epoch);
    sockets.set(epoch, socket);
    for (const room of rooms) if (this.#reactions.chance(0.5)) this.#join(hall, epoch, room);
    socket.on('disconnect', ({ code, reason }) => {
      roster.gone(epoch);
      sockets.delete(epoch);
      ledger.closed(epoch, `${code} ${reason}`);
    });
    socket.on('emit', (number) => {
      ledger.handled(epoch, number);
      this.#react(hall, epoch, socket);
    });
    socket.on('volatile', (number) => ledger.handledVolatile(epoch, number));
    socket.on('ask', (number) => {
      ledger.handled(epoch, number);
      this.#react(hall, epoch, socket);
      return this.#reactions.chance(0.2) ? delay(this.#reactions.int(50), number) : number;
    });
  }

  /** Sometimes says something from inside the handler, where the host gathers what this socket is sent. */
  #react(hall: Hall, epoch: Epoch, socket: Socket): void {
    const random = this.#reactions;
    if (!random.chance(0.3)) return;
    const address: Address = random.chance(0.5)
      ? { what: 'to its sender', target: socket, audience: () => [epoch] }
      : this.#others(hall, epoch, socket, random.pick(rooms));
    this.#sayTo(address, random.pick([0, 100]));
  }

  #join({ roster, sockets }: Hall, epoch: Epoch, room: string): void {
    sockets.get(epoch)?.join(room);
    roster.join(epoch, room);
  }

  #move(random: Random): void {
    const hall = random.pick(this.#halls);
    const member = this.#member(hall, random);
    const room = random.pick(rooms);
    if (member === undefined) return;
    const [epoch, socket] = member;
    if (!hall.roster.room(room).has(epoch)) this.#join(hall, epoch, room);
    else {
      socket.leave(room);
      hall.roster.leave(epoch, room);
    }
  }

  #member({ sockets }: Hall, random: Random): readonly [Epoch, Socket] | undefined {
    const members = [...sockets];
    return members.length === 0 ? undefined : random.pick(members);
  }

  #others({ roster }: Hall, epoch: Epoch, socket: Socket, room: string): Address {
    const audience = () => roster.in([room]).filter((member) => member !== epoch);
    return { what: `to room ${room} but ${epoch.seat.client.name}`, target: socket.to(room), audience };
  }

  #address(random: Random): Address | undefined {
    const hall = random.pick(this.#halls);
    const { namespace, roster } = hall;
    const [one, two] = [random.pick(rooms), random.pick(rooms)];
    const member = this.#member(hall, random);
    if (member === undefined) return undefined;
    const [epoch, socket] = member;
    switch (random.int(9)) {
      case 0:
        return { what: `to ${epoch.seat.client.name}`, target: socket, audience: () => [epoch] };
      case 1:
        return { what: `to ${epoch.seat.client.name} by id`, target: namespace.to(socket.id), audience: () => [epoch] };
      case 2:
        return {
          what: `to rooms ${one} and ${two}`,
          target: namespace.to([one, two]),
          audience: () => roster.in([one, two]),
        };
      case 3:
        return this.#others(hall, epoch, socket, one);
      case 4:
        return { what: `to all but room ${one}`, target: namespace.except(one), audience: () => roster.outside([one]) };
      case 5: {
        const audience = () => roster.in([one], [two]);
        return { what: `to room ${one} but room ${two}`, target: namespace.to(one).except(two), audience };
      }
      case 6:
        return { what: `to all of ${namespace.name}`, target: all(namespace), audience: () => roster.everyone };
      default:
        return { what: `to room ${one}`, target: namespace.to(one), audience: () => roster.in([one]) };
    }
  }

  #say(random: Random, length: number): void {
    const address = this.#address(random);
    if (address !== undefined) this.#sayTo(address, length);
  }

  #sayTo({ what, target, audience }: Address, length: number): void {
    const number = this.#ledger.emitted(`${what}, ${length} characters`, audience());
    target.emit('say', number, pads.get(length) ?? '');
  }

  #sayVolatile(random: Random): void {
    const address = this.#address(random);
    if (address === undefined) return;
    const number = this.#ledger.emitted(`volatile ${address.what}`, address.audience(), true);
    address.target.volatile.emit('say', number, '');
  }

  async #ask(random: Random): Promise<void> {
    const member = this.#member(random.pick(this.#halls), random);
    if (member === undefined || this.#asks >= asksMax) return;
    const [epoch, socket] = member;
    const number = this.#ledger.emitted(`a question to ${epoch.seat.client.name}`, [epoch]);
    const ask = this.#ledger.asked('server', epoch.seat, epoch, number);
    this.#asks++;
    this.#ledger.settled(ask, await outcomeOf(socket.emitWithAck('ask', number, ''), number));
    this.#asks--;
  }

  /**
   * A long turn: thousands of messages while nothing else runs in this process, and the clients read as they can. Then
   * shorter turns with a few more: what waits for a slow client drains between them, the client itself says something,
   * and nothing may follow behind what a host has dropped.
   */
  async #burst(random: Random): Promise<void> {
    const address = this.#address(random);
    const mixed = random.chance(0.3);
    const length = random.pick(burstLengths);
    const count = Math.ceil((200 + random.int(random.pick([500, 8_000]))) / (length > 1_000 ? 5 : 1));
    const lastsMs = 50 + random.int(200);
    if (address === undefined || this.#ledger.owed > owedMax) return;
    const startedAt = performance.now();
    for (let i = 0; i < count; i++) {
      if (mixed) this.#say(random, length);
      else this.#sayTo(address, length);
      spinUntil(startedAt + (lastsMs * i) / count);
    }
    for (let turns = random.int(30); turns > 0; turns--) {
      await nextTurn();
      this.#sayTo(address, 10);
      spinUntil(performance.now() + random.int(10));
    }
  }
}

function spinUntil(ms: number): void {
  while (performance.now() < ms);
}

function all(namespace: Namespace): Address['target'] {
  return namespace;
}
