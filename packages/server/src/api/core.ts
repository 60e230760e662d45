// Everything a server is made of, put together: hosts, transports, sessions and namespaces, and the life of them all. Longer
// than other files: it is where they meet.
import type { Codec } from '@halyard/codec';
import { type Close, LocalUsageError, OutboxBudget, type Packet, type SessionSettings } from '@halyard/protocol';
import { debugOf } from '../base/debug';
import { factsOf, Happenings } from '../base/happenings';
import { checkInstruments, type Instruments } from '../base/instruments';
import { Meters } from '../base/meters';
import { Overload, type OverloadChange, type OverloadLimits } from '../base/overload';
import { TimerWheel } from '../base/wheel';
import { uwsOrNode } from '../host/default-host';
import type { Host, HostFactory } from '../host/host';
import type { TlsOptions } from '../host/tls';
import type { Frames } from '../log/frames';
import type { LocalStore } from '../log/local-store';
import type { Retention } from '../log/retention';
import { ClusterRequests } from '../namespace/cluster-requests';
import type { Running } from '../namespace/handling';
import { NamespaceRegistry } from '../namespace/registry';
import { Revocations } from '../namespace/revocations';
import type { Rules } from '../namespace/rules';
import { ServerEvents } from '../namespace/server-events';
import type { UsableSocket } from '../namespace/socket-facts';
import type { LocalTargets } from '../namespace/target-spec';
import { VolatileTargets } from '../namespace/volatile-targets';
import { FanOut } from '../room/fan-out';
import { AwaySessions } from '../session/away-sessions';
import type { SlowReaderCounts } from '../session/context';
import { Sessions } from '../session/directory';
import type { ExpiredHandler } from '../session/expiry';
import { Greeting, type GreetingContext } from '../session/greeting';
import { keptMsOf } from '../session/record';
import { encodeSized } from '../session/sent-size';
import { SessionKeys } from '../session/session-keys';
import { socketIdIn } from '../session/socket-id';
import { Channels } from '../store/channels';
import { Inbox } from '../store/inbox';
import type { Store } from '../store/store';
import { DirectTurn } from '../store/turn';
import { Addresses } from '../wire/addresses';
import type { AdmissionOptions } from '../wire/admission';
import type { Connection } from '../wire/connection';
import { Entry } from '../wire/entry';
import { Flusher } from '../wire/flusher';
import { Gate } from '../wire/gate';
import { abortedKind, forwardedKind } from '../wire/http/forwarded';
import { ForwardedRequests } from '../wire/http/forwarded-requests';
import { Forwarding } from '../wire/http/forwarding';
import { HttpRequests } from '../wire/http/http-requests';
import { Router, shutDown } from '../wire/router';
import { hearMeasured, readMetrics } from './catalogue';
import type { CheckedClose } from './close-options';
import { Drain } from './drain';
import { type Health, healthOf } from './health';
import { Inspected, type Inspection } from './inspection';
import type { ListenOptions } from './listen-options';
import type { Metric } from './metrics';
import { Node } from './node';
import { type CheckedOptions, retentionOf, serverLimitsOf } from './options';
import { Reports } from './reports';
import { type NamespaceContext, ServerNamespace } from './server-namespace';

const debug = debugOf('halyard:server');

type AnyNamespace = ServerNamespace<unknown, unknown, unknown>;

export class Core {
  readonly slowReaderCounts: SlowReaderCounts = { volatileDropped: 0, cut: 0, caughtUp: 0, replaced: 0 };
  readonly reports: Reports;
  readonly namespaces: NamespaceRegistry<AnyNamespace>;
  readonly serverEvents: ServerEvents;
  /** Id of this node in the store. */
  readonly node: string;
  readonly #options: CheckedOptions;
  readonly #wheel: TimerWheel;
  readonly #meters: Meters;
  readonly #happenings: Happenings;
  readonly #retention: Retention;
  /** How many connections there were. */
  #connections = 0;
  readonly #sessions: Sessions;
  /** What it is among others, if they share a store. */
  readonly #cluster: Node | undefined;
  readonly #inbox: Inbox;
  readonly #requests: ClusterRequests;
  /** What other nodes may say that nobody keeps, and the way to say it; a store of its own has none. */
  readonly #channels: Channels | undefined;
  readonly #volatile: VolatileTargets | undefined;
  readonly #flusher: Flusher;
  readonly #fanOut: FanOut;
  readonly #greeting: GreetingContext;
  readonly #router: Router;
  readonly #entry: Entry;
  readonly #overload: Overload | undefined;
  /** What may wait for a slow client now. */
  readonly #patience: { backpressureBytesMax: number };
  #host: Host | undefined;
  #starting = false;
  #closing = false;
  readonly #drain: Drain;
  #closed: Promise<void> | undefined;
  #isClosed = false;

  constructor(options: CheckedOptions) {
    this.#options = options;
    const { codecs, platform } = options;
    const wheel = new TimerWheel(platform);
    this.#wheel = wheel;
    this.node = platform.randomBytes(9).toString('base64url');
    const meters = new Meters(options);
    this.#meters = meters;
    this.#happenings = new Happenings({ node: this.node, logger: options.logger, now: () => wheel.now() });
    const { tell } = this.#happenings;
    this.reports = new Reports(() => wheel.now(), this.#happenings);
    const { report, warn } = this.reports;
    const limits = retentionOf(options);
    const store = storeOf(() => options.adapter({ platform, wheel, limits, codecs }) as LocalStore | Store);
    this.#inbox = new Inbox({
      store: store.isShared ? store : nobodyElse,
      node: this.node,
      ...{ platform, wheel, report, warn },
    });
    this.#flusher = new Flusher(platform);
    const cluster = store.isShared
      ? new Node({
          ...{ store, platform, wheel, limits, codecs, report, warn },
          ...{ recoveryWindowMs: options.recoveryWindowMs, ackTimeoutMs: options.ackTimeoutMs },
          ...{ node: this.node, inbox: this.#inbox, released: () => this.#flusher.flush() },
          nodeJoined: (node) => this.#requests.untold.joined(node),
          nodeLeft: (node) => this.#requests.untold.left(node),
          storeBack: (awayMs) =>
            this.#happenings.tell('store back', { reason: `It was away for ${(awayMs / 1_000).toFixed(1)} s.` }),
        })
      : undefined;
    this.#cluster = cluster;
    const turn = store.isShared ? (cluster as Node).turn : new DirectTurn(store);
    this.#retention = store.isShared ? (cluster as Node).retention : store.retention;
    this.#fanOut = new FanOut(codecs, this.#flusher, meters);
    const codec = store.isShared ? store.codec : (codecs[0] as Codec);
    const overload = options.overload && this.#overloadOf(options.overload);
    this.#overload = overload;
    const budget = new OutboxBudget(options.outboxesBytesMax, () => platform.soon(() => this.#relieveOutboxes(budget)));
    const addresses = new Addresses({ ...options, now: () => platform.now(), warn });
    const away = new AwaySessions({ ...options, addressOf: (peer) => addresses.of(peer), warn });
    const { sessionKey } = options;
    const keys = sessionKey && new SessionKeys({ ...options, sessionKey, report, warn });
    this.#sessions = new Sessions(
      {
        ...options,
        settings: settingsOf(options),
        serverLimits: serverLimitsOf(options, budget),
        ...{ wheel, turn, recordCodec: codec, node: this.node, counts: this.slowReaderCounts, away },
        namespace: (name, auth, founder) => this.namespaces.find(name, auth, founder),
        ...{ meters, overload, tell, report, warn },
      },
      {
        ...{ ...options, keys },
        learned: () => this.#requests.learned,
        recalled: (presence) => this.#requests.catchUp(presence as UsableSocket),
      },
      cluster,
    );
    if (cluster !== undefined) cluster.sessions = this.#sessions;
    const { ackTimeoutMs, trustProxy } = options;
    const targets = (name: string): LocalTargets | undefined => this.namespaces.get(name)?.audience;
    const kept = { keptMs: keptMsOf(settingsOf(options)), now: () => wheel.now(), warn };
    const requests = new ClusterRequests({
      ...{ inbox: this.#inbox, codec, ackTimeoutMs, trustProxy, targets, report },
      ...{ now: () => wheel.now(), later: (delayMs, run) => void platform.after(delayMs, run) },
      ...{ turn, stamps: turn.stamps, revocations: new Revocations(kept) },
    });
    this.#requests = requests;
    this.serverEvents = new ServerEvents({ inbox: this.#inbox, codec, ackTimeoutMs, report, warn });
    const channels = store.isShared ? new Channels(store) : undefined;
    this.#channels = channels;
    const volatile = channels && new VolatileTargets({ channels, codecCount: codecs.length, targets, warn });
    this.#volatile = volatile;
    const running: Running = { count: 0 };
    this.#drain = new Drain({ platform, sessions: this.#sessions, isShared: store.isShared, running });
    const context: NamespaceContext = {
      ...options,
      ...{ channels, codec, running },
      sessionKeys: keys,
      elsewhere: volatile && { requests, volatile },
      ...{ turn, meters, tell },
      fanOut: this.#fanOut,
      encode: (packet) => this.#encode(packet),
      encodeForAll: (packet) => codecs.map((codec) => encodeSized(codec, packet, options.sentFrameBytesMax)),
      newSocketId: store.isShared
        ? (session) => socketIdIn(session, platform.randomBytes(6).toString('base64url'))
        : () => platform.randomBytes(12).toString('base64url'),
      report,
      warn,
      unhandled: this.reports.unhandled,
      refused: this.reports.refused,
      emptied: (name) => this.namespaces.emptied(name),
      keep: (name) => this.namespaces.keep(name),
    };
    this.namespaces = new NamespaceRegistry<AnyNamespace>({
      limits: options,
      create: (name: string, rules: Rules) => new ServerNamespace(name, rules, context),
      report,
      warn,
    });
    this.#greeting = {
      wheel,
      helloTimeoutMs: options.helloTimeoutMs,
      greetings: new Set(),
      greeted: (connection, hello) => this.#sessions.greet(connection, hello),
      warn,
    };
    const admission: AdmissionOptions = { ...options, codecNames: codecs.map(({ name }) => name) };
    const accept = (connection: Connection): boolean => this.#accept(connection);
    const handshakes = (): number => this.#greeting.greetings.size + this.#sessions.arriving;
    const entry = new Entry({ ...options, addresses, handshakes, overload, warn });
    this.#entry = entry;
    const { backpressureBytesMax } = options;
    this.#patience = { backpressureBytesMax };
    const patience = this.#patience;
    const closed = (connection: Connection, close: Close): void => this.#closedConnection(connection, close);
    const { allowRequest } = options;
    const gate = allowRequest && new Gate({ ...options, allowRequest, report, warn });
    const forwarding = store.isShared ? this.#forwarding() : undefined;
    const http = new HttpRequests({
      admission,
      transports: options.transports,
      settings: {
        ...options,
        ...{ wheel, flusher: this.#flusher, platform, closed, patience },
        traffic: (transport, codecIndex) => meters.traffic(transport, codecIndex),
        idPrefix: forwarding === undefined ? '' : `${this.node}.`,
      },
      ...{ httpBodyBytesMax: options.httpBodyBytesMax, connectionsMax: options.connectionsMax, entry, gate },
      isBinary: (codecIndex) => codecs[codecIndex]?.binary ?? false,
      accept,
      forward: forwarding?.forward,
    });
    const forwarded = new ForwardedRequests({ ...options, answer: http.answer, warn });
    this.#inbox.on(forwardedKind, forwarded.take);
    this.#inbox.on(abortedKind, forwarded.abort);
    this.#router = new Router({
      ...options,
      admission,
      flusher: this.#flusher,
      ...{ platform, meters, http, entry, gate, tell, closed, patience },
      isStopping: () => this.#closing,
      accept,
      ...{ report, warn },
      fansOut: !store.isShared,
    });
  }

  /** Which host runs: `uws` or `node`; undefined before there is one. */
  get hostName(): string | undefined {
    return this.#host?.name;
  }

  /** Whoever wants to know of sessions that have expired. A server alone has none. */
  onExpired(handler: ExpiredHandler): void {
    this.#cluster?.expiry.on(handler);
  }

  /** Ids of all nodes that are there, this one first. */
  get nodes(): readonly string[] {
    return this.#inbox.nodes;
  }

  /** @param isListening whether clients can come */
  health(isListening: boolean): Health {
    const { store } = this.#cluster ?? {};
    return healthOf({
      isListening,
      isClosing: this.#closing,
      isClosed: this.#isClosed,
      store: store?.state,
      trouble: store?.trouble?.code,
      overload: this.#overload?.reasons ?? [],
    });
  }

  /** @throws LocalUsageError `ERR_INSTRUMENTED`, `ERR_OPTION` */
  instrument(instruments: Instruments): () => void {
    checkInstruments(instruments);
    const meters = this.#meters;
    const times = { meters, commits: this.#cluster?.commits };
    if (meters.instruments !== undefined) {
      throw new LocalUsageError('ERR_INSTRUMENTED', 'The server is instrumented already: end that first.');
    }
    meters.instruments = instruments;
    hearMeasured(times, instruments.measured && ((...what) => instruments.measured?.(...what)));
    return () => {
      if (meters.instruments !== instruments) return;
      meters.instruments = undefined;
      hearMeasured(times, undefined);
    };
  }

  /** What tools are shown. @param isListening whether clients can come */
  inspect(isListening: () => boolean): Inspection {
    const { path, codecs, trustProxy, platform } = this.#options;
    return new Inspected({
      ...{ path, codecs, trustProxy, platform, node: this.node },
      sessions: this.#sessions,
      namespaces: this.namespaces,
      happenings: this.#happenings,
      meters: this.#meters,
      metrics: () => this.#readMetrics(isListening()),
    });
  }

  /** @param isListening whether clients can come */
  metrics(isListening: boolean): readonly Metric[] {
    if (!this.#closing) this.#meters.begin();
    return this.#readMetrics(isListening);
  }

  #readMetrics(isListening: boolean): readonly Metric[] {
    const cluster = this.#cluster;
    let sockets = 0;
    let namespaces = 0;
    for (const namespace of this.namespaces) {
      namespaces++;
      sockets += namespace.sockets.size;
    }
    return readMetrics({
      ...{ meters: this.#meters, happenings: this.#happenings, slowReaders: this.slowReaderCounts },
      overload: this.#overload,
      ...{ sessions: this.#sessions.sums(), namespaces, sockets, logs: this.#retention },
      isReady: this.health(isListening).ready,
      commits: cluster?.commits,
      shared: cluster && {
        ...{ state: cluster.store.state, nodes: this.nodes.length },
        queuedBytes: cluster.turn.queuedBytes,
      },
    });
  }

  /** @returns the port that is listened on. @throws LocalUsageError `ERR_LISTEN`, `ERR_LISTENING`, `ERR_CLOSED`, `ERR_REUSE_PORT`, `ERR_TLS` */
  async listen(port: number, { address, reusePort = false, tls }: ListenOptions): Promise<number> {
    // Others are told of a server that can be reached: one whose port is taken is not there.
    const tryPort = (host: Host) => (port === 0 || reusePort ? undefined : host.tryPort?.(port, address));
    const host = await this.start(this.#options.host ?? uwsOrNode, tls, tryPort);
    try {
      const bound = await host.listen(port, address, reusePort);
      debug?.(`node ${this.node} listens on port ${bound}`);
      return bound;
    } catch (error) {
      this.#host = this.#fanOut.host = undefined;
      await host.close();
      throw error;
    }
  }

  /** @throws LocalUsageError `ERR_LISTENING` if there is a host, `ERR_CLOSED` if the server is closed */
  async start(factory: HostFactory, tls?: TlsOptions, check?: (host: Host) => void | Promise<void>): Promise<Host> {
    if (this.#closing) throw closed();
    if (this.#host !== undefined || this.#starting)
      throw new LocalUsageError('ERR_LISTENING', 'The server listens or is attached already.');
    this.#starting = true;
    let host: Host | undefined;
    const make = async (): Promise<Host> => {
      host = await factory(this.#options.path, this.#router, this.#options, this.#options.platform, tls);
      if (typeof host?.listen !== 'function')
        throw new LocalUsageError('ERR_OPTION', 'host: it may be node(), or uws(): call it.', { option: 'host' });
      return host;
    };
    try {
      // One that listens calls nobody before it does; who is attached to what listens already may be called at once.
      if (check !== undefined) await check(await make());
      await this.#openStore();
      host ??= await make();
    } catch (error) {
      await host?.close?.();
      throw this.#closing ? closed() : error;
    } finally {
      this.#starting = false;
    }
    if (this.#closing) {
      await host.close();
      throw closed();
    }
    this.#host = host;
    debug?.(`node ${this.node} runs on the host ${host.name} at ${this.#options.path}`);
    // What others share goes to each member by itself: some of them wait for what is not here yet.
    if (this.#cluster === undefined) this.#fanOut.host = host;
    this.#router.serve(host);
    return host;
  }

  /** @throws LocalUsageError `ERR_TLS` */
  reloadTls(): void {
    if (this.#isClosed) throw closed();
    const host = this.#host;
    if (host?.reloadTls === undefined) {
      throw new LocalUsageError(
        'ERR_TLS',
        'This server ends no TLS: listen with the option tls, or reload it where TLS is ended.',
      );
    }
    host.reloadTls();
  }

  /** Called again, without `drainMs`, it waits for nothing any longer. */
  close(options: CheckedClose): Promise<void> {
    if (options.drainMs === 0) this.#drain.end();
    this.#closed ??= this.#close(options);
    return this.#closed;
  }

  async #close({ drainMs, url }: CheckedClose): Promise<void> {
    debug?.(`node ${this.node} closes, with ${this.#sessions.size} sessions`);
    this.#closing = true;
    // Who polls a server alone comes to it over any number of connections until it has everything.
    if (drainMs === 0 || this.#cluster !== undefined) this.#host?.stopListening();
    for (const greeting of [...this.#greeting.greetings]) greeting.end(shutDown);
    if (drainMs > 0) await this.#drain.run(drainMs, url);
    this.#host?.stopListening();
    await this.#cluster?.finish();
    for (const session of [...this.#sessions]) session.letGo(shutDown);
    this.#flusher.flush();
    // One turn of the event loop: close frames and last responses leave before the sockets are cut.
    await new Promise<void>((resolve) => this.#options.platform.soon(resolve));
    this.#inbox.close();
    this.#channels?.close();
    await this.#host?.close();
    await this.#cluster?.close();
    this.#wheel.stop();
    this.#meters.end();
    this.#overload?.stop();
    this.#isClosed = true;
  }

  /** Requests for connections of other servers. */
  #forwarding(): Forwarding {
    return new Forwarding({
      ...this.#options,
      node: this.node,
      ask: (node, kind, value, timeoutMs) => this.#inbox.ask(node, kind, value, timeoutMs),
      warn: this.reports.warn,
    });
  }

  async #openStore(): Promise<void> {
    if (this.#cluster === undefined || this.#cluster.isOpen) return;
    const nodes = await this.#cluster.open((_channel, frames) => this.#volatile?.receive(frames));
    this.#inbox.opened(nodes);
    this.#requests.learn();
    this.#channels?.opened();
  }

  #accept(connection: Connection): boolean {
    if (this.#closing) return false;
    const codec = this.#options.codecs[connection.codecIndex];
    if (codec === undefined) return false;
    connection.receiver = new Greeting(connection, codec, this.#greeting);
    const { transport, codecIndex, peer } = connection;
    connection.number = ++this.#connections;
    this.#entry.entered(peer);
    this.#overload?.watch();
    this.#meters.traffic(transport, codecIndex).opened++;
    this.#happenings.tell('connection opened', { transport, connection: connection.number });
    return true;
  }

  #overloadOf(limits: OverloadLimits): Overload {
    return new Overload(limits, {
      platform: this.#options.platform,
      changed: (change) => this.#overloadChanged(change),
      insufficient: () => {
        const overload = this.#overload as Overload;
        overload.endedConnections += this.#sessions.turnAway(newestPart, overload);
      },
      isIdle: () => this.#entry.connections === 0,
    });
  }

  #overloadChanged(change: OverloadChange): void {
    const { state, reasons, loopDelayMs, memoryBytes } = change;
    const { backpressureBytesMax } = this.#options;
    const isFull = state === 'shedding';
    const isShedding = this.#overload?.isShedding === true;
    debug?.(`node ${this.node} is ${isFull ? `overloaded, by ${reasons.join(', ')}` : 'not overloaded any more'}`);
    this.#patience.backpressureBytesMax = isShedding ? backpressureBytesMax / impatience : backpressureBytesMax;
    if (isFull) {
      const rest = isShedding ? ', volatile events dropped, slow readers cut sooner' : '';
      this.reports.warn(
        'overload',
        `The server has more to do than it can (${reasons.join(', ')}): the event loop is ${loopDelayMs} ms late (overload.loopDelayMs), and the ` +
          `process has ${memoryBytes} bytes (overload.memoryBytes). New clients are turned away${rest}.`,
      );
    }
    this.reports.overload(change);
  }

  /** All outboxes hold too much: the sessions end that have most, until there is room again. */
  #relieveOutboxes(budget: OutboxBudget): void {
    const { outboxesBytesMax } = this.#options;
    this.reports.warn(
      'outboxesBytesMax',
      `More waits for clients to confirm than outboxesBytesMax allows (${outboxesBytesMax}): the sessions with most of it were ended.`,
    );
    this.#sessions.relieve(() => budget.bytes > outboxesBytesMax * 0.9);
    budget.settle();
  }

  #closedConnection({ number, transport, codecIndex, peer }: Connection, close: Close): void {
    if (number === 0) return;
    this.#entry.left(peer);
    this.#meters.traffic(transport, codecIndex).closed++;
    this.#happenings.tell('connection closed', { transport, connection: number, ...factsOf(close) });
  }

  /** Text becomes UTF-8 here, once, and not again in each write. */
  #encode(packet: Packet): Frames {
    const { codecs, sentFrameBytesMax } = this.#options;
    // What no codec carries is refused whoever is there.
    if (this.#sessions.size === 0) encodeSized(codecs[0] as Codec, packet, sentFrameBytesMax);
    return codecs.map((codec, index) => {
      if (!this.#sessions.uses(index)) return undefined;
      const frame = encodeSized(codec, packet, sentFrameBytesMax);
      return typeof frame === 'string' ? Buffer.from(frame) : frame;
    });
  }
}

/** Of connections that are closed for overload: those of one session in so many. */
const newestPart = 20;
/** While work is shed a slow client is cut at such a part of what may wait for it else. */
const impatience = 4;

function closed(): LocalUsageError {
  return new LocalUsageError('ERR_CLOSED', 'The server is closed, and its sessions are over: make a new Server.');
}

/** A server alone has no other nodes. */
const nobodyElse = { send: () => Promise.reject(new Error('there are no other nodes')) };

function settingsOf(options: CheckedOptions): SessionSettings {
  return {
    heartbeatMs: options.heartbeatMs,
    heartbeatTimeoutMs: options.heartbeatTimeoutMs,
    recoveryWindowMs: options.recoveryWindowMs,
    frameBytesMax: options.frameBytesMax,
    sackPacketsMax: options.sackPacketsMax,
    sackDelayMs: options.sackDelayMs,
    windowPacketsMax: options.windowPacketsMax,
    windowBytesMax: options.windowBytesMax,
    sentFrameBytesMax: options.sentFrameBytesMax,
  };
}

/** @throws LocalUsageError `ERR_OPTION` if what makes it is no adapter, or is to be called to give one */
function storeOf(make: () => LocalStore | Store): LocalStore | Store {
  let store: unknown;
  try {
    store = make();
  } catch (error) {
    // Given to what takes options, what an adapter is given are some that it does not know.
    if (!(error instanceof LocalUsageError && error.details?.option === 'platform')) throw error;
    store = make;
  }
  if (typeof (store as Store | undefined)?.isShared === 'boolean') return store as LocalStore | Store;
  const rule =
    typeof store === 'function'
      ? 'redis({ url }), or memory(): call it'
      : 'an adapter of Halyard, such as memory(), or redis({ url }); what createAdapter() of Socket.IO gives is none';
  throw new LocalUsageError('ERR_OPTION', `adapter: it may be ${rule}.`, { option: 'adapter' });
}
