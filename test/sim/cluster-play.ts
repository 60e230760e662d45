// One run of the simulator with several servers on one store, all in one thread and in virtual time: clients come to any of them by
// any request, servers are killed and stand still, sessions move, and the way to the store has every fault. A step draws from its
// own random numbers, so that the rest of a run is the same if it is left out. Longer than other files: all that may happen in a run
// is side by side.
import { type Socket as ClientSocket, connect, polling, race, sse, type Transport } from '@halyard/client/core';
import { json } from '@halyard/codec/json';
import { msgpack } from '@halyard/codec-msgpack';
import { VirtualClock } from '@halyard/harness/clock';
import { type Random, seededRandom } from '@halyard/harness/random';
import type { Commit, CommitResult, Handshake, Namespace, Socket } from '@halyard/server';
import { ClusterModel, type Emission, findsOutMs } from './cluster-model';
import { type Counters, noCounts } from './counters';
import { gated, HaltingTime } from './halting-time';
import { Broken } from './model';
import { drawScene, sceneOf } from './scenes';
import { outrun } from './scenes/moves';
import { type Guest, type Loss, type Scene, type Stage, Unplayable } from './scenes/stage';
import { loseUnread } from './scenes/unread';
import { Failure, type Script } from './script';
import { recoveryWindowMs, ServerPlace } from './server-place';
import { type SimulatedNode, SimulatedStore } from './simulated-store';
import { watchTurns } from './told-in-turns';

const rooms = ['a', 'b', 'c', 'd'];
const namespaces = ['/', '/b'];
const clientsMin = 3;
/** What may disturb a run: how often each does is drawn for each run, so that some have much of one kind. */
const disturbances = [
  ...(['cut', 'all cut', 'stall', 'slow', 'lossy', 'pause', 'away', 'sleep', 'vanish', 'far'] as const),
  ...(['rollback', 'clock'] as const),
];
type Disturbance = (typeof disturbances)[number];
const weights = [0, 1, 1, 2, 5];
const turn = () => new Promise((resolve) => setImmediate(resolve));
/** As long as everything may take to be well again. */
const settleMsMax = 180_000;
const limits = { entryAgeMsMax: 200_000, logBytesMax: 1 << 24, journalBytesMax: 1 << 26 };
/** What no run says in a room. */
const longLog = 5_000;
/** How long handlers take, by the length of what is asked. */
const answersMs = [1, 60, 3_000] as const;
/** How often a run of one scene plays it. */
const roundsOfScene = 3;
/** What clients may be told about an event whose reply they wait for. */
const knownCodes = ['ERR_ACK_TIMEOUT', 'ERR_OWNER_LOST', 'ERR_DISCONNECTED', 'ERR_NOT_CONNECTED', 'ERR_HANDLER'];

/** @returns what the run has met. @throws Failure */
export async function playCluster(script: Script): Promise<Counters> {
  const world = new ClusterWorld(script);
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

interface Client {
  readonly name: string;
  readonly time: HaltingTime;
  readonly socket: ClientSocket;
  readonly sockets: Map<string, ClientSocket>;
  asked: number;
  settled: number;
  /** Its sockets' ids as it was told last, by namespace. */
  readonly ids: Map<string, string>;
  /** All that it has said. */
  readonly said: string[];
  /** Sockets that servers have had for it and that it was not told of, each with its namespace. */
  readonly unknown: Map<string, string>;
  /** Whether it was told of a session. */
  isKnown: boolean;
  /** Where its connections go, if that is not by chance. */
  readonly way: { place: ServerPlace | undefined };
}

class ClusterWorld implements Stage {
  readonly counters = noCounts();
  readonly transcript: string[] = [];
  readonly #random: Random;
  /** Of its own, so that runs of before stay as they were but for that. */
  readonly #latest: Random;
  readonly #clock = new VirtualClock();
  readonly #store: SimulatedStore;
  readonly #model = new ClusterModel(() => this.#clock.now());
  readonly #nodes: number;
  readonly #native: boolean;
  /** Whether what goes over HTTP is a stream. */
  readonly #streams: boolean;
  /** Each as often as it weighs. */
  readonly #disturbances: readonly Disturbance[];
  /** How long a step takes at most. */
  readonly #stepMsMax: number;
  readonly #clients: Client[] = [];
  #places: ServerPlace[] = [];
  #servers = 0;
  #names = 0;
  #guests = 0;
  /** Undefined: servers go without a word alone; else some are told to stop before. */
  readonly #drains: Random | undefined;
  /** How many emits of each server there were. */
  readonly #numbers = new Map<number, number>();
  #broken: unknown;
  #isEnding = false;
  /** Sockets of clients that are gone for good. */
  readonly #gone = new Set<string>();
  /** Sessions of which the store has that they are over. */
  readonly #ended = new Set<string>();
  /** When an event of a session was handled last. */
  readonly #handledAt = new Map<string, number>();
  /** Names of clients that an app has sent out. */
  readonly #sentOut = new Set<string>();
  /** How often servers have said of sockets that they are over. */
  readonly #overs = new Map<string, number>();
  /** Since when sockets have been without their client, by what servers know of that; `Infinity` if they have it. */
  readonly #awaySince = new Map<string, number>();
  /** Whether the time of day is not the same everywhere. */
  readonly #setsClocks: boolean;
  /** For how long what is presented for `/b` is good, if that ends: in some runs only. */
  readonly #authMs: number | undefined;
  /** Until when what clients have presented is good, by their names: for each session that they may have, and of a renewal also what was before. */
  readonly #authUntil = new Map<string, number[]>();
  /** Whether clients may be away for longer than their sessions wait: in some runs only, else none may be lost. */
  readonly #outlastsWindows: boolean;
  /** Whether the store may lose what it has done: in some runs only, else nothing may be lost, however loudly. */
  readonly #rollsBack: boolean;
  /** How many messages logs keep: in some runs only so few that some are missed, and most of them replaced by newer ones. */
  readonly #logPacketsMax: number;
  /** Whether servers find out late what it has lost, and members leave before they have read it: in some runs only, too. */
  readonly #findsOutLate: boolean;
  /** Whether nobody is told what is lost. */
  readonly #findsOutAlone: boolean;
  /** The last that happens, and how often that is played. */
  readonly #scene: Scene | undefined;
  readonly #rounds: number;
  /** Whether there is nothing but that, and what it needs. */
  readonly #isOfScene: boolean;
  /** Of the scene. */
  readonly random: Random;
  #hasRolledBack = false;
  /** Whether it has begun to do so. */
  #losesKeys = false;
  /** When it has done so last. */
  #lostAt = Number.NEGATIVE_INFINITY;
  /** What was committed last to each partition, and when. */
  readonly #lately: { readonly at: number; readonly partition: number; readonly name: string }[] = [];

  constructor({ seed, nodes, scene }: Script) {
    const random = seededRandom(seed);
    this.#random = random;
    this.#latest = seededRandom((seed ^ 0x6a09e667) >>> 0);
    const drains = seededRandom((seed ^ 0x3c6ef372) >>> 0);
    this.#drains = drains.chance(0.3) ? drains : undefined;
    this.#nodes = nodes;
    this.#native = random.chance(0.5);
    this.#streams = seededRandom((seed ^ 0x114ad) >>> 0).chance(0.3);
    const logs = seededRandom((seed ^ 0x1f83d9ab) >>> 0);
    this.#logPacketsMax = scene === undefined && logs.chance(0.2) ? logs.pick([8, 24]) : longLog;
    const kept = { ...limits, logPacketsMax: this.#logPacketsMax };
    this.#store = new SimulatedStore(this.#clock, seededRandom(random.int(2 ** 32)), kept, random.pick([1, 3]), {
      committed: (partition, commit, result) => this.#committed(partition, commit, result),
      repeated: () => this.counters['commits repeated']++,
      fenced: () => this.counters.fences++,
      rolledBack: () => this.counters['commits refused']++,
      lost: (partition, since) => this.#lost(partition, since),
    });
    const [rollsBack, setsClocks] = [random.chance(0.5), random.chance(0.3)];
    const outlastsWindows = seededRandom((seed ^ 0x5bd1e995) >>> 0).chance(0.3);
    // Of its scene a run has only what that needs.
    const its = scene === undefined ? undefined : sceneOf(scene);
    this.#rollsBack = its === undefined ? rollsBack : its.excuse === 'rollback';
    this.#setsClocks = its === undefined && setsClocks;
    this.#outlastsWindows = its === undefined ? outlastsWindows : its.excuse === 'long away';
    const ending = seededRandom((seed ^ 0x510e527f) >>> 0);
    this.#authMs = its === undefined && ending.chance(0.2) ? ending.pick([4_000, 15_000, 60_000]) : undefined;
    this.#findsOutLate = seededRandom((seed ^ 0x2545f491) >>> 0).chance(0.5);
    this.#findsOutAlone = seededRandom((seed ^ 0x6c078965) >>> 0).chance(0.5);
    this.#stepMsMax = random.pick([25, 100, 400]);
    this.#disturbances = disturbances
      .filter((one) => (one === 'rollback' ? this.#rollsBack : one === 'clock' ? this.#setsClocks : true))
      .flatMap((one) => Array<Disturbance>(random.pick(one === 'rollback' ? [2, 5] : weights)).fill(one))
      .filter(() => its === undefined);
    // Drawn apart: what is before the scene is as it was.
    this.random = seededRandom((seed ^ 0x1b873593) >>> 0);
    const excuse = this.#rollsBack ? 'rollback' : undefined;
    this.#scene = its ?? drawScene(this.random, excuse, this.#outlastsWindows);
    this.#isOfScene = its !== undefined;
    this.#rounds = its === undefined ? 1 : roundsOfScene;
  }

  async start(): Promise<void> {
    for (let i = 0; i < this.#nodes; i++) await this.#serve();
    const count = clientsMin + this.#random.int(3);
    for (let i = 0; i < count; i++) this.#clients.push(this.#join(`c${i}`));
    await this.#elapse(500);
  }

  async step(i: number, random: Random): Promise<void> {
    this.#act(i, random);
    if (random.chance(0.6)) await this.#elapse(random.int(this.#stepMsMax));
    if (random.chance(0.02)) await this.#elapse(random.int(this.#outlastsWindows ? 120_000 : 4_000));
    if (random.chance(0.02) && this.#disturbances.length > 0) {
      await turn();
      await this.#kill(random.pick(this.#alive()));
    }
    this.#check();
  }

  /** Everything is well again: all that is due comes, and nothing is left. */
  async end(): Promise<void> {
    // What happens now no later loss excuses, and no later move mends.
    for (let i = 0; i < this.#rounds; i++) if (this.#scene !== undefined) await this.#play(this.#scene);
    this.#note('all is well');
    this.#isEnding = true;
    Object.assign(this.#store.path, { lostCalls: 0, lostAnswers: 0, late: 0, untold: 0, latencyMs: [1, 5] });
    for (const place of this.#places) place.heal();
    for (const { socket } of this.#clients) socket.connect();
    for (let waited = 0; waited < 5_000 || this.#whatIsMissing() !== ''; waited += 250) {
      if (waited > settleMsMax) throw new Broken(`not settled: ${this.#whatIsMissing()}`);
      await this.#elapse(250);
      this.#check();
    }
    this.counters['replaced by newer'] += this.#model.replaced;
    for (const { io, time, number } of this.#places) {
      // Its timers stand still as well.
      if (time.isHalted) continue;
      for (const { id, handshake } of io.of('/b').sockets.values()) {
        // Who stood still may not know yet that others have it. And timers of servers are late, if not by a second.
        if (!this.#model.isAt(id, number)) continue;
        const isOver =
          !this.#setsClocks && Number(handshake.expiresAt ?? Number.POSITIVE_INFINITY) < time.wall() - 1_000;
        if (isOver) throw new Broken(`${id} is there, and what it has presented is not good any more`);
      }
    }
    for (const { socket } of this.#clients) socket.connection.close();
    const sockets = () =>
      this.#places.reduce(
        (sum, { io }) => sum + namespaces.reduce((all, name) => all + io.of(name).sockets.size, 0),
        0,
      );
    for (let waited = 0; sockets() > 0 && waited < 400_000; waited += 1_000) await this.#elapse(1_000);
    if (sockets() > 0) throw new Broken(`${sockets()} sockets are left when all clients have closed`);
    // A server that is killed between storing that a session is over and saying so takes that with it.
    const isUnsayable = (socket: string) => this.#ended.has(sessionOf(socket)) && this.#model.isAtKilled(socket);
    const unsaid = () =>
      [...this.#gone].find((socket) => !this.#overs.has(socket) && this.#model.isDue(socket) && !isUnsayable(socket));
    for (let waited = 0; unsaid() !== undefined; waited += 1_000) {
      if (waited > 400_000) throw new Broken(`${unsaid()} is gone for good, and no server says so`);
      await this.#elapse(1_000);
    }
    let closed = 0;
    for (const { io, network } of this.#places) {
      this.counters['slow readers cut'] += network.cutsByServer;
      void io.close().then(() => closed++);
    }
    for (let waited = 0; closed < this.#places.length; waited += 1_000) {
      if (waited > 60_000) throw new Broken(`${this.#places.length - closed} servers do not close`);
      await this.#elapse(1_000);
    }
    this.#check();
  }

  /** Nothing of it goes on. */
  async abandon(): Promise<void> {
    for (const place of this.#places) place.kill();
    for (const client of this.#clients) client.socket.connection.close();
    await turn();
  }

  /** Whether sessions may end, if it is told. */
  get #mayLose(): boolean {
    return this.#hasRolledBack || this.#outlastsWindows;
  }

  /**
   * Whether a client was away for as long as its session waits, though nothing of the run is made for that: it has slept, and slept
   * on, and where it came before and after servers stood still (seed 7601329).
   */
  #isOutlasted(client: Client): boolean {
    // Of a scene it is known whether anybody is.
    if (this.#isOfScene) return false;
    const now = this.#clock.now();
    return [...client.ids.values()].some((id) => now - (this.#awaySince.get(id) ?? now) >= recoveryWindowMs);
  }

  /** Whether what it has presented may have ended, on a server that does not know the last of it, or has another time of day. */
  #mayHaveEnded(client: Client): boolean {
    const ends = this.#authUntil.get(client.name) ?? [];
    return this.#authMs !== undefined && (this.#setsClocks || ends.some((end) => end <= this.#clock.now()));
  }

  /** Whether the session of a client may end, if it is told. */
  #mayLoseIts(client: Client, reason = 'log-trimmed'): boolean {
    // Who was away as that was found out, and comes to another server, is not told why.
    const isTrimmed = this.#hasShortLogs && ['log-trimmed', 'unknown-session'].includes(reason);
    const isOver = this.#isOutlasted(client) || this.#mayHaveEnded(client) || this.#sentOut.has(client.name);
    return this.#mayLose || isTrimmed || isOver;
  }

  /** Whether they may later. */
  get #losesSessions(): boolean {
    return this.#rollsBack || this.#outlastsWindows || this.#hasShortLogs;
  }

  get #hasShortLogs(): boolean {
    return this.#logPacketsMax < longLog;
  }

  /** Runs something later, if not all is well by then. */
  #during(delayMs: number, run: () => void): void {
    this.#clock.after(delayMs, () => {
      if (!this.#isEnding) run();
    });
  }

  #note(line: string): void {
    this.transcript.push(`${String(this.#clock.now()).padStart(8)} ms  ${line}`);
  }

  #check(): void {
    if (this.#broken !== undefined) throw this.#broken;
  }

  /** What breaks the promise in code of the app is not to be swallowed by who calls it. */
  #watch(run: () => void): void {
    try {
      run();
    } catch (error) {
      this.#broken ??= error;
    }
  }

  async #elapse(ms: number): Promise<void> {
    const end = this.#clock.now() + ms;
    while (this.#clock.now() < end) {
      this.#clock.advance(Math.max(Math.min(this.#clock.nextAt, end) - this.#clock.now(), 0));
      // A call to the store goes through several turns of its own.
      await turn();
    }
  }

  /** What the store has got: names are told apart by their form. */
  #committed(
    partition: number,
    { steps, records }: Commit,
    { positions, repeated, fenced, missing }: CommitResult,
  ): void {
    const stored = (name: string, room: string | undefined): void => {
      if (this.#rollsBack) this.#lately.push({ at: this.#clock.now(), partition, name });
      this.#model.stored(name, room);
    };
    const unwritten = new Set([...fenced.map(([session]) => session), ...missing]);
    for (const [i, step] of steps.entries()) {
      if (repeated.includes(i)) this.counters['said again']++;
      else if ('log' in step) stored(nameIn(step.bodies[0]), roomOf(step.log));
      else if ('to' in step && positions[i]?.[1]) stored(nameIn(step.body), undefined);
    }
    for (const { session, parts } of records) {
      if (unwritten.has(session)) continue;
      if (parts === undefined) this.#ended.add(session);
      for (const [part, frame] of parts ?? []) {
        if (part.startsWith('frame') && frame !== undefined) stored(nameIn(frame), undefined);
      }
    }
  }

  #lost(partition: number, since: number): void {
    this.counters.rollbacks++;
    this.#hasRolledBack = true;
    this.#lostAt = this.#clock.now();
    this.#model.lostSince(since);
    this.#note(`partition ${partition} has lost all since ${since} ms`);
    for (const one of this.#lately.splice(0)) {
      if (one.partition !== partition) this.#lately.push(one);
      else if (one.at >= since) this.#model.rolledBack(one.name);
    }
  }

  async #serve(): Promise<void> {
    const number = ++this.#servers;
    const place = new ServerPlace(
      number,
      this.#clock,
      () => seededRandom(this.#random.int(2 ** 32)),
      this.#native,
      this.#store.node(),
      this.#logPacketsMax,
    );
    place.io.on('error', (error) => {
      if (place.isAlive) this.#note(`server ${number}: ${error}`);
    });
    place.io.on('session-expired', ({ sockets }) => {
      if (!place.isAlive) return;
      this.counters['sessions expired']++;
      for (const { id } of sockets) this.#over(id, `server ${number}: ${id} has expired`);
    });
    for (const name of namespaces) {
      const namespace = place.io.of(name);
      if (name === '/b') namespace.use(() => new Promise<void>((resolve) => place.time.after(15, resolve)));
      if (name === '/b' && this.#authMs !== undefined) this.#askAgain(namespace, place.time, this.#authMs);
      namespace.on('connection', (socket) => this.#serveSocket(place, socket as Socket));
    }
    let isListening: boolean | undefined;
    place.io.listen(1).then(
      () => {
        isListening = true;
      },
      () => {
        isListening = false;
      },
    );
    while (isListening === undefined) await this.#elapse(10);
    if (isListening) {
      this.#note(`server ${number} is there`);
      this.#places.push(place);
    } else {
      // The store does not answer.
      place.kill();
      await this.#elapse(500);
      await this.#serve();
    }
  }

  /** What is presented for a namespace is good for a while, on whichever server that is over. */
  #askAgain(namespace: Namespace, time: HaltingTime, authMs: number): void {
    const lasts = (handshake: Handshake): number[] => {
      handshake.expiresAt = time.wall() + authMs;
      const name = String(handshake.auth.name);
      const until = this.#authUntil.get(name) ?? [];
      this.#authUntil.set(name, until);
      until.push(this.#clock.now() + authMs);
      return until;
    };
    namespace.use((handshake) => void lasts(handshake));
    namespace.renew((handshake) => {
      this.counters.renewals++;
      const until = lasts(handshake);
      until.splice(0, until.length - 2);
    });
  }

  #serveSocket(place: ServerPlace, socket: Socket): void {
    const client = String(socket.handshake.auth.name);
    this.#note(
      `server ${place.number}: ${client}${socket.namespace} is ${socket.id}${socket.recovered ? ', recovered' : ''}`,
    );
    this.#model.entered(socket.id, socket.namespace, place.number, place.time.aheadMs);
    const its = this.#clients.find(
      (one) => one.name === client && (!one.isKnown || this.#losesSessions || this.#mayLoseIts(one)),
    );
    const { id } = socket;
    this.#awaySince.set(id, socket.recovered ? this.#clock.now() : Number.POSITIVE_INFINITY);
    // Not by who has it no more.
    const isIts = () => place.isAlive && this.#model.isAt(id, place.number);
    socket.on('away', () => isIts() && this.#awaySince.set(id, this.#clock.now()));
    socket.on('resume', () => isIts() && this.#awaySince.set(id, Number.POSITIVE_INFINITY));
    if (!socket.recovered) its?.unknown.set(socket.id, socket.namespace);
    if (socket.recovered) {
      this.counters.moves++;
      // What was said may be rolled back, too.
      if (place.isAlive && this.#overs.has(socket.id) && !this.#hasRolledBack) {
        this.#broken ??= new Broken(`${client} resumed ${socket.id}, which was said to be over`);
      }
      this.#model.moved(socket.id, place.number, place.time.aheadMs);
    }
    socket.on('disconnect', () => {
      if (!place.isAlive) return;
      if (this.#sentOut.has(client) && !this.#model.isAt(socket.id, place.number))
        this.#broken ??= new Broken(`${socket.id} is said to be over at a server that has it no more`);
      this.#over(socket.id, `server ${place.number}: ${socket.id} is over`);
    });
    socket.on('moved', () => {
      if (place.isAlive) this.#note(`server ${place.number}: ${socket.id} has moved`);
    });
    for (const event of ['event', 'ask']) {
      socket.on(event, (text: string) => {
        if (!place.isAlive) return undefined;
        this.#handledAt.set(sessionOf(socket.id), this.#clock.now());
        this.#note(`server ${place.number}: handles ${text}${socket.redelivered ? ' again' : ''}`);
        this.#watch(() => this.#model.handled(text, socket.redelivered));
        this.counters['events to the server']++;
        if (socket.redelivered) this.counters['events handled again']++;
        if (event === 'event') return undefined;
        return new Promise((resolve) => place.time.after(answersMs[text.length % 3] as number, () => resolve(text)));
      });
    }
  }

  /** A server says that a socket is. */
  #over(socket: string, note: string): void {
    this.#note(note);
    const times = this.#overs.get(socket) ?? 0;
    // As long as anything fails, it may be said again, and if what is lost was that it was said.
    if (times > 0 && this.#isEnding && !this.#hasRolledBack) this.#broken ??= new Broken(`${socket} is over once more`);
    this.#overs.set(socket, times + 1);
  }

  /** @param goesTo for a client over WebSocket: where its connections go; undefined: any transport, and anywhere */
  #join(name: string, goesTo?: ServerPlace): Client {
    const random = this.#random;
    const time = new HaltingTime(this.#clock);
    const doubled = seededRandom(random.int(2 ** 32));
    const doubles = (): boolean => {
      const isDoubled = doubled.chance(0.02);
      if (isDoubled) this.counters['messages doubled']++;
      return isDoubled;
    };
    const way = { place: goesTo };
    const anyPlace = (): ServerPlace => {
      const sent = way.place;
      return sent?.isAlive ? sent : random.pick(this.#alive().filter(({ isReserved }) => !isReserved));
    };
    const stream: Transport = {
      open: (address, events) => {
        this.counters['websocket connections']++;
        return anyPlace().network.transport.open(address, events);
      },
    };
    const requests: Transport = {
      open: (address, events) => {
        this.counters[this.#streams ? 'sse connections' : 'polling connections']++;
        // Each request comes to any server.
        const fetch = ((url: string, init: never) => anyPlace().http.fetch(url, init)) as never;
        return (this.#streams ? sse : polling)({ fetch }).open(address, events);
      },
    };
    const kind = goesTo === undefined ? random.int(3) : 0;
    const transport = kind === 0 ? stream : kind === 1 ? requests : race([stream, requests], 30, 60);
    const socket = connect('http://sim.example', {
      ...{
        transport: gated(transport, { time, doubles }),
        clock: time,
        random: seededRandom(random.int(2 ** 32)).next,
        auth: { name },
      },
      codec: kind === 0 ? random.pick([json(), msgpack()]) : json(),
      reconnect: { delayMinMs: 1, delayMaxMs: 400 },
      connectTimeoutMs: 5_000,
    });
    const client: Client = {
      ...{ name, time, socket, asked: 0, settled: 0, said: [], isKnown: false, way },
      sockets: new Map(),
      ids: new Map(),
      unknown: new Map(),
    };
    socket.connection.on('state', (change) => {
      if (change.to === 'open' && change.reason === 'moved')
        this.counters[change.transport === 'memory' ? 'switches' : 'switches back']++;
      if (change.to !== 'closed') return;
      this.#note(`${name} is closed: ${JSON.stringify(change)}`);
      if (this.#authMs !== undefined && change.close?.code === 4401) this.#authEnded(client);
      else if (!this.#isEnding && !this.#sentOut.has(name)) this.#broken ??= new Broken(`${name} is closed for good`);
    });
    for (const namespace of namespaces) {
      const one = namespace === '/' ? socket : socket.of(namespace, { auth: { name } });
      client.sockets.set(namespace, one);
      this.#listen(client, one);
    }
    return client;
  }

  /** It is told that its session is over, with all that waited, and comes back as somebody does who has something else to present. */
  #authEnded(client: Client): void {
    this.counters['auth ended']++;
    for (const text of client.said) this.#model.spared(text);
    for (const id of [...client.ids.values(), ...client.unknown.keys()]) this.#model.lost(id);
    client.ids.clear();
    client.unknown.clear();
    client.isKnown = false;
    client.time.after(50, () => {
      for (const socket of client.sockets.values()) socket.connect();
    });
  }

  #listen(client: Client, socket: ClientSocket): void {
    watchTurns(client.name, socket, (error) => {
      this.#broken ??= error;
    });
    socket.on('connect', ({ recovered, reason }) => {
      let id = client.ids.get(socket.namespace);
      this.#note(`${client.name}${socket.namespace} ${recovered ? 'resumed' : `connected ${reason ?? ''}`}`);
      if (recovered && id !== socket.id) this.#broken ??= new Broken(`${client.name} resumed ${id} as ${socket.id}`);
      const mayLose = this.#mayLoseIts(client, reason);
      if (!recovered && id !== undefined) {
        // Logs are long, and the window is: nothing may be lost.
        if (!mayLose) this.#broken ??= new Broken(`${client.name} has lost its session: ${reason}`);
        this.counters['sessions lost']++;
        if (reason === 'log-trimmed' && this.#hasShortLogs) this.counters['logs too short']++;
        this.#model.lost(id);
      }
      if (reason !== undefined && (id === undefined || mayLose)) {
        // The session that it was not told of yet is lost, and it is told that.
        for (const text of client.said) this.#model.spared(text);
        for (const [one, its] of client.unknown) {
          if (its === socket.namespace && one !== socket.id) this.#model.lost(one);
        }
      }
      id = socket.id as string;
      client.ids.set(socket.namespace, id);
      client.unknown.delete(id);
      const ends = this.#authUntil.get(client.name);
      this.#clock.after(1, () => {
        client.isKnown = true;
        if (!recovered && socket.namespace === '/b') ends?.splice(0, ends.length - 1);
      });
      if (recovered) this.counters['sessions resumed']++;
      this.#model.entered(id, socket.namespace);
      this.#model.told(id, '', true);
    });
    socket.on('error', (error) => {
      // Its session ended for good before that could leave.
      if ((error as { code?: string }).code !== 'ERR_DISCONNECTED') this.#broken ??= error;
    });
    socket.on('connect_error', () => {});
    socket.on('changed', (room: string, isIn: boolean) => this.#model.told(socket.id as string, room, isIn));
    for (const event of ['event', 'ask']) {
      socket.on(event, (text: string) => {
        this.#watch(() => this.#model.arrived(socket.id as string, nameOf(text)));
        this.counters['events to clients']++;
        return event === 'ask' ? text : undefined;
      });
    }
    socket.on('loud', () => this.counters.volatile++);
  }

  /** A server goes without a word, or in peace as far as it comes with that, and later another one comes. */
  async #kill(place: ServerPlace): Promise<void> {
    if (this.#drains?.chance(0.5) && this.#alive().length > 1) await this.#drain(place);
    this.#note(`server ${place.number} is killed`);
    this.counters['servers killed']++;
    const reachable = Math.max(this.#lostAt, this.#store.backAt);
    const isUnaware = this.#hasRolledBack && this.#clock.now() - reachable < findsOutMs;
    this.#model.killed(place.number, isUnaware);
    this.#leave(place);
    this.#places = this.#places.filter((one) => one !== place);
    await this.#serve();
  }

  /** Its clients are told to leave. Whatever else is amiss, it may take longer than it has. */
  async #drain(place: ServerPlace): Promise<void> {
    this.#note(`server ${place.number} is told to stop`);
    this.counters['servers told to stop']++;
    place.isLeaving = true;
    let isClosed = false;
    const closed = (): void => {
      isClosed = true;
    };
    place.io.close({ drainMs: 2_000 }).then(closed, closed);
    for (let waitedMs = 0; waitedMs < 4_000 && !isClosed; waitedMs += 100) await this.#elapse(100);
    this.#note(`server ${place.number} has ${isClosed ? 'stopped' : 'not stopped in time'}`);
  }

  #leave(place: ServerPlace): void {
    for (const { id } of namespaces.flatMap((name) => [...place.io.of(name).sockets.values()])) {
      const isHere = this.#model.isAt(id, place.number) && this.#awaySince.get(id) === Number.POSITIVE_INFINITY;
      if (isHere) this.#awaySince.set(id, this.#clock.now());
    }
    this.counters['slow readers cut'] += place.network.cutsByServer;
    place.kill();
  }

  #alive(): ServerPlace[] {
    return this.#places.filter(({ isAlive, isLeaving }) => isAlive && !isLeaving);
  }

  #act(i: number, random: Random): void {
    const name = `${i}.${++this.#names}`;
    const kind = random.int(20);
    if (kind < 6) this.#say(random.pick(this.#clients), random.pick(namespaces), name, random);
    else if (kind < 14) this.#emit(random.pick(this.#alive()), random.pick(namespaces), name, random);
    else if (kind < 17) this.#move(random);
    else this.#disturb(random);
  }

  #say(client: Client, namespace: string, name: string, random: Random): void {
    const socket = client.sockets.get(namespace) as ClientSocket;
    const count = random.chance(0.05) ? 80 : 1;
    // What it had presented has ended, and it is about to come back.
    if (!socket.active) return;
    this.#note(`${client.name}${namespace} says ${name}${count > 1 ? `, ${count} times` : ''}`);
    for (let i = 0; i < count; i++) {
      const text = `${name}-${i}`;
      if (random.chance(0.5)) {
        this.#says(client, text);
        socket.emit('event', text);
      } else this.#question(client, socket, text, random.pick([100, 900_000]));
    }
  }

  #says(client: Client, text: string): void {
    this.#model.said(text);
    client.said.push(text);
  }

  #question(client: Client, socket: ClientSocket, text: string, timeoutMs: number): void {
    this.#says(client, text);
    client.asked++;
    this.counters.acks++;
    socket
      .timeout(timeoutMs)
      .emitWithAck('ask', text)
      .then(
        (value) => {
          client.settled++;
          if (value !== text) this.#broken ??= new Broken(`the reply to ${text} is ${value}`);
        },
        (error: { code?: string; details?: { left?: boolean } }) => {
          client.settled++;
          this.counters['acks failed']++;
          if (error.details?.left === false) this.#model.spared(text);
          const isKnown =
            this.#mayLose ||
            (error.code === 'ERR_SESSION_LOST' && this.#mayLoseIts(client)) ||
            knownCodes.includes(String(error.code)) ||
            (!client.isKnown && error.code === 'ERR_SESSION_LOST');
          if (!isKnown) this.#broken ??= new Broken(`the reply to ${text} is ${error}`);
        },
      );
  }

  #emit(place: ServerPlace, namespace: string, name: string, random: Random): void {
    const io = place.io.of(namespace);
    const emission = this.#emission(place, namespace, name);
    const sockets = [...io.sockets.values()];
    const elsewhere = this.#alive().flatMap((other) => [...other.io.of(namespace).sockets.keys()]);
    if (random.chance(0.1) && elsewhere.length > 0) {
      const socket = random.pick(elsewhere);
      this.#note(`server ${place.number}: ${namespace} emits ${name} to ${socket}, wherever it is`);
      if (!io.sockets.has(socket)) this.counters.letters++;
      this.#model.emitted({ ...emission, rooms: undefined, except: [], socket, isOfEvents: this.#isOfEvents(socket) });
      io.to(socket).emit('event', textOf(name));
      return;
    }
    if (random.chance(0.25) && sockets.length > 0) {
      const socket = random.pick(sockets);
      this.#note(`server ${place.number}: ${namespace} emits ${name} to ${socket.id}`);
      const isAsked = !random.chance(0.5);
      const isOfEvents = this.#isOfEvents(socket.id);
      this.#model.emitted({ ...emission, rooms: undefined, except: [], socket: socket.id, isAsked, isOfEvents });
      if (!isAsked) socket.emit('event', textOf(name));
      else this.#ask(socket as Socket, name);
      return;
    }
    const to = random.pick([[], [random.pick(rooms)], [...new Set([random.pick(rooms), random.pick(rooms)])]]);
    const except = random.chance(0.3) ? [random.pick([...rooms, ...io.sockets.keys()])] : [];
    if (random.chance(0.1)) {
      (to.length === 0 ? io : io.to(to)).volatile.emit('loud', textOf(name));
      return;
    }
    this.#note(
      `server ${place.number}: ${namespace} emits ${name} to ${to.length ? to : 'all'}${except.length ? ` except ${except}` : ''}`,
    );
    const isLatest = to.length < 2 && except.length === 0 && this.#latest.chance(this.#hasShortLogs ? 0.8 : 0.3);
    const key = isLatest ? this.#latest.pick(['one', 'two']) : undefined;
    this.#model.emitted({ ...emission, rooms: to, except, key });
    if (to.length > 1) this.counters['several rooms']++;
    if (except.length > 0 && sockets.some(({ away }) => away)) this.counters['replays with except']++;
    const targetAt = ({ io: server }: ServerPlace) => {
      const its = server.of(namespace);
      return to.length === 0 ? its.except(except) : its.to(to).except(except);
    };
    if (random.chance(0.1)) {
      // Where it comes among what else is emitted is not known if it is said again.
      this.#model.emitted({ ...emission, rooms: to, except, own: new Set(), key: undefined });
      this.#emitDurably(place, name, targetAt, random.chance(0.3), 3);
      return;
    }
    const target = targetAt(place);
    const long = random.chance(0.1) ? 'x'.repeat(random.pick([1_500, 70_000])) : '';
    if (key === undefined) target.emit('event', `${textOf(name)}${long}`);
    else target.latest('event', key).emit(`${textOf(name)}${long}`);
  }

  /** Whether an event of its session was handled lately, by any server: it may not be stored as long as the store is away. */
  #isOfEvents(socket: string): boolean {
    return this.#clock.now() - (this.#handledAt.get(sessionOf(socket)) ?? -Infinity) < 240_000;
  }

  /** What the model has to know of all that is emitted. */
  #emission(place: ServerPlace, namespace: string, name: string): Omit<Emission, 'rooms' | 'except'> {
    const number = (this.#numbers.get(place.number) ?? 0) + 1;
    this.#numbers.set(place.number, number);
    const sockets = place.io.of(namespace).sockets.keys();
    // Who has it and does not know yet that another one has taken it may still have its client.
    const others = this.#alive().filter((one) => one !== place);
    const isElsewhere = (id: string) => others.some(({ io }) => io.of(namespace).sockets.has(id));
    const own = new Set([...sockets].filter((id) => this.#model.isAt(id, place.number) && !isElsewhere(id)));
    const calledAt = this.#clock.now();
    return { name, server: place.number, number, calledAt, namespace, own, isUnsure: this.#setsClocks };
  }

  #emitLarge(place: ServerPlace): void {
    const name = `0.${++this.#names}`;
    this.#note(`server ${place.number}: / emits ${name} to all, which is large`);
    this.#model.emitted({ ...this.#emission(place, '/', name), rooms: [], except: [] });
    place.io.emit('event', `${textOf(name)}${'x'.repeat(50_000)}`);
  }

  /** Until it is stored, some server says it again. @param isDoubted whether it is said again all the same */
  #emitDurably(
    place: ServerPlace,
    name: string,
    targetAt: (place: ServerPlace) => ReturnType<ServerPlace['io']['to']>,
    isDoubted: boolean,
    triesMax: number,
  ): void {
    this.counters.durable++;
    const again = (): void => {
      // With what is lost its key is.
      if (this.#isEnding || triesMax === 1 || this.#losesKeys) return;
      this.#model.saidAgain(name);
      this.#emitDurably(this.#random.pick(this.#alive()), name, targetAt, false, triesMax - 1);
    };
    targetAt(place)
      .idempotencyKey(name)
      .timeout(1_000)
      .emitDurable('event', textOf(name))
      .then(() => {
        if (!this.#model.isStored(name)) this.#broken ??= new Broken(`${name} is said to be stored, and is not`);
        if (isDoubted) again();
      }, again);
  }

  #ask(socket: Socket, name: string): void {
    this.counters.acks++;
    socket
      .timeout(5_000)
      .emitWithAck('ask', textOf(name))
      .then(
        (value) => {
          if (value !== textOf(name)) this.#broken ??= new Broken(`the reply to ${name} is ${value}`);
        },
        () => {
          this.counters['acks failed']++;
        },
      );
  }

  #move(random: Random): void {
    const place = random.pick(this.#alive());
    const sockets = [...place.io.of(random.pick(namespaces)).sockets.values()];
    if (sockets.length === 0) return;
    const socket = random.pick(sockets) as Socket;
    const its = rooms.filter((one) => socket.rooms.has(one));
    const room = random.pick(its.length > 0 && random.chance(0.5) ? its : rooms);
    this.change(place, socket.id, room);
  }

  change(place: ServerPlace, id: string, room: string): boolean {
    const socket = namespaces.map((name) => place.io.of(name).sockets.get(id)).find((one) => one !== undefined);
    // As long as nobody knows what has become of it, it is left alone.
    if (socket === undefined || !place.isAlive || !this.#model.isSure(id, room)) return false;
    const isIn = !socket.rooms.has(room);
    this.#note(`server ${place.number}: ${socket.id} ${isIn ? 'joins' : 'leaves'} ${room}`);
    this.counters[isIn ? 'joins' : 'leaves']++;
    this.#model.changes(socket.id, room, isIn);
    if (isIn) socket.join(room);
    else socket.leave(room);
    // Once its client knows, it is stored.
    socket.emit('changed', room, isIn);
    return true;
  }

  // What scenes are played with.

  async #play(scene: Scene): Promise<void> {
    try {
      await scene.play(this);
    } catch (error) {
      if (!(error instanceof Unplayable)) throw error;
      this.#note(`no scene: ${error.message}`);
    }
    for (const place of this.#places) place.isReserved = false;
    this.#check();
  }

  get store(): SimulatedStore {
    return this.#store;
  }

  now(): number {
    return this.#clock.now();
  }

  async elapse(ms: number): Promise<void> {
    await this.#elapse(ms);
    this.#check();
  }

  during(delayMs: number, run: () => void): void {
    this.#during(delayMs, run);
  }

  note(line: string): void {
    this.#note(line);
  }

  async until(isSo: () => boolean, msMax = 10_000): Promise<void> {
    for (let waited = 0; !isSo(); waited += 5) {
      if (waited > msMax) throw new Unplayable(`after ${msMax} ms it is not so: ${isSo}`);
      await this.elapse(5);
    }
  }

  isOver(socket: string): boolean {
    return this.#overs.has(socket);
  }

  async calm(): Promise<void> {
    Object.assign(this.#store.path, { lostCalls: 0, lostAnswers: 0, late: 0, untold: 0, latencyMs: [1, 5] });
    for (const place of this.#places) place.heal();
    const isConnected = (socket: ClientSocket): boolean => socket.connected;
    const isCalm = (): boolean =>
      [...this.#places, ...this.#clients].every(({ time }) => !time.isHalted) &&
      this.#clients.every(({ sockets }) => [...sockets.values()].every(isConnected)) &&
      !this.#store.isAway &&
      (!this.#rollsBack || this.#store.mayRollBack);
    await this.until(isCalm, settleMsMax);
    // What is still on its way comes, and what is lost is found out.
    await this.elapse(5_000);
    await this.until(isCalm);
  }

  servers(): readonly ServerPlace[] {
    return this.#alive();
  }

  async newcomer(): Promise<ServerPlace> {
    await this.#serve();
    const place = this.#places.at(-1) as ServerPlace;
    place.isReserved = true;
    return place;
  }

  async guest(place: ServerPlace, ...its: string[]): Promise<Guest> {
    const client = this.#join(`g${++this.#guests}`, place);
    this.#clients.push(client);
    const id = (): string => client.sockets.get('/')?.id ?? '';
    await this.until(() => client.socket.connected && this.#model.isAt(id(), place.number));
    for (const room of its) this.change(place, id(), room);
    await this.until(() => its.every((room) => this.#model.isSure(id(), room) && this.#model.isIn(id(), room)));
    return { name: client.name, way: client.way, id };
  }

  room(other?: string): string {
    const partitionOf = (name: string): number => this.#store.partitionOf(logOf(name));
    for (;;) {
      const name = `s${++this.#names}`;
      if (other === undefined || this.#store.partitions === 1 || partitionOf(name) !== partitionOf(other)) return name;
    }
  }

  emit(place: ServerPlace, ...to: string[]): void {
    if (!place.isAlive) return;
    const name = `0.${++this.#names}`;
    this.#note(`server ${place.number}: / emits ${name} to ${to}`);
    this.#model.emitted({ ...this.#emission(place, '/', name), rooms: to, except: [] });
    place.io.to(to).emit('event', textOf(name));
  }

  emitExcept(place: ServerPlace, room: string): void {
    const name = `0.${++this.#names}`;
    this.#note(`server ${place.number}: / emits ${name} to all except ${room}`);
    this.#model.emitted({ ...this.#emission(place, '/', name), rooms: [], except: [room] });
    place.io.except(room).emit('event', textOf(name));
  }

  post(place: ServerPlace, socket: string): void {
    if (!place.isAlive) return;
    const name = `0.${++this.#names}`;
    this.#note(`server ${place.number}: / emits ${name} to ${socket}, wherever it is`);
    const isOfEvents = this.#isOfEvents(socket);
    this.#model.emitted({ ...this.#emission(place, '/', name), rooms: undefined, except: [], socket, isOfEvents });
    place.io.to(socket).emit('event', textOf(name));
  }

  ask(guest: Guest, answerMs: 1 | 60 | 3_000): void {
    const client = this.#clientOf(guest);
    // How long a handler takes is in the length of what is said.
    const text = `0.${++this.#names}-`.padEnd(9 + answersMs.indexOf(answerMs), '0');
    this.#note(`${client.name} asks ${text}`);
    this.#question(client, client.sockets.get('/') as ClientSocket, text, 900_000);
  }

  cut(place: ServerPlace): void {
    if (!place.isAlive) return;
    this.#note(`all connections of server ${place.number} are cut`);
    place.network.cut(undefined, 'both', [0, 20]);
  }

  async block(place: ServerPlace, ms: number): Promise<void> {
    this.emit(place, this.room());
    await this.elapse(1);
    this.halt(place, ms);
  }

  disconnectLate(place: ServerPlace, id: string): void {
    const socket = place.io.sockets.get(id);
    const isWhole = this.random.chance(0.5);
    place.time.gate(() => {
      if (!place.isAlive || socket === undefined || this.#model.isAt(id, place.number)) return;
      const client = this.#clients.find(({ sockets }) => sockets.get('/')?.id === id);
      // It goes out where it is, in one namespace or in all of them.
      if (client !== undefined) {
        this.#sentOut.add(client.name);
        for (const its of client.sockets.values()) this.#model.lost(its.id ?? '');
      }
      socket.disconnect(isWhole);
    });
  }

  halt(place: ServerPlace, ms: number): void {
    this.#note(`server ${place.number} stands still for ${ms} ms`);
    this.counters['servers paused']++;
    place.time.halt(ms);
    this.#model.stands(place.number, ms);
  }

  sleep(guest: Guest, ms: number): void {
    this.#sleep(this.#clientOf(guest), ms);
  }

  async kill(place: ServerPlace): Promise<void> {
    if (place.isAlive) await this.#kill(place);
  }

  lose({ of, lostMs, toldMs }: Loss): void {
    this.#losesKeys = true;
    this.#note(`the store loses for ${lostMs} ms what it does from now on with ${JSON.stringify(of)}`);
    const key = 'room' in of ? logOf(of.room) : sessionOf(of.socket);
    const placeOf = (node: SimulatedNode): ServerPlace | undefined => this.#places.find(({ store }) => store === node);
    const toldMsOf = (node: SimulatedNode): number => {
      const place = placeOf(node);
      return place === undefined ? 0 : toldMs(place);
    };
    const isLost = this.#store.rollBack(lostMs, toldMsOf, this.#store.partitionOf(key));
    if (!isLost) throw new Unplayable('the store has lost something just now');
  }

  isAt(socket: string, place: ServerPlace): boolean {
    return place.isAlive && this.#model.isAt(socket, place.number);
  }

  membersAt(place: ServerPlace): readonly (readonly [socket: string, room: string])[] {
    const members: [string, string][] = [];
    for (const { id, rooms: its } of place.io.sockets.values()) {
      const room = rooms.find((one) => its.has(one));
      if (room !== undefined) members.push([id, room]);
    }
    return members;
  }

  #clientOf({ name }: Guest): Client {
    return this.#clients.find((client) => client.name === name) as Client;
  }

  #disturb(random: Random): void {
    const place = random.pick(this.#alive());
    const { path } = this.#store;
    if (this.#disturbances.length === 0) return;
    switch (random.pick(this.#disturbances)) {
      case 'cut':
        this.counters.cuts++;
        this.#note('a connection is cut');
        if (place.network.network.unnoticed > 0) this.counters['half-open links']++;
        place.network.cut(random.int(1_000));
        return;
      case 'all cut':
        this.counters.cuts++;
        this.#note('all connections are cut');
        for (const one of this.#alive()) one.network.cut();
        return;
      case 'stall': {
        this.counters.stalls++;
        this.#note('a client stops reading');
        const its = this.#alive().find(({ network }) => network.count > 0) ?? place;
        its.network.stall(200 + random.int(4_000), random.int(1_000));
        for (let i = random.chance(0.4) ? 5 : 0; i > 0; i--) this.#emitLarge(its);
        return;
      }
      case 'slow':
        place.network.network.latencyMs = [1, random.pick([2, 30, 300])];
        path.latencyMs = [1, random.pick([1, 5, 50])];
        return;
      case 'lossy':
        place.http.path.loss = random.pick([0, 0.05, 0.3]);
        if (place.http.path.loss > 0) this.counters['lost requests']++;
        return;
      case 'pause': {
        const ms = random.pick([500, 3_000, 20_000]);
        this.#note(`server ${place.number} stands still for ${ms} ms`);
        this.counters['servers paused']++;
        place.time.halt(ms);
        this.#model.stands(place.number, ms);
        return;
      }
      case 'away': {
        const ms = random.pick([200, 3_000, 30_000, 90_000]);
        if (random.chance(0.5)) return;
        this.#note(`the store is away for ${ms} ms`);
        this.counters['store away']++;
        this.#store.goAway(ms);
        return;
      }
      case 'rollback': {
        this.#note('the store loses what it does from now on');
        this.#losesKeys = true;
        const ms = random.pick([5, 50, 500]);
        if (!this.#findsOutLate) this.#store.rollBack(ms, this.#findsOutAlone ? () => Infinity : 0);
        else loseUnread(this, random, ms);
        return;
      }
      case 'sleep': {
        const client = random.pick(this.#clients);
        const ms = random.pick([500, 3_000, this.#outlastsWindows ? 80_000 : 20_000]);
        this.#sleep(client, ms);
        if (this.#outlastsWindows && random.chance(0.5)) this.#comeBriefly(client, random);
        return;
      }
      case 'clock': {
        const ms = random.pick([-3_600_000, -1_000, 1_000, 3_600_000]);
        this.#note(`the time of day of server ${place.number} is set by ${ms} ms`);
        this.counters['clocks set']++;
        place.time.aheadMs += ms;
        this.#model.clockSet(place.time.aheadMs);
        if (ms > 0) outrun(this, place, random);
        return;
      }
      case 'vanish':
        if (this.#clients.length > 2) this.#vanish(random);
        return;
      case 'far':
        Object.assign(path, {
          lostCalls: random.pick([0, 0, 0.05, 0.2]),
          lostAnswers: random.pick([0, 0, 0.05, 0.2]),
          late: random.pick([0, 0, 0.05]),
          untold: random.pick([0, 0, 0.1]),
        });
        this.#note(`the way to the store: ${JSON.stringify(path)}`);
    }
  }

  #sleep({ name, time }: Client, ms: number): void {
    this.#note(`${name} sleeps for ${ms} ms`);
    this.counters['clients asleep']++;
    time.halt(ms);
  }

  /** A client is away for long, comes, and is gone again while a server still looks for its session. */
  #comeBriefly(client: Client, random: Random): void {
    this.#sleep(client, 80_000);
    const untilMs = 80_000 + random.int(200);
    this.#during(untilMs, () => {
      for (const place of this.#alive()) place.network.cut();
      this.#sleep(client, 50_000);
    });
  }

  /** A client goes for good, and cannot say so. */
  #vanish(random: Random): void {
    const client = random.pick(this.#clients);
    this.#note(`${client.name} is gone for good`);
    this.counters['clients gone']++;
    client.time.isGone = true;
    this.#clients.splice(this.#clients.indexOf(client), 1);
    for (const text of client.said) this.#model.spared(text);
    for (const id of client.ids.values()) {
      this.#gone.add(id);
      this.#model.lost(id);
    }
  }

  /** @returns what is still due */
  #whatIsMissing(): string {
    for (const { name, sockets, asked, settled } of this.#clients) {
      if (asked > settled) return `${name} waits for ${asked - settled} replies`;
      if (this.#sentOut.has(name)) continue;
      for (const [namespace, socket] of sockets) if (!socket.connected) return `${name}${namespace} is not connected`;
    }
    return this.#model.missing(this.#rollsBack);
  }
}

/** What is emitted says its name between these. */
const textOf = (name: string): string => `<${name}>`;
const nameOf = (text: string): string => /<(\d+\.\d+)>/.exec(text)?.[1] ?? text;
const nameIn = (frame: string | Uint8Array | undefined): string => {
  const bytes = typeof frame === 'string' ? frame : Buffer.from(frame ?? []).toString('latin1');
  return nameOf(bytes);
};
/** A socket's id begins with that of its session. */
const sessionOf = (socket: string): string => socket.split('.')[0] as string;
const logOf = (room: string): string => `${room.length}:${room}/`;
/** Names of logs have the length of the room's name in front. */
const roomOf = (log: string): string => {
  const [length = ''] = log.split(':');
  return log.slice(length.length + 1, length.length + 1 + Number(length));
};
