// The server: puts hosts, transports, sessions and namespaces together, and is the main namespace to its user.
import { randomBytes } from 'node:crypto';
import type { Codec } from '@halyard/codec';
import {
  type AnyEvents,
  type Close,
  CloseCode,
  type EventArgs,
  type EventName,
  type EventReply,
  HalyardError,
  LocalUsageError,
  namespaceName,
  type Packet,
  type SessionSettings,
  type Value,
} from '@halyard/protocol';
import type { AppServer } from './host/attached';
import { answerByFetch } from './host/fetch-bridge';
import type { Host, HostFactory, HostHandlers, HttpReply, RequestFacts, UpgradeVerdict } from './host/host';
import { jsonError } from './host/json-error';
import { attachedNode, node } from './host/node';
import { uws } from './host/uws';
import { DynamicNamespaces, type Founder, type NamespacePattern } from './namespace/dynamic-namespaces';
import type { Failure } from './namespace/failure';
import { fireHandlers, type Handler, type Handlers, hasHandler, noHandlers, withHandler } from './namespace/handlers';
import { Journal } from './namespace/journal';
import type { Frames } from './namespace/log';
import { type Middleware, Namespace, type NamespaceContext, NamespaceRules } from './namespace/namespace';
import type { Room } from './namespace/room';
import type { Socket } from './namespace/socket';
import type { Replies, Target } from './namespace/target';
import { type CheckedOptions, checkOptions, type ServerOptions } from './options';
import { Greeting, type GreetingContext } from './session/greeting';
import type { Session } from './session/session';
import { Sessions } from './session/sessions';
import { type AdmissionOptions, chooseProtocol, refuseHandshake, refuseOrigin } from './transport/admission';
import type { Connection } from './transport/connection';
import { Flusher } from './transport/flusher';
import { PollingRequests } from './transport/polling-requests';
import { lookBytes, WebSocketConnection, type WebSocketSettings } from './transport/websocket';
import { type Warning, Warnings } from './warnings';
import { TimerWheel } from './wheel';

/** What `error` says beside the error. */
export interface ErrorContext {
  /** Which piece of user code failed, such as `the handler of "chat"`. */
  readonly where: string;
}

type Names = readonly (string | readonly string[])[];

export class Server<Incoming = AnyEvents, Outgoing = AnyEvents, Data = Record<string, unknown>> {
  readonly #options: CheckedOptions;
  readonly #wheel: TimerWheel;
  readonly #journal: Journal;
  readonly #sessions: Sessions;
  readonly #flusher = new Flusher();
  readonly #greeting: GreetingContext;
  readonly #polling: PollingRequests;
  /** By codec index. Empty until there is a host. */
  #webSockets: readonly WebSocketSettings[] = [];
  readonly #admission: AdmissionOptions;
  readonly #namespaces = new Map<string, Namespace>();
  readonly #dynamic: DynamicNamespaces<NamespaceRules<AnyEvents, AnyEvents, Record<string, unknown>>>;
  /** Of `error` and `warning`. */
  #listeners: Handlers = noHandlers;
  readonly #warnings: Warnings;
  readonly #context: NamespaceContext;
  readonly #main: Namespace<Incoming, Outgoing, Data>;
  #host: Host | undefined;
  #starting = false;
  #port: number | undefined;
  #attachedTo: AppServer | undefined;
  #logs = 0;
  #closing = false;

  /** @throws LocalUsageError `ERR_OPTION` that names the option and its range */
  constructor(options: ServerOptions = {}) {
    const checked = checkOptions(options);
    this.#options = checked;
    const { codecs } = checked;
    const settings: SessionSettings = {
      heartbeatMs: checked.heartbeatMs,
      heartbeatTimeoutMs: checked.heartbeatTimeoutMs,
      recoveryWindowMs: checked.recoveryWindowMs,
      frameBytesMax: checked.frameBytesMax,
      sackPacketsMax: checked.sackPacketsMax,
      sackDelayMs: checked.sackDelayMs,
    };
    this.#wheel = new TimerWheel(checked.clock);
    // A lost connection is noticed this long after it stopped carrying anything: what was sent meanwhile is needed too.
    const entryAgeMsMax = checked.recoveryWindowMs + checked.heartbeatMs + checked.heartbeatTimeoutMs;
    this.#journal = new Journal({ ...checked, entryAgeMsMax }, this.#wheel);
    this.#admission = {
      origins: checked.origins,
      trustProxy: checked.trustProxy,
      codecNames: codecs.map(({ name }) => name),
    };
    this.#greeting = {
      wheel: this.#wheel,
      helloTimeoutMs: checked.helloTimeoutMs,
      greetings: new Set(),
      greeted: (connection, hello) => this.#sessions.greet(connection, hello),
    };
    const report = (error: unknown, where: string): void => this.#report(error, where);
    this.#warnings = new Warnings(
      () => this.#wheel.now(),
      (warning) => this.#warn(warning),
    );
    const warn = (code: string, message: string): void => this.#warnings.add(code, message);
    this.#dynamic = new DynamicNamespaces(checked);
    this.#sessions = new Sessions(
      {
        ...checked,
        settings,
        outboxLimits: checked,
        wheel: this.#wheel,
        journal: this.#journal,
        namespace: (name, auth, founder) => this.#namespaceFor(name, auth, founder),
        report,
        warn,
      },
      checked.sessionsMax,
    );
    this.#context = {
      journal: this.#journal,
      limits: checked,
      encode: (packet) => this.#encode(packet),
      fanOut: (room, frames, except) => this.#fanOut(room, frames, except),
      flush: () => {
        if (this.#host?.publish !== undefined) this.#flusher.flush();
      },
      newLogId: () => (++this.#logs).toString(36),
      newSocketId: () => randomBytes(12).toString('base64url'),
      now: () => this.#wheel.now(),
      report,
      emptied: (name) => this.#emptied(name),
    };
    this.#polling = new PollingRequests({
      admission: this.#admission,
      settings: { ...checked, wheel: this.#wheel, flusher: this.#flusher },
      connectionsMax: checked.connectionsMax,
      warn,
      isBinary: (codecIndex) => isBinary(codecs, codecIndex),
      accept: (connection) => this.#accept(connection),
    });
    this.#main = this.of('/');
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
    return this.#host?.name;
  }

  /**
   * Starts to accept connections.
   * @param port 0 takes a free one: see `port`
   * @param address the local address to bind; all by default
   * @throws LocalUsageError `ERR_LISTEN` if the address is taken, `ERR_LISTENING` if it listens already
   */
  async listen(port: number, address?: string): Promise<this> {
    if (!Number.isInteger(port) || port < 0 || port > 65_535) {
      throw new LocalUsageError('ERR_OPTION', `The port is ${String(port)}: it may be a whole number from 0 to 65535.`);
    }
    const host = await this.#start(this.#options.host ?? uwsOrNode);
    try {
      this.#port = await host.listen(port, address);
    } catch (error) {
      this.#host = undefined;
      await host.close();
      throw error;
    }
    return this;
  }

  /**
   * Lives on an `http.Server` of the app's (Express, Fastify, Vite, Next): requests and WebSockets of the option `path` come
   * here and to nobody else, all others stay the app's. It may be called at any time, before or after the app's own listeners
   * are there and the server listens. `close` leaves the server as it was, and the app closes it.
   * @param server an `http.Server` or `https.Server`, or one of `http2.createSecureServer({ allowHTTP1: true })`
   * @throws LocalUsageError `ERR_ATTACHED` if another Halyard server has that path of it, `ERR_LISTENING` if this one listens
   *   or is attached already, `ERR_OPTION` if it is no such server
   */
  async attach(server: AppServer): Promise<this> {
    if (typeof server?.listeners !== 'function') {
      const rule = 'attach takes an http.Server or https.Server, such as http.createServer(app).';
      throw new LocalUsageError('ERR_OPTION', rule, { option: 'server' });
    }
    await this.#start(attachedNode(server));
    this.#attachedTo = server;
    return this;
  }

  /** Ends every session's connection with 1001 and stops. Clients come back when a server does. */
  async close(): Promise<void> {
    this.#closing = true;
    this.#host?.stopListening();
    const close: Close = { code: CloseCode.GoingAway, reason: 'the server shuts down', by: 'server' };
    for (const greeting of [...this.#greeting.greetings]) greeting.end(close);
    for (const session of [...this.#sessions]) session.end(close);
    this.#flusher.flush();
    // One turn of the event loop: close frames and last responses leave before the sockets are cut.
    await new Promise<void>((resolve) => setImmediate(resolve));
    await this.#host?.close();
    this.#wheel.stop();
  }

  /**
   * A namespace, made the first time it is asked for.
   * @param name its name, which starts with `/`; or which names it answers to: then one is made for each on demand, and
   *   goes when it is empty
   */
  of<In = AnyEvents, Out = AnyEvents, D = Record<string, unknown>>(name: string): Namespace<In, Out, D>;
  of<In = AnyEvents, Out = AnyEvents, D = Record<string, unknown>>(
    pattern: NamespacePattern,
  ): NamespaceRules<In, Out, D>;
  of(name: string | NamespacePattern): unknown {
    if (typeof name !== 'string') {
      const rules = new NamespaceRules<AnyEvents, AnyEvents, Record<string, unknown>>();
      this.#dynamic.register(name, rules);
      return rules;
    }
    // Whoever holds it may emit to it at any time: it does not go when it is empty.
    this.#dynamic.delete(name);
    return (
      this.#namespaces.get(namespaceName(name)) ??
      this.#make(name, this.#dynamicRules(name, undefined) ?? new NamespaceRules())
    );
  }

  /**
   * `connection`: a socket is connected to the main namespace. `error`: user code failed. `warning`: a limit was met; once a
   * minute for each. Unheard, these two go to stderr.
   */
  on(event: 'connection', handler: (socket: Socket<Incoming, Outgoing, Data>) => void): this;
  on(event: 'error', handler: (error: unknown, context: ErrorContext) => void): this;
  on(event: 'warning', handler: (warning: Warning) => void): this;
  on(event: 'connection' | 'error' | 'warning', handler: Handler): this {
    if (event !== 'connection') this.#listeners = withHandler(this.#listeners, event, handler);
    else this.#main.on(event, handler as (socket: Socket<Incoming, Outgoing, Data>) => void);
    return this;
  }

  /** Runs for every socket that wants to enter the main namespace. Throw to refuse it. */
  use(middleware: Middleware<Data>): this {
    this.#main.use(middleware);
    return this;
  }

  /** Sockets of the main namespace by id. */
  get sockets(): ReadonlyMap<string, Socket<Incoming, Outgoing, Data>> {
    return this.#main.sockets;
  }

  to(...rooms: Names): Target<Incoming, Outgoing, Data> {
    return this.#main.to(...rooms);
  }

  in(...rooms: Names): Target<Incoming, Outgoing, Data> {
    return this.#main.to(...rooms);
  }

  except(...rooms: Names): Target<Incoming, Outgoing, Data> {
    return this.#main.except(...rooms);
  }

  get local(): Target<Incoming, Outgoing, Data> {
    return this.#main.local;
  }

  get volatile(): Target<Incoming, Outgoing, Data> {
    return this.#main.volatile;
  }

  timeout(timeoutMs: number): Target<Incoming, Outgoing, Data> {
    return this.#main.timeout(timeoutMs);
  }

  emit<Name extends EventName<Outgoing>>(event: Name, ...args: EventArgs<Outgoing, Name>): void {
    this.#main.emit(event, ...args);
  }

  emitWithAck<Name extends EventName<Outgoing>>(
    event: Name,
    ...args: EventArgs<Outgoing, Name>
  ): Promise<Replies<EventReply<Outgoing, Name>>> {
    return this.#main.emitWithAck(event, ...args);
  }

  fetchSockets(): Promise<Socket<Incoming, Outgoing, Data>[]> {
    return this.#main.fetchSockets();
  }

  socketsJoin(...rooms: Names): void {
    this.#main.socketsJoin(...rooms);
  }

  socketsLeave(...rooms: Names): void {
    this.#main.socketsLeave(...rooms);
  }

  disconnectSockets(session = false): void {
    this.#main.disconnectSockets(session);
  }

  async #start(factory: HostFactory): Promise<Host> {
    if (this.#host !== undefined || this.#starting)
      throw new LocalUsageError('ERR_LISTENING', 'The server listens or is attached already.');
    const handlers: HostHandlers = {
      upgrade: (request) => this.#upgrade(request),
      request: (request, body, reply) => this.#request(request, body, reply),
    };
    this.#starting = true;
    let host: Host;
    try {
      host = await factory(this.#options.path, handlers, this.#options);
    } finally {
      this.#starting = false;
    }
    this.#host = host;
    const { codecs, frameBytesMax, backpressureBytesMax } = this.#options;
    this.#webSockets = codecs.map(({ binary }, codecIndex) => ({
      codecIndex,
      binary,
      frameBytesMax,
      backpressureBytesMax,
      flusher: this.#flusher,
      native: host.publish !== undefined,
      gathersInMessage: host.gathersInMessage,
    }));
    return host;
  }

  #upgrade(request: RequestFacts): UpgradeVerdict {
    const refuse = refuseOrigin(request, this.#admission) ?? refuseHandshake(request);
    if (refuse !== undefined) return { refuse };
    const { transports } = this.#options;
    if (!transports.includes('websocket')) return { refuse: transportOff('websocket') };
    const choice = chooseProtocol(request.peer.headers.get('sec-websocket-protocol'), this.#admission);
    if ('refuse' in choice) return choice;
    const settings = this.#webSockets[choice.codecIndex] as WebSocketSettings;
    const { peer } = request;
    return {
      subprotocol: choice.subprotocol,
      open: (socket) => {
        const connection = new WebSocketConnection(socket, peer, settings);
        if (!this.#accept(connection)) {
          connection.close({ code: CloseCode.GoingAway, reason: 'the server shuts down', by: 'server' });
        }
        return connection;
      },
    };
  }

  #request(request: RequestFacts, body: Uint8Array, reply: HttpReply): void {
    if (request.path !== this.#options.path) {
      answerByFetch(this.#options.fetch, request, body, reply, this.#context.report);
    } else if (this.#options.transports.includes('polling')) this.#polling.handle(request, body, reply);
    else reply.send(refuseOrigin(request, this.#admission) ?? refuseHandshake(request) ?? transportOff('polling'));
  }

  #accept(connection: Connection): boolean {
    if (this.#closing) return false;
    const codec = this.#options.codecs[connection.codecIndex];
    if (codec === undefined) return false;
    connection.receiver = new Greeting(connection, codec, this.#greeting);
    return true;
  }

  #namespaceFor(name: string, auth: Value | undefined, founder: Founder): Namespace | Failure {
    const existing = this.#namespaces.get(name);
    if (existing !== undefined) return existing;
    const rules = this.#dynamicRules(name, auth);
    if (rules === undefined) return namespaceUnknown;
    const full = this.#dynamic.add(name, founder);
    if (full === undefined) return this.#make(name, rules);
    this.#warnings.add(full.option, `A namespace was refused: ${full.failure.message}`);
    return full.failure;
  }

  #dynamicRules(
    name: string,
    auth: Value | undefined,
  ): NamespaceRules<AnyEvents, AnyEvents, Record<string, unknown>> | undefined {
    const failed = (error: unknown): void => this.#report(error, `the pattern of a dynamic namespace, for ${name}`);
    return this.#dynamic.rulesOf(name, auth, failed)?.copy();
  }

  #make(name: string, rules: NamespaceRules<AnyEvents, AnyEvents, Record<string, unknown>>): Namespace {
    const namespace = new Namespace(name, rules, this.#context);
    this.#namespaces.set(name, namespace);
    return namespace;
  }

  #emptied(name: string): void {
    if (this.#dynamic.delete(name)) this.#namespaces.delete(name);
  }

  /** Text becomes UTF-8 here, once, and not again in each write. */
  #encode(packet: Packet): Frames {
    return this.#options.codecs.map((codec, index) => {
      if (!this.#sessions.uses(index)) return undefined;
      const frame = codec.encode(packet);
      return typeof frame === 'string' ? Buffer.from(frame) : frame;
    });
  }

  #fanOut(room: Room, frames: Frames, except: Session | undefined): void {
    const host = this.#host;
    if (host?.publish === undefined) return;
    for (let index = 0; index < frames.length; index++) {
      const frame = frames[index];
      if (frame === undefined) continue;
      const topic = room.topic(index);
      if (except?.codecIndex === index && except.publishToOthers(topic, frame)) continue;
      host.publish(topic, frame, isBinary(this.#options.codecs, index));
    }
    // Native fan-out tells nobody who does not keep up.
    room.publishedBytes += longest(frames);
    if (room.publishedBytes <= lookBytes) return;
    for (const { session } of room.members.values()) session.published(room.publishedBytes);
    room.publishedBytes = 0;
  }

  #report(error: unknown, where: string): void {
    if (!hasHandler(this.#listeners, 'error')) {
      console.error(`Halyard: ${where} failed:`, error);
      return;
    }
    fireHandlers(this.#listeners, 'error', [error, { where } satisfies ErrorContext], (failure) =>
      console.error('Halyard: the handler of "error" failed:', failure),
    );
  }

  #warn(warning: Warning): void {
    if (hasHandler(this.#listeners, 'warning')) {
      fireHandlers(this.#listeners, 'warning', [warning], (error) => this.#report(error, 'a handler of "warning"'));
    } else console.warn(`Halyard: ${warning.message}${warning.count > 1 ? ` (${warning.count} times)` : ''}`);
  }
}

const namespaceUnknown: Failure = {
  code: 'ERR_NAMESPACE_UNKNOWN',
  message: 'There is no such namespace.',
  data: undefined,
};

/** uWebSockets.js if it loads; else node, which says so once. */
const uwsOrNode: HostFactory = async (path, handlers, limits) => {
  try {
    return await uws()(path, handlers, limits);
  } catch (error) {
    if (!(error instanceof HalyardError)) throw error;
    console.warn(`Halyard runs on node:http and ws, because ${error.message}`);
    return node()(path, handlers, limits);
  }
};

function isBinary(codecs: readonly Codec[], codecIndex: number): boolean {
  return codecs[codecIndex]?.binary ?? false;
}

function longest(frames: Frames): number {
  let bytes = 0;
  for (const frame of frames) if (frame !== undefined && frame.length > bytes) bytes = frame.length;
  return bytes;
}

function transportOff(name: string): ReturnType<typeof jsonError> {
  return jsonError(400, 'ERR_TRANSPORT', `The ${name} transport is off (server option: transports).`);
}
