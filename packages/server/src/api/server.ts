// The server as user code holds it, and its main namespace. Longer than other files: what each event tells is said in one place.
import type { AnyContract, ServerContract } from '@halyard/contract';
import {
  type AnyEvents,
  answerMissing,
  type EventArgs,
  type EventReply,
  LocalUsageError,
  type OfEvents,
} from '@halyard/protocol';
import type { Instruments } from '../base/instruments';
import type { AppServer } from '../host/attached';
import { attachedNode } from '../host/node';
import type { Replies } from '../namespace/audience';
import type { NamespacePattern } from '../namespace/dynamic-namespaces';
import type { Handler } from '../namespace/handlers';
import type { Middleware, ResumeCheck } from '../namespace/middleware';
import { isReportEvent } from '../namespace/report-events';
import { isRoomEvent } from '../namespace/room-events';
import type { SlowReaders } from '../room/rooms';
import type { SlowReaderCounts } from '../session/context';
import type { ExpiredHandler } from '../session/expiry';
import type { AnyData } from '../session/handshake';
import { type CloseOptions, checkClose } from './close-options';
import { Core } from './core';
import { checkServerEvent, refuseMore, serverHabits } from './habits';
import type { Health } from './health';
import type { Inspection } from './inspection';
import { checkListen, checkPort, type ListenOptions } from './listen-options';
import type { Metric } from './metrics';
import type { Guard, Namespace, NamespaceRules } from './namespace';
import { contractIn, type NamespaceOptions } from './namespace-options';
import { checkOptions, type ServerOptions } from './options';
import { PatternRules } from './pattern-rules';
import type { ServerHandler, ServerLifecycle } from './server-lifecycle';
import type { Socket } from './socket';
import type { Target } from './target';
import { WholeTarget } from './whole-target';

/** @typeParam ServerSide events between servers: see `serverSideEmit` */
export class Server<
  Incoming = AnyEvents,
  Outgoing = AnyEvents,
  Data = AnyData,
  ServerSide = AnyEvents,
> extends WholeTarget<Outgoing, Data> {
  declare readonly '~incoming'?: OfEvents<Incoming>;
  readonly #core: Core;
  readonly #main: Namespace<Incoming, Outgoing, Data>;
  #port: number | undefined;
  #attachedTo: AppServer | undefined;

  /** @param more there is none. @throws LocalUsageError `ERR_OPTION` that names the option and its range */
  constructor(
    options: ServerOptions & { readonly contract?: ServerContract<Incoming, Outgoing> | undefined } = {},
    more?: never,
  ) {
    super();
    refuseMore(more, 'new Server(…) takes options as the only argument: new Server({ path, origins }).');
    this.#core = new Core(checkOptions(options));
    this.#main = this.of('/', { contract: options.contract });
  }

  /** The port that is listened on. @throws LocalUsageError `ERR_NOT_LISTENING` before `listen`, or before the app's server does */
  get port(): number {
    const bound = this.#attachedTo?.address();
    if (typeof bound === 'object' && bound !== null) return bound.port;
    if (this.#port === undefined) throw new LocalUsageError('ERR_NOT_LISTENING', 'The server does not listen yet.');
    return this.#port;
  }

  /** Which host runs: `uws` or `node`; undefined before `listen` or `attach`. */
  get hostName(): string | undefined {
    return this.#core.hostName;
  }

  /**
   * Starts to accept connections.
   * @param port 0 takes a free one: see `port`. Digits are a number too, such as `process.env.PORT`
   * @param options or the local address to bind, which is all by default
   * @param callback there is none: it listens once this resolves
   * @throws LocalUsageError `ERR_LISTEN` if the address is taken, `ERR_LISTENING` if it listens already, `ERR_CLOSED` after `close`,
   *   `ERR_OPTION` for the port or options, `ERR_REUSE_PORT` if the host cannot share a port here, `ERR_TLS` if key and certificate cannot be used
   */
  async listen(port: number | string, options?: string | ListenOptions, callback?: never): Promise<this> {
    const wanted = checkPort(port);
    this.#port = await this.#core.listen(wanted, checkListen(callback ?? options));
    return this;
  }

  /**
   * Takes the key and the certificate of `listen`'s option `tls` from their files anew, without a restart: connections from now on get
   * them, those that are there stay; on the host `uws` as long as there are no more than two reloads behind that.
   * @throws LocalUsageError `ERR_TLS` that says what is wrong, and nothing has changed; `ERR_CLOSED`
   */
  reloadTls(): void {
    this.#core.reloadTls();
  }

  /**
   * Lives on an `http.Server` of the app's (Express, Fastify, Vite, Next): requests and WebSockets of the option `path` come
   * here and to nobody else, all others stay the app's. It may be called at any time, before or after the app's own listeners
   * are there and the server listens. `close` leaves the server as it was, and the app closes it.
   * @param server an `http.Server` or `https.Server`, or one of `http2.createSecureServer({ allowHTTP1: true })`
   * @param options there are none: those of `new Server` are meant
   * @throws LocalUsageError `ERR_ATTACHED` if another Halyard server has that path of it, `ERR_LISTENING` if this one listens
   *   or is attached already, `ERR_CLOSED` after `close`, `ERR_OPTION` if it is no such server
   */
  async attach(server: AppServer, options?: never): Promise<this> {
    refuseMore(options, 'attach takes the server alone: its options go to new Server({ path, origins }).');
    // The app of Express has listeners, and no address.
    if (typeof server?.listeners !== 'function' || typeof server.address !== 'function') {
      const rule = 'attach takes an http.Server or https.Server, such as http.createServer(app).';
      throw new LocalUsageError('ERR_OPTION', rule, { option: 'server' });
    }
    await this.#core.start(attachedNode(server));
    this.#attachedTo = server;
    return this;
  }

  /** Whether this server is to be sent clients, and why not: see `healthHandler` for probes over HTTP. */
  health(): Health {
    return this.#core.health(this.#isListening);
  }

  /**
   * What this server has counted, and how it is: each metric of docs/OPERATIONS.md with its samples now. Packets, handlers, replies and
   * the delay of the event loop are counted from the first call on, the rest from when the server was made. It looks at each session:
   * once every some seconds is often enough.
   */
  metrics(): readonly Metric[] {
    return this.#core.metrics(this.#isListening);
  }

  /**
   * Hangs something in that is told how long each thing takes, and runs handlers: what `@halyard/server/opentelemetry` does. What it throws
   * is as if a handler had thrown it.
   * @returns what takes it out again
   * @throws LocalUsageError `ERR_INSTRUMENTED` if something is there already, `ERR_OPTION`
   */
  instrument(instruments: Instruments): () => void {
    return this.#core.instrument(instruments);
  }

  /** What this server is made of at the moment, for tools such as `@halyard/admin`: its sessions and rooms, and what happens to them. */
  inspect(): Inspection {
    return this.#core.inspect(() => this.#isListening);
  }

  get #isListening(): boolean {
    const attachedTo = this.#attachedTo;
    return attachedTo === undefined ? this.#port !== undefined : attachedTo.listening;
  }

  /**
   * Ends every session's connection with 1001 and stops, for good. Clients come back when another server listens. Called again, without
   * `drainMs`, it does not wait for anything any longer.
   * @param options `drainMs`: how long clients may take to go, and what was begun to be finished; `url`: where they are to go
   * @throws LocalUsageError `ERR_OPTION` that names the option and its range
   */
  close(options?: CloseOptions): Promise<void> {
    // At once: who waits for a callback does not look at what is returned.
    if (typeof options === 'function')
      throw new LocalUsageError('ERR_OPTION', 'close takes no callback: it is over once await io.close() returns.');
    return this.#close(options);
  }

  async #close(options?: CloseOptions): Promise<void> {
    await this.#core.close(checkClose(options));
  }

  /**
   * A namespace, made the first time it is asked for.
   * @param name its name, which starts with `/`, or is given one; or which names it answers to: then one is made for each on demand, and
   *   goes when it is empty
   * @param options its contract, which may be said once, before clients come. @throws LocalUsageError `ERR_OPTION`, also for another contract
   */
  of<In = AnyEvents, Out = AnyEvents, D = AnyData>(
    name: string,
    options?: NamespaceOptions<In, Out>,
  ): Namespace<In, Out, D>;
  of<In = AnyEvents, Out = AnyEvents, D = AnyData>(
    pattern: NamespacePattern,
    options?: NamespaceOptions<In, Out>,
  ): NamespaceRules<In, Out, D>;
  of(name: string | NamespacePattern, options: { readonly contract?: AnyContract | undefined } = {}): unknown {
    const contract = contractIn(options);
    const { namespaces } = this.#core;
    if (typeof name === 'string') {
      const namespace = namespaces.of(name);
      if (contract !== undefined) namespace.setContract(contract);
      return namespace;
    }
    const rules = namespaces.register(name);
    if (contract !== undefined) rules.gates.setContract(contract);
    return new PatternRules(rules);
  }

  /**
   * Hears of what happens to the server: see `ServerLifecycle`. Any other event is one that another server emits by `serverSideEmit`: what
   * the handler returns is the reply. Handlers may be asynchronous: nothing waits for them.
   * @throws LocalUsageError `ERR_RESERVED_EVENT`, `ERR_EVENT_NAME`
   */
  on(event: 'connection', handler: (socket: Socket<Incoming, Outgoing, Data>) => unknown): this;
  on<Name extends keyof ServerLifecycle | (keyof ServerSide & string)>(
    event: Name,
    handler: ServerHandler<ServerSide, Incoming, Outgoing, Data, NoInfer<Name>>,
  ): this;
  on(event: string, handler: Handler): this {
    if (event === 'connection') this.#main.on(event, handler as (socket: Socket<Incoming, Outgoing, Data>) => void);
    else if (isRoomEvent(event)) this.#main.on(event, handler as () => void);
    else if (event === 'session-expired') this.#core.onExpired(handler as ExpiredHandler);
    else if (isReportEvent(event)) this.#core.reports.on(event, handler);
    else {
      checkServerEvent(event, this.#core.reports.warn);
      this.#core.serverEvents.on(event, handler);
    }
    return this;
  }

  /** Id of this server among those that share its store: random, and another one after every start. */
  get node(): string {
    return this.#core.node;
  }

  /** Ids of all servers that share the store and are there, this one first. Others are known once it listens. */
  nodes(): readonly string[] {
    return this.#core.nodes;
  }

  /**
   * Calls the handlers that all other servers have for an event (`io.on(event, …)`): at most once each, without waiting. Before `listen` or
   * `attach` a server knows of no other one: nobody hears it, and requests find what is here alone.
   * @throws LocalUsageError `ERR_NOT_ENCODABLE` with the path of the value no codec carries, `ERR_RESERVED_EVENT`, `ERR_EVENT_NAME`
   */
  serverSideEmit<Name extends keyof ServerSide & string>(event: Name, ...args: EventArgs<ServerSide, Name>): void {
    this.#core.serverEvents.emit(event, args);
  }

  /**
   * The same, and waits at most `ackTimeoutMs` for their replies. Never rejects because of one server.
   * @returns a reply of each that has answered; in `missing` the ids of those that are gone, too slow, have no handler, or
   *   whose handler failed. Rejects as `serverSideEmit` throws
   */
  serverSideEmitWithAck<Name extends keyof ServerSide & string>(
    event: Name,
    ...args: EventArgs<ServerSide, Name>
  ): Promise<Replies<EventReply<ServerSide, Name>>> {
    return this.#core.serverEvents.request(event, args) as Promise<Replies<EventReply<ServerSide, Name>>>;
  }

  /** Runs for every socket that wants to enter the main namespace. Throw to refuse it. */
  use(middleware: Middleware<Data>): this {
    this.#main.use(middleware);
    return this;
  }

  /** As of the main namespace: see `Namespace.renew`. */
  renew(middleware: Middleware<Data>): this {
    this.#main.renew(middleware);
    return this;
  }

  /** As of the main namespace: see `Namespace.onResume`. */
  onResume(check: ResumeCheck<Socket<Incoming, Outgoing, Data>>): this {
    this.#main.onResume(check);
    return this;
  }

  /** As of the main namespace: see `Namespace.guard`. */
  guard<Name extends keyof Incoming & string>(
    events: Name | readonly Name[],
    guard: Guard<Incoming, Outgoing, Data, Name>,
  ): this {
    this.#main.guard(events, guard);
    return this;
  }

  /** What has become of messages for readers that do not keep up, in all namespaces, since the server was made. */
  get slowReaderCounts(): Readonly<SlowReaderCounts> {
    return { ...this.#core.slowReaderCounts };
  }

  /** As of the main namespace: see `Namespace.slowReaders`. */
  slowReaders(mode: SlowReaders): this {
    this.#main.slowReaders(mode);
    return this;
  }

  /** Sockets of the main namespace by id. */
  get sockets(): ReadonlyMap<string, Socket<Incoming, Outgoing, Data>> {
    return this.#main.sockets;
  }

  /** @internal */
  protected get all(): Target<Outgoing, Data> {
    return this.#main;
  }
}

answerMissing(Server.prototype, 'io', serverHabits);
