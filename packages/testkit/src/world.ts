// A world in which real clients and real servers run without a socket and without waiting: the network, time and chance are its
// own, and nothing moves unless the test says so.

import { type ClientOptions, connect, LocalUsageError, type Socket } from '@halyard/client';
import { VirtualClock } from '@halyard/harness/clock';
import { seededRandom } from '@halyard/harness/random';
import { type AnyData, type AnyEvents, memory, Server } from '@halyard/server';
import { ClientPlace, type Surroundings, transportNames } from './client-place';
import { endAll, type Leftovers } from './ending';
import {
  type AnyServer,
  type CutOptions,
  checkChance,
  checkDuration,
  checkHeaders,
  checkNames,
  checkObject,
  checkOneOf,
  checkOptions,
  checkTransports,
  checkWhole,
  type LoseOptions,
  type NetworkOptions,
  type OfflineOptions,
  optionError,
  type RequestFaultOptions,
  type SimulateOptions,
  type Taker,
  type UntilOptions,
  type WorldClientOptions,
  type WorldConnectOptions,
  type WorldServerOptions,
} from './options';
import { OwnTime } from './own-time';
import { type Client, Roster } from './roster';
import { outliving, ServerPlace } from './server-place';
import { WorldTime } from './world-time';

type Falsy = false | 0 | '' | null | undefined;

const untilMsMax = 2 ** 40;

export class World {
  readonly #clock = new VirtualClock();
  readonly #time: WorldTime;
  readonly #surroundings: Surroundings;
  readonly #roster = new Roster();
  /** Of what belongs to no client and no server: what they share, and `sleep`. */
  readonly #commonTime: OwnTime;
  #isClosed = false;

  /** @throws LocalUsageError `ERR_OPTION` */
  constructor(options: SimulateOptions) {
    checkNames('simulate', options);
    const { seed = 1, alongside, ...network } = options;
    checkWhole('simulate', 'seed', seed, 0, 2 ** 32 - 1);
    if (alongside !== undefined && typeof alongside !== 'function') {
      throw optionError('simulate', 'alongside', `is ${String(alongside)}: it may be a function of milliseconds`);
    }
    this.#surroundings = {
      clock: this.#clock,
      random: seededRandom(seed),
      network: { latencyMs: [1, 5], noticeMs: [0, 0], unnoticed: 0 },
      path: { latencyMs: [1, 5], loss: 0, unnoticed: 0, repeat: 0, repeatMs: 1_000 },
      newest: this.#roster.newest,
    };
    this.#time = new WorldTime(this.#clock, alongside);
    this.#commonTime = this.#ownTime();
    this.#change('simulate', network);
  }

  /** Virtual milliseconds since the world began. */
  get now(): number {
    return this.#clock.now();
  }

  /**
   * A real server, which listens in memory; clients that have no server of their own go to the newest one that is there.
   * After `io.close()`, or `kill`, the next one takes its place.
   * @throws LocalUsageError `ERR_OPTION` that names the option and what it may be; `ERR_CLOSED` once the world is closed
   */
  server<Incoming = AnyEvents, Outgoing = AnyEvents, Data = AnyData>(
    options: WorldServerOptions<Incoming, Outgoing> = {},
  ): Server<Incoming, Outgoing, Data> {
    this.#checkOpen();
    checkOptions('server', options);
    for (const name of ['host', 'clock']) {
      if (Object.hasOwn(options, name)) throw optionError('server', name, "is the world's own to give");
    }
    const { adapter = memory(), ...others } = options;
    if (typeof adapter !== 'function') throw optionError('server', 'adapter', 'is not valid: such as memory()');
    const number = this.#roster.servers.size + 1;
    const place = new ServerPlace(`server ${number}`, this.#ownTime());
    const io = new Server<Incoming, Outgoing, Data>({
      ...others,
      adapter: outliving(adapter, this.#commonTime),
      clock: place.time,
      host: place.host,
    });
    this.#roster.servers.set(io, place);
    // It cannot fail: nobody else has the port.
    void io.listen(number);
    return io;
  }

  /**
   * A real client, which begins to connect at once.
   * @throws LocalUsageError `ERR_OPTION` that names the option and what it may be; `ERR_CLOSED` once the world is closed
   */
  connect<Listen = AnyEvents, Emit = AnyEvents>(options: WorldConnectOptions = {}): Socket<Listen, Emit> {
    checkNames('connect', options);
    const { namespace = '/', ...others } = options;
    if (typeof namespace !== 'string' || !namespace.startsWith('/')) {
      throw optionError('connect', 'namespace', `is ${String(namespace)}: it may be a text that starts with "/"`);
    }
    const made = this.#clientOptions('connect', others);
    let socket: Socket<Listen, Emit>;
    try {
      socket = connect(`http://world.example${namespace}`, made);
    } catch (error) {
      this.#roster.clients.pop();
      throw error;
    }
    this.#roster.know(socket, made);
    return socket;
  }

  /**
   * Options for one `connect` of an app's own, whatever URL it connects to: they are the client for `cut` and its like.
   * @throws LocalUsageError `ERR_OPTION`, `ERR_CLOSED`
   */
  clientOptions(options: WorldClientOptions = {}): ClientOptions {
    checkNames('clientOptions', options);
    return this.#clientOptions('clientOptions', options);
  }

  /**
   * Lets virtual time pass. Everything that falls due on the way happens, and all promises are settled between two moments.
   * @throws LocalUsageError `ERR_TIME_RUNS` while time passes already
   */
  async advance(ms: number): Promise<void> {
    await this.#time.advance(checkWhole('advance', 'ms', ms, 0, untilMsMax));
  }

  /**
   * Lets virtual time pass until something is so, or until a promise has settled, as in
   * `await world.until(client.emitWithAck('add', 1, 2))`: without it nothing would ever come.
   * @returns what the condition gave, or what the promise resolved to. Rejects as the promise or the condition does
   * @throws HalyardError `ERR_NOT_SO` that says how every client and server is, if it takes longer than `withinMs`;
   *   LocalUsageError `ERR_OPTION`, `ERR_TIME_RUNS`
   */
  until<T>(condition: () => T, options?: UntilOptions): Promise<Exclude<T, Falsy>>;
  until<T>(promise: PromiseLike<T>, options?: UntilOptions): Promise<T>;
  async until(awaited: PromiseLike<unknown> | (() => unknown), options: UntilOptions = {}): Promise<unknown> {
    checkNames('until', options);
    const { withinMs = 60_000 } = options;
    checkWhole('until', 'withinMs', withinMs, 0, untilMsMax);
    const story = () => this.describe();
    if (typeof awaited === 'function') return this.#time.until(awaited, withinMs, story);
    if (typeof awaited?.then === 'function') return this.#time.outcomeOf(awaited, withinMs, story);
    throw optionError('until', 'awaited', `is ${String(awaited)}: it may be a function or a promise`);
  }

  /** Resolves after so much virtual time: for handlers that take their time. */
  sleep(ms: number): Promise<void> {
    checkWhole('sleep', 'ms', ms, 0, untilMsMax);
    return new Promise((resolve) => this.#commonTime.after(ms, resolve));
  }

  /**
   * Cuts the connections of a client, or of all: what is under way is lost, and new ones work.
   * @throws LocalUsageError `ERR_OPTION`; `ERR_CLIENT_UNKNOWN` if it is not of this world
   */
  cut(client?: Client, options: CutOptions = {}): void {
    const { noticedBy, noticeMs } = this.#checkCut('cut', options);
    for (const place of this.#roster.meant(client)) place.cut(noticedBy, noticeMs);
  }

  /** A client, or all if it is undefined, reads nothing for so long; what it is sent waits. @throws as `cut` does */
  stall(client: Client | undefined, ms: number): void {
    checkWhole('stall', 'ms', ms, 0, untilMsMax);
    for (const place of this.#roster.meant(client)) place.stall(ms);
  }

  /** Cuts a client, or all, and lets nothing through until `online`. @throws as `cut` does */
  offline(client?: Client, options: OfflineOptions = {}): void {
    const { silent = false, ...others } = options;
    checkNames('offline', options);
    checkOneOf('offline', 'silent', silent, [true, false]);
    const { noticedBy, noticeMs } = this.#checkCut('offline', others);
    for (const place of this.#roster.meant(client)) {
      place.leave(silent ? 'silent' : 'refused');
      place.cut(noticedBy, noticeMs);
    }
  }

  /** Ends `offline`. Who waits for the next attempt goes on waiting. @throws as `cut` does */
  online(client?: Client): void {
    for (const place of this.#roster.meant(client)) place.comeBack();
  }

  /** Loses the next HTTP requests of a client, or of each, or their answers. WebSockets are not touched. @throws as `cut` does */
  loseRequest(client?: Client, options: LoseOptions = {}): void {
    const { what = 'request', noticed = true } = options;
    const { method, times } = this.#checkFault('loseRequest', options);
    checkOneOf('loseRequest', 'what', what, ['request', 'answer']);
    checkOneOf('loseRequest', 'noticed', noticed, [true, false]);
    for (const place of this.#roster.meant(client)) place.disturb({ kind: what, method, noticed, left: times });
  }

  /** The next HTTP requests of a client, or of each, come twice. @throws as `cut` does */
  repeatRequest(client?: Client, options: RequestFaultOptions = {}): void {
    const { method, times } = this.#checkFault('repeatRequest', options);
    for (const place of this.#roster.meant(client))
      place.disturb({ kind: 'repeat', method, noticed: true, left: times });
  }

  /**
   * New connections of a client go to this server, whatever becomes of it; without one, to the newest that is there. Those it has
   * stay: `cut` it to move it at once.
   * @throws LocalUsageError `ERR_CLIENT_UNKNOWN`, `ERR_SERVER_UNKNOWN`
   */
  route(client: Client, io?: AnyServer): void {
    const server = io && this.#roster.placeOf(io);
    for (const place of this.#roster.meant(client)) place.server = server;
  }

  /**
   * Switches a server off without a word: nothing it had planned happens any more. Its clients learn of it unless
   * `noticedBy` says otherwise. Another one on the same `memory({ shared: true })` can go on with its sessions.
   * @throws LocalUsageError `ERR_OPTION`, `ERR_SERVER_UNKNOWN`
   */
  kill(io: AnyServer, options: CutOptions = {}): void {
    const { noticedBy, noticeMs } = this.#checkCut('kill', options);
    const server = this.#roster.placeOf(io);
    server.state = 'killed';
    server.time.end();
    for (const place of this.#roster.clients) place.cut(noticedBy, noticeMs, server);
  }

  /** Changes how the network behaves from now on. @throws LocalUsageError `ERR_OPTION` */
  change(options: NetworkOptions): void {
    checkNames('change', options);
    this.#change('change', options);
  }

  /** How every server and client is, a line each: what `until` says when it gives up. */
  describe(): string {
    return [`at ${this.now} ms`, ...this.#roster.describe()].join('\n  ');
  }

  /**
   * Ends everything: clients, servers and time, after which nothing of this world happens.
   * @returns what was still running, so that a test can say that an app has closed all it had
   * @throws LocalUsageError `ERR_TIME_RUNS` while time passes
   */
  async close(): Promise<Leftovers> {
    if (this.#isClosed) return { clients: [], servers: [], connections: [], timers: [] };
    await this.#time.advance(0);
    this.#isClosed = true;
    Object.assign(this.#surroundings.network, { latencyMs: [0, 0] });
    Object.assign(this.#surroundings.path, { latencyMs: [0, 0], loss: 0, repeat: 0 });
    return endAll(this.#roster, this.#time, this.#commonTime);
  }

  #clientOptions(taker: Taker, options: WorldClientOptions): ClientOptions {
    this.#checkOpen();
    const { transports = transportNames, headers = {}, server, ...others } = options;
    checkTransports(taker, transports);
    checkHeaders(taker, headers);
    if (others.reconnect !== undefined) {
      checkObject(taker, 'reconnect', others.reconnect);
      checkNames('reconnect', others.reconnect);
    }
    const name = `client ${this.#roster.clients.length + 1}`;
    const place = new ClientPlace(name, this.#ownTime(), this.#surroundings, headers);
    place.server = server && this.#roster.placeOf(server);
    const made = { ...others, ...place.options(transports) };
    this.#roster.add(place, made);
    return made;
  }

  #change(taker: Taker, { latencyMs, loss, repeat }: NetworkOptions): void {
    const { network, path } = this.#surroundings;
    if (latencyMs !== undefined) network.latencyMs = path.latencyMs = checkDuration(taker, 'latencyMs', latencyMs);
    if (loss !== undefined) path.loss = checkChance(taker, 'loss', loss);
    if (repeat !== undefined) path.repeat = checkChance(taker, 'repeat', repeat);
  }

  #checkCut(taker: 'cut' | 'kill' | 'offline', options: CutOptions) {
    checkNames(taker, options);
    const { noticedBy = taker === 'kill' ? 'client' : 'both', noticeMs = 0 } = options;
    checkOneOf(taker, 'noticedBy', noticedBy, ['both', 'client', 'server', 'nobody']);
    return { noticedBy, noticeMs: checkDuration(taker, 'noticeMs', noticeMs) };
  }

  #checkFault(taker: 'loseRequest' | 'repeatRequest', options: RequestFaultOptions) {
    checkNames(taker, options);
    const { method, times = 1 } = options;
    checkOneOf(taker, 'method', method, [undefined, 'GET', 'POST', 'DELETE']);
    return { method, times: checkWhole(taker, 'times', times, 1, 1_000_000) };
  }

  #ownTime(): OwnTime {
    return new OwnTime(this.#clock, seededRandom(this.#surroundings.random.int(2 ** 32)));
  }

  #checkOpen(): void {
    if (this.#isClosed) throw new LocalUsageError('ERR_CLOSED', 'This world is closed: make another with simulate().');
  }
}

/**
 * Makes a world without anything in it.
 * @throws LocalUsageError `ERR_OPTION` that names the option and what it may be
 */
export function simulate(options: SimulateOptions = {}): World {
  return new World(options);
}
