// One run of the simulator: a real server, or several one after the other, real clients over WebSocket and polling, one thread,
// virtual time, and every fault of a network. A step draws from its own random numbers, so that the rest of a run is the same if
// it is left out. Longer than other files: all that may happen in a run is side by side.
import { type Socket as ClientSocket, connect, polling, race, sse, type Transport } from '@halyard/client/core';
import { overReload } from '@halyard/client/reload';
import { json } from '@halyard/codec/json';
import { msgpack } from '@halyard/codec-msgpack';
import { VirtualClock } from '@halyard/harness/clock';
import { type Random, seededRandom } from '@halyard/harness/random';
import { type Handshake, memory, Server, type SlowReaders, type Socket } from '@halyard/server';
import { LossyHttp, MemoryNetwork } from '@halyard/testkit/internal';
import { type Counters, noCounts } from './counters';
import { gated, HaltingTime } from './halting-time';
import { Broken, Model } from './model';
import { Page, Tab } from './pages';
import { Failure, type Script } from './script';
import { watchTurns } from './told-in-turns';

const rooms = ['a', 'b', 'c', 'd'];
const namespaces = ['/', '/b'];
const clientsMin = 3;
const turn = () => new Promise((resolve) => setImmediate(resolve));
/** As long as a client may take to notice that a link is dead, and to come back. */
const settleMsMax = 120_000;
/** For how long a reply is waited for that is not to be missed. */
const longTimeoutMs = 900_000;

/** @returns what the run has met. @throws Failure */
export async function play(script: Script): Promise<Counters> {
  const world = new World(script.seed);
  try {
    await world.start();
    for (let i = 0; i < script.steps; i++) {
      if (script.without?.has(i)) continue;
      await world.step(i, seededRandom((script.seed * 100_003 + i) >>> 0));
    }
    await world.end();
    return world.counters;
  } catch (error) {
    await world.abandon();
    throw new Failure(error instanceof Error ? error.message : String(error), world.transcript, error);
  }
}

class World {
  readonly counters = noCounts();
  readonly transcript: string[] = [];
  readonly #seed: number;
  readonly #random: Random;
  readonly #clock = new VirtualClock();
  readonly #network: MemoryNetwork;
  readonly #http: LossyHttp;
  /** Whether a server is lost without a word, and another goes on. */
  readonly #shared: boolean;
  /** Whether what goes over HTTP is a stream. */
  readonly #streams: boolean;
  /** Which messages are such that only the newest matters: drawn apart from everything else. */
  readonly #latest: Random;
  /** How long what is presented to /b lasts, in milliseconds, if it ends: in some runs only. */
  readonly #authMs: number | undefined;
  /** What slow readers of /b get. */
  readonly #slowReaders: SlowReaders;
  /** Where clients are pages that go on over a reload: in some runs only. */
  readonly #tab: Tab | undefined;
  readonly #savedCharsMax: number;
  readonly #adapter: ReturnType<typeof memory>;
  readonly #options: ConstructorParameters<typeof Server>[0];
  readonly #model: Model;
  readonly #clients: Client[] = [];
  #io!: Server;
  #time!: HaltingTime;
  /** How far the time of day of the server is from the true one, in milliseconds. */
  #aheadMs = 0;
  #servers = 0;
  #names = 0;
  /** What broke the promise, if anything has. */
  #broken: unknown;

  constructor(seed: number) {
    this.#seed = seed;
    const random = seededRandom(seed);
    this.#random = random;
    this.#shared = random.chance(0.4);
    // Drawn apart: the other runs are as they were.
    this.#latest = seededRandom((seed ^ 0x5bd1e995) >>> 0);
    this.#streams = seededRandom((seed ^ 0x3c6ef372) >>> 0).chance(0.35);
    const ending = seededRandom((seed ^ 0x6a09e667) >>> 0);
    this.#authMs = ending.chance(0.25) ? ending.pick([1_200, 4_000, 15_000]) : undefined;
    const slow = seededRandom((seed ^ 0x1f83d9ab) >>> 0);
    this.#slowReaders = slow.pick(['catch-up', 'catch-up', 'catch-up', 'latest', 'cut']);
    const paged = seededRandom((seed ^ 0x5be0cd19) >>> 0);
    this.#tab = paged.chance(0.2) ? new Tab(this.#clock) : undefined;
    this.#savedCharsMax = paged.pick([1_024, 1 << 20, 1 << 20]);
    this.#adapter = memory(this.#shared ? { shared: true, codec: msgpack() } : {});
    this.#model = new Model(this.#shared);
    const network = { latencyMs: [1, 5] as const, noticeMs: [0, 200] as const, unnoticed: random.pick([0, 0.3, 0.6]) };
    const wires = () => seededRandom(random.int(2 ** 32));
    this.#network = new MemoryNetwork(this.#clock, wires(), { ...network }, random.chance(0.5));
    const path = { latencyMs: 8, loss: 0.03, unnoticed: 0.3, repeat: 0.1, repeatMs: random.pick([400, 4_000]) };
    this.#http = new LossyHttp(this.#clock, wires(), path);
    this.#options = {
      ...{ heartbeatMs: 2_000, heartbeatTimeoutMs: 1_500, pollHoldMs: 1_000, codecs: [json(), msgpack()] },
      ...random.pick([
        { sackPacketsMax: 5, sackDelayMs: 40 },
        { sackPacketsMax: 30, sackDelayMs: 1_000, windowPacketsMax: 64 },
      ]),
      backpressureBytesMax: random.pick([131_072, 1 << 20]),
      recoveryWindowMs: random.pick([1_000, 60_000]),
      logPacketsMax: random.pick([20, 1_000]),
      ...(seededRandom((seed ^ 0x2545f491) >>> 0).chance(0.25) ? { packetsPerSecondMax: 15 } : {}),
    };
  }

  async start(): Promise<void> {
    await this.#serve();
    const count = clientsMin + this.#random.int(3);
    for (let i = 0; i < count; i++) this.#clients.push(this.#join(`c${i}`));
    await this.#elapse(300);
  }

  async step(i: number, random: Random): Promise<void> {
    this.#act(i, random);
    if (this.#tab !== undefined) this.#turnPage(this.#tab, seededRandom((random.int(2 ** 32) ^ 0x510e527f) >>> 0));
    if (random.chance(0.6)) await this.#elapse(random.int(25));
    if (random.chance(0.02)) await this.#elapse(random.int(4_000));
    if (random.chance(0.02)) await this.#replaceServer(random);
    this.#check();
  }

  /** The network is well again: all that is due comes, and nothing is left. */
  async end(): Promise<void> {
    this.#note('the network is well');
    Object.assign(this.#network.network, { latencyMs: [1, 5], unnoticed: 0 });
    Object.assign(this.#http.path, { loss: 0, repeat: 0 });
    for (const client of this.#clients) this.#within(client, () => client.socket.connect());
    for (let waited = 0; !this.#isSettled(waited); waited += 250) {
      if (waited > settleMsMax) throw new Broken(`not settled: ${this.#whatIsMissing()}`);
      await this.#elapse(250);
      this.#check();
    }
    this.counters['volatile dropped'] += this.#model.dropped();
    this.counters['replaced by newer'] += this.#model.replaced;
    this.counters['slow readers cut'] += this.#network.cutsByServer;
    for (const client of this.#clients) client.socket.connection.close();
    const sockets = () => namespaces.reduce((sum, name) => sum + this.#io.of(name).sockets.size, 0);
    // A HELLO that came late has made a session that nobody knows of.
    for (let waited = 0; sockets() > 0 && waited < 70_000; waited += 1_000) await this.#elapse(1_000);
    if (sockets() > 0) throw new Broken(`${sockets()} sockets are left when all clients have closed`);
    await this.#io.close();
    await this.#elapse(60_000);
    if (this.#network.topics > 0) throw new Broken(`${this.#network.topics} topics are left`);
    // What a page that is gone has waited for.
    if (this.#tab !== undefined) await this.#elapse(longTimeoutMs);
    // A store that is shared keeps its logs and records for as long as somebody may come.
    if (!this.#shared && this.#clock.pending > 0) throw new Broken(`${this.#clock.pending} timers are left`);
    this.#check();
    this.#tab?.close();
  }

  /** Nothing of it goes on. */
  async abandon(): Promise<void> {
    this.#time.isGone = true;
    for (const client of this.#clients) client.socket.connection.close();
    await turn();
    this.#tab?.close();
  }

  #note(line: string): void {
    this.transcript.push(`${String(this.#clock.now()).padStart(8)} ms  ${line}`);
  }

  #check(): void {
    if (this.#broken !== undefined) throw this.#broken;
  }

  /** Code of the app: what breaks the promise there is not to be swallowed by who calls it. */
  #watch<T>(run: () => T): T | undefined {
    try {
      return run();
    } catch (error) {
      this.#broken ??= error;
      return undefined;
    }
  }

  async #elapse(ms: number): Promise<void> {
    const end = this.#clock.now() + ms;
    while (this.#clock.now() < end) {
      this.#clock.advance(Math.max(Math.min(this.#clock.nextAt, end) - this.#clock.now(), 0));
      await turn();
    }
  }

  async #serve(): Promise<void> {
    const time = new HaltingTime(this.#clock);
    time.aheadMs = this.#aheadMs;
    this.#time = time;
    const node = ++this.#servers;
    const io = new Server({
      ...this.#options,
      adapter: this.#adapter,
      clock: time,
      host: async (...args) => {
        await this.#http.host(...args);
        return this.#network.host(...args);
      },
    });
    io.on('error', (error) => {
      this.#broken ??= error;
    });
    for (const name of namespaces) {
      const namespace = io.of(name);
      if (name === '/b') namespace.slowReaders(this.#slowReaders);
      if (name === '/b') namespace.use(() => new Promise<void>((resolve) => time.after(15, resolve)));
      if (name === '/b' && this.#authMs !== undefined) {
        const lasts = (handshake: Handshake): void => {
          handshake.expiresAt = time.wall() + (this.#authMs as number);
        };
        namespace.use(lasts);
        namespace.renew((handshake) => {
          this.counters.renewals++;
          lasts(handshake);
        });
      }
      namespace.on('connection', (socket) => {
        const client = String(socket.handshake.auth.name);
        this.#note(`server: ${client}${name} is ${socket.id}${socket.recovered ? ', recovered' : ''}`);
        if (!this.#model.sockets.has(socket.id))
          this.#model.sockets.set(socket.id, { namespace: name, rooms: new Set() });
        for (const event of ['event', 'ask']) {
          socket.on(event, (text: string) => {
            if (node !== this.#servers) return undefined;
            return this.#watch(() => this.#handled(client + name, text, socket.redelivered, event === 'ask'));
          });
        }
      });
    }
    await io.listen(1);
    this.#io = io;
  }

  #handled(client: string, text: string, redelivered: boolean, isAsked: boolean): unknown {
    this.#note(`server: handles ${text}${redelivered ? ' again' : ''}`);
    this.#model.handled(client, text, redelivered);
    this.counters['events to the server']++;
    if (redelivered) this.counters['events handled again']++;
    if (!isAsked) return undefined;
    return new Promise((resolve) => this.#time.after(text.length % 2 ? 1 : 60, () => resolve(text)));
  }

  #join(name: string): Client {
    const random = this.#random;
    const doubled = seededRandom(random.int(2 ** 32));
    const doubles = (): boolean => {
      const isDoubled = doubled.chance(0.02);
      if (isDoubled) this.counters['messages doubled']++;
      return isDoubled;
    };
    const stream: Transport = {
      open: (address, events) => {
        this.counters['websocket connections']++;
        return this.#network.transport.open(address, events);
      },
    };
    const requests: Transport = {
      open: (address, events) => {
        this.counters[this.#streams ? 'sse connections' : 'polling connections']++;
        return (this.#streams ? sse : polling)({ fetch: this.#http.fetch as never }).open(address, events);
      },
    };
    const kind = random.int(3);
    const transport = kind === 0 ? stream : kind === 1 ? requests : race([stream, requests], 30, 60);
    const seeds = seededRandom(random.int(2 ** 32));
    let isFirst = true;
    // Polling is text here.
    const codec = kind === 0 ? random.pick([json(), msgpack()]) : json();
    const load = (client: Client): ClientSocket => {
      const { time } = client;
      const { next } = isFirst ? seeds : seededRandom(seeds.int(2 ** 32));
      isFirst = false;
      return connect('http://sim.example', {
        ...{
          transport: gated(transport, { time, doubles }),
          clock: time,
          random: next,
          codec,
          auth: { name: client.name },
        },
        reconnect: { delayMinMs: 1, delayMaxMs: 400 },
        connectTimeoutMs: 3_000,
        ...(this.#tab && { reload: overReload({ name: `${this.#seed} ${name}`, savedCharsMax: this.#savedCharsMax }) }),
      });
    };
    const client: Client = {
      ...{ name, load, page: new Page(), time: new HaltingTime(this.#clock), socket: undefined as never },
      ...{ sockets: new Map(), ids: new Map(), hasty: new Map() },
      ...{ lost: 0, told: 0, asked: 0, settled: 0 },
      ...{ isLeft: false, hasLeft: false, isKnown: false },
    };
    this.#load(client);
    return client;
  }

  /** Runs code of its page. */
  #within<T>({ page }: Client, run: () => T): T {
    return this.#tab === undefined ? run() : this.#tab.within(page, run);
  }

  /** What a client does first: as a page, whenever it is loaded. */
  #load(client: Client): void {
    const { name, time } = client;
    this.#within(client, () => {
      const socket = client.load(client);
      client.socket = socket;
      socket.connection.on('state', (change) => {
        if (client.socket !== socket) return;
        if (change.to === 'open' && change.reason === 'moved')
          this.counters[change.transport === 'memory' ? 'switches' : 'switches back']++;
        if (change.to !== 'closed') return;
        this.#note(`${name} is closed: ${JSON.stringify(change)}`);
        if (this.#authMs !== undefined && change.close?.code === 4401) {
          this.counters['auth ended']++;
          // It is told: what waited goes with the session.
          client.isKnown = false;
          for (const namespace of namespaces) this.#model.forgive(name + namespace);
          // As somebody does who has presented what has ended, and has something else.
          time.after(50, () => {
            this.#within(client, () => {
              for (const [namespace, one] of client.sockets) if (namespace === '/' || !client.isLeft) one.connect();
            });
          });
        } else if (change.reason !== 'local') this.#broken ??= new Broken(`${name} is closed for good`);
      });
      for (const namespace of namespaces) {
        const one = namespace === '/' ? socket : socket.of(namespace, { auth: { name } });
        client.sockets.set(namespace, one);
        this.#listen(client, one);
        if (namespace === '/b' && client.isLeft) one.disconnect();
      }
    });
  }

  /** What may happen to a page, and to nothing else. */
  #turnPage(tab: Tab, random: Random): void {
    if (!random.chance(0.02)) return;
    const client = random.pick(this.#clients);
    const { name, page, time } = client;
    if (time.isHalted) return;
    const kind = random.int(6);
    if (kind === 0) {
      const ms = random.pick([100, 3_000]);
      this.#note(`the browser puts ${name} away for ${ms} ms`);
      this.counters['pages put away']++;
      tab.hide(page, true);
      this.#clock.after(ms, () => {
        if (client.page === page) tab.show(page);
      });
      time.halt(ms);
      return;
    }
    const isCrash = kind === 1;
    // What is saved of a page until it is connected again the next one goes on with, however this one ends.
    if (isCrash && tab.keeps(`${this.#seed} ${name.replaceAll("'", '')}`)) return;
    this.#note(`${name} ${isCrash ? 'crashes' : 'is loaded anew'}`);
    this.counters[isCrash ? 'pages crashed' : 'pages reloaded']++;
    if (!isCrash) tab.hide(page, false);
    const isLost = client.socket.connection.state === 'closed';
    if (isLost) for (const namespace of namespaces) this.#model.parted(name + namespace);
    time.isGone = true;
    tab.gone(page);
    // Nobody is told of its replies, and what was to leave soon or not at all may be given up by the next page.
    client.settled = client.asked;
    for (const [text, key] of client.hasty) this.#model.takenBack(key, text);
    client.hasty.clear();
    if (isCrash) {
      for (const namespace of namespaces) this.#model.forgive(name + namespace);
      // What is still to be handled of it comes among what the next one says, which is somebody else.
      client.name += "'";
    }
    client.isKnown = false;
    client.time = new HaltingTime(this.#clock);
    client.page = new Page();
    this.#load(client);
  }

  #listen(client: Client, socket: ClientSocket): void {
    const { page, ids } = client;
    let isFirst = true;
    watchTurns(client.name, socket, (error) => {
      this.#broken ??= error;
    });
    socket.on('connect', ({ recovered, unconfirmed, reason }) => {
      this.#note(`${client.name}${socket.namespace} ${recovered ? 'resumed' : `connected ${reason ?? ''}`}`);
      const id = ids.get(socket.namespace);
      if (recovered && id !== socket.id) this.#broken ??= new Broken(`${client.name} resumed ${id} as ${socket.id}`);
      ids.set(socket.namespace, socket.id as string);
      if (recovered && isFirst) this.counters['sessions over a reload']++;
      isFirst = false;
      client.isKnown = true;
      if (recovered) this.counters['sessions resumed']++;
      else if (reason) this.counters['sessions lost']++;
      if (socket.namespace === '/') client.lost += client.told = unconfirmed;
      // What one namespace alone could not take over a reload is told there: what waited to be asked for it.
      else if (this.#tab !== undefined && reason !== undefined) client.lost += Math.max(unconfirmed - client.told, 0);
    });
    socket.on('error', (error) => {
      // It left before its last words could.
      if (client.page !== page) return;
      const { code, details } = error as { code?: string; details?: { left?: boolean } };
      // What the page before has asked: who has asked is not there.
      if (this.#tab !== undefined && code === 'ERR_ACK_TIMEOUT' && details?.left === false) return;
      if (code === 'ERR_DISCONNECTED') this.#model.forgive(client.name + socket.namespace);
      else this.#broken ??= error;
    });
    socket.on('connect_error', ({ code }) => this.#note(`${client.name}${socket.namespace} is refused: ${code}`));
    for (const event of ['event', 'ask', 'loud']) {
      socket.on(event, (text: string) => {
        this.#watch(() => {
          if (event === 'loud') this.#model.arrivedVolatile(socket.id as string, text);
          else this.#model.arrived(socket.id as string, text, client.hasLeft && socket.namespace === '/b');
        });
        this.counters['events to clients']++;
        return event === 'ask' ? text : undefined;
      });
    }
  }

  /** A server goes, with a word or without one, and another one comes. */
  async #replaceServer(random: Random): Promise<void> {
    await turn();
    if (this.#shared) {
      this.#note('the server is killed');
      this.counters['servers killed']++;
      this.#time.isGone = true;
      this.#network.cut();
      // Within a millisecond nobody knows which of two servers emits first.
      await this.#elapse(2);
    } else {
      if (random.chance(0.7)) return;
      this.#note('the server is restarted');
      this.counters['servers restarted']++;
      this.#model.restarted();
      // What waits for a namespace to decide was taken by a server that is no more.
      const entered = new Set([...this.#io.of('/b').sockets.values()].map(({ handshake }) => handshake.auth.name));
      for (const { name } of this.#clients) if (!entered.has(name)) this.#model.forgive(`${name}/b`);
      await this.#io.close();
    }
    await this.#serve();
  }

  #act(i: number, random: Random): void {
    const client = random.pick(this.#clients);
    const namespace = random.pick(namespaces);
    const name = `${i}.${++this.#names}`;
    const kind = random.int(20);
    if (kind < 6) this.#say(client, namespace, name, random);
    else if (kind < 14) this.#emit(namespace, name, random);
    else if (kind < 17) this.#move(namespace, random);
    else if (kind < 18) this.#comeAndGo(client, random);
    else this.#disturb(random);
  }

  #say(client: Client, namespace: string, name: string, random: Random): void {
    const socket = client.sockets.get(namespace) as ClientSocket;
    const count = random.chance(0.05) ? 80 : 1;
    for (let i = 0; i < count; i++) {
      const text = `${name}-${i}`;
      const key = client.name + namespace;
      if (random.chance(0.5)) {
        if (!socket.active) continue;
        this.#model.said(key, text);
        socket.emit('event', text);
        continue;
      }
      this.#model.said(key, text);
      client.asked++;
      this.counters.acks++;
      const timeoutMs = random.pick([100, longTimeoutMs]);
      if (timeoutMs === 100 || !socket.active) client.hasty.set(text, key);
      this.#settle(client, key, text, socket.timeout(timeoutMs).emitWithAck('ask', text));
    }
    this.#note(`${client.name}${namespace} says ${name}${count > 1 ? `, ${count} times` : ''}`);
  }

  #settle(client: Client, key: string, text: string, reply: Promise<unknown>): void {
    const notThere = ['ERR_DISCONNECTED', 'ERR_NOT_CONNECTED', 'ERR_NAMESPACE_NOT_CONNECTED'];
    const known = ['ERR_ACK_TIMEOUT', 'ERR_SESSION_LOST', 'ERR_OWNER_LOST', ...notThere];
    const { page } = client;
    reply.then(
      (value) => {
        if (client.page !== page) return;
        client.settled++;
        client.hasty.delete(text);
        if (value !== text) this.#broken ??= new Broken(`the reply to ${text} is ${value}`);
      },
      (error: { code?: string; details?: { left?: boolean } }) => {
        if (client.page !== page) return;
        client.settled++;
        client.hasty.delete(text);
        this.counters['acks failed']++;
        const { code = String(error), details } = error;
        if (!known.includes(code)) this.#broken ??= new Broken(`the reply to ${text} is ${code}`);
        if (notThere.includes(code) || details?.left === false) this.#model.takenBack(key, text);
      },
    );
  }

  /** The sockets of a namespace that are members of any of these rooms, and of none of those. Those that have ended get nothing. */
  #meant(namespace: string, to: readonly string[] | undefined, except: readonly string[]): string[] {
    const isIn = (id: string, names: readonly string[]) =>
      names.some((name) => name === id || this.#model.sockets.get(id)?.rooms.has(name));
    const here = this.#io.of(namespace).sockets;
    return [...this.#model.sockets]
      .filter(([id, its]) => its.namespace === namespace && (this.#shared || here.has(id)))
      .map(([id]) => id)
      .filter((id) => (to === undefined || isIn(id, to)) && !isIn(id, except));
  }

  /** Whether nothing reaches the client of a socket now. */
  #isAway(namespace: string, id: string): boolean {
    return this.#io.of(namespace).sockets.get(id)?.away ?? true;
  }

  #emit(namespace: string, name: string, random: Random): void {
    const io = this.#io.of(namespace);
    const isVolatile = random.chance(0.1);
    const sockets = [...io.sockets.values()];
    if (random.chance(0.25) && sockets.length > 0) {
      const socket = random.pick(sockets);
      this.#note(`${namespace} emits ${name} to ${socket.id}`);
      this.#promise(namespace, [socket.id], name, isVolatile);
      if (isVolatile) socket.volatile.emit('loud', name);
      else if (random.chance(0.5)) socket.emit('event', name);
      else this.#ask(socket, name);
      return;
    }
    const to = random.pick([undefined, [random.pick(rooms)], [random.pick(rooms), random.pick(rooms)]]);
    const except = random.chance(0.3) ? [random.pick([...rooms, ...io.sockets.keys()])] : [];
    const text = random.chance(0.1) ? `${name} ${'x'.repeat(random.pick([1_500, 70_000]))}` : name;
    const meant = this.#meant(namespace, to, except);
    this.#note(`${namespace} emits ${name} to ${to ?? 'all'}${except.length ? ` except ${except}` : ''}`);
    const isLatest = !isVolatile && this.#latest.chance(0.3) && except.length === 0 && (to?.length ?? 1) === 1;
    const key = isLatest ? this.#latest.pick(['one', 'two']) : undefined;
    // With a key of its own, or the one that all have there.
    const isOfAll =
      namespace === '/b' && this.#slowReaders === 'latest' && except.length === 0 && (to?.length ?? 1) === 1;
    const place = `${namespace} ${to ?? ''} `;
    this.#promise(namespace, meant, text, isVolatile, key ? place + key : isOfAll ? place : undefined);
    if (to !== undefined && to.length > 1) this.counters['several rooms']++;
    if (except.length > 0 && meant.some((id) => this.#isAway(namespace, id))) this.counters['replays with except']++;
    const target = to === undefined ? io.except(except) : io.to(to).except(except);
    if (isVolatile) target.volatile.emit('loud', text);
    else if (key !== undefined) target.latest('event', key).emit(text);
    else target.emit('event', text);
  }

  #emitLarge(): void {
    const text = `large ${++this.#names} ${'x'.repeat(50_000)}`;
    this.#note(`/ emits ${text.slice(0, 12)} to all`);
    this.#promise('/', this.#meant('/', undefined, []), text, false);
    this.#io.emit('event', text);
  }

  /** @param key if only the newest of it matters */
  #promise(namespace: string, ids: readonly string[], name: string, isVolatile: boolean, key?: string): void {
    for (const id of ids) {
      if (isVolatile) {
        this.counters.volatile++;
        this.#model.emittedVolatile(id, name);
        continue;
      }
      if (this.#isAway(namespace, id)) this.counters.replays++;
      if (key === undefined) this.#model.emitted(id, name);
      else this.#model.emittedLatest(id, name, key);
    }
  }

  #ask(socket: Socket, name: string): void {
    this.counters.acks++;
    socket
      .timeout(random100(name))
      .emitWithAck('ask', name)
      .then(
        (value) => {
          if (value !== name) this.#broken ??= new Broken(`the reply to ${name} is ${value}`);
        },
        () => {
          this.counters['acks failed']++;
        },
      );
  }

  #move(namespace: string, random: Random): void {
    const sockets = [...this.#io.of(namespace).sockets.values()];
    if (sockets.length === 0) return;
    const socket = random.pick(sockets);
    const room = random.pick(rooms);
    const its = this.#model.sockets.get(socket.id)!.rooms;
    if (its.delete(room)) {
      this.#note(`${socket.id} leaves ${room}`);
      this.counters.leaves++;
      socket.leave(room);
    } else {
      this.#note(`${socket.id} joins ${room}`);
      this.counters.joins++;
      its.add(room);
      socket.join(room);
    }
  }

  #comeAndGo(client: Client, random: Random): void {
    const socket = client.sockets.get('/b') as ClientSocket;
    if (!client.isLeft && random.chance(0.5)) {
      this.#note(`${client.name}/b leaves`);
      this.counters['namespaces left']++;
      // Who leaves before it is told what is lost over a reload is not told.
      if (this.#tab !== undefined && !socket.connected) this.#model.forgive(`${client.name}/b`);
      socket.disconnect();
      client.isLeft = client.hasLeft = true;
      // Who leaves before there is a session has said nothing.
      if (!client.isKnown) this.#model.forgive(`${client.name}/b`);
    } else {
      if (client.isLeft) this.#note(`${client.name}/b is back`);
      this.#within(client, () => socket.connect());
      client.isLeft = false;
    }
  }

  #disturb(random: Random): void {
    const { network } = this.#network;
    switch (random.int(9)) {
      case 0:
      case 1:
        this.counters.cuts++;
        this.#note('a connection is cut');
        if (network.unnoticed > 0) this.counters['half-open links']++;
        this.#network.cut(random.int(1_000));
        return;
      case 2:
        this.counters.cuts++;
        this.#note('all connections are cut');
        this.#network.cut();
        return;
      case 3:
        this.counters.stalls++;
        this.#note('a client stops reading');
        this.#network.stall(200 + random.int(1_500), random.int(1_000));
        for (let i = random.chance(0.4) ? 5 : 0; i > 0; i--) this.#emitLarge();
        return;
      case 4:
        network.latencyMs = [1, random.pick([2, 30, 300, 900])];
        return;
      case 5:
        this.#http.path.loss = random.pick([0, 0.05, 0.3]);
        if (this.#http.path.loss > 0) this.counters['lost requests']++;
        return;
      case 6: {
        const { name, time } = random.pick(this.#clients);
        const ms = random.pick([500, 3_000, 20_000]);
        this.#note(`${name} sleeps for ${ms} ms`);
        this.counters['clients asleep']++;
        time.halt(ms);
        return;
      }
      case 7: {
        // By it is put in order what servers emit that know nothing of each other.
        const ms = random.pick(this.#shared ? [1_000, 3_600_000] : [-3_600_000, -1_000, 1_000, 3_600_000]);
        this.#note(`the time of day is set by ${ms} ms`);
        this.counters['clocks set']++;
        this.#aheadMs += ms;
        this.#time.aheadMs = this.#aheadMs;
        return;
      }
      default:
        this.#garbage(random);
    }
  }

  /** Somebody who says what is no frame, or no packet. */
  #garbage(random: Random): void {
    this.counters.garbage++;
    this.#note('garbage');
    const text = random.pick(['[0', '[99]', '{}', '[2,"/","event",["forged"]]', '[0,[["/"]]]', '\u0000', '[7,1e9]']);
    const link = this.#network.transport.open(
      { url: '', protocol: 'halyard.v1+json', binary: false, batchMax: () => 1_000, clock: this.#clock },
      {
        onOpen: () => {
          if (text !== '[0,[["/"]]]') link.send(text);
          else link.close(1000, '');
        },
        onFrame() {},
        onClose() {},
      },
    );
    this.#clock.after(500, () => link.close(1000, ''));
  }

  #isSettled(waited: number): boolean {
    if (waited < 5_000) return false;
    return this.#whatIsMissing() === '';
  }

  /** @returns what is still due */
  #whatIsMissing(): string {
    for (const client of this.#clients) {
      const { name, sockets, asked, settled, lost, isLeft } = client;
      if (asked > settled) return `${name} waits for ${asked - settled} replies`;
      const unhandled: string[] = [];
      for (const [namespace, socket] of sockets) {
        unhandled.push(...this.#model.unhandled(name + namespace));
        if (namespace === '/b' && isLeft) continue;
        if (!socket.connected) return `${name}${namespace} is not connected`;
        const missing = this.#model.undelivered(socket.id as string);
        if (missing.length > 0) return `${name}${namespace} has not got ${missing[0]}, and ${missing.length - 1} more`;
      }
      if (unhandled.length > lost)
        return `${unhandled.length} of ${name} are not handled, as ${unhandled[0]}, and ${lost} were given up`;
    }
    return '';
  }
}

interface Client {
  name: string;
  readonly load: (client: Client) => ClientSocket;
  page: Page;
  time: HaltingTime;
  socket: ClientSocket;
  readonly sockets: Map<string, ClientSocket>;
  /** By namespace: as whom it was there last. */
  readonly ids: Map<string, string>;
  /** What it has asked with little time to leave, or while it was in no namespace, and in which namespace as the model names it. */
  readonly hasty: Map<string, string>;
  /** How many events it was told are given up. */
  lost: number;
  /** Of them, when it was connected to the main namespace last. */
  told: number;
  asked: number;
  settled: number;
  /** Whether it has left /b. */
  isLeft: boolean;
  /** Whether it has ever left it: the server may have sent something before it knew. */
  hasLeft: boolean;
  /** Whether it ever had a session. */
  isKnown: boolean;
}

/** How long a reply is waited for: the same for the same name. */
function random100(name: string): number {
  return name.length % 2 ? longTimeoutMs : 200;
}
