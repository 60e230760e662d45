// A socket as events come to it: through the gates and its middleware to the handlers, and what they return goes back. Longer than other files: all that
// may become of an event is to be seen side by side.
// Methods are private by the compiler alone: one with # costs every instance a field.
import {
  type Close,
  type EventPacket,
  failureOf,
  isMissedCallback,
  isThenable,
  LocalUsageError,
  PublicError,
  quoted,
  type Value,
  type VolatilePacket,
} from '@halyard/protocol';
import { Backlog, type BacklogLimits } from '../base/backlog';
import { debugOf } from '../base/debug';
import type { Tell } from '../base/happenings';
import type { Meters } from '../base/meters';
import type { Platform } from '../base/platform';
import type { Rooms } from '../room/rooms';
import { notConnected } from '../session/not-connected';
import { type Owner, Presence } from '../session/presence';
import type { PresenceRecord } from '../session/record';
import { EventMiddleware, type SocketMiddleware } from './event-middleware';
import type { Args, Gates } from './gates';
import {
  anyEvent,
  callEvent,
  type EventKey,
  fireAnyHandlers,
  fireHandlers,
  type Handler,
  type Handlers,
  hasHandler,
  missedCallback,
  noHandlers,
  onlyAny,
  unhandled,
  withAnyFirst,
  withHandler,
  withoutHandler,
} from './handlers';
import { type Counted, type Handled, Handling, type Running } from './handling';

/**
 * Events of the socket itself. They never come from the other side. Why is a `Close`: its `code` is one of `CloseCode`, and of 1000, by
 * `by`, either the client has left, or the app has disconnected it. Handlers may be asynchronous: nothing waits for them.
 */
export interface SocketLifecycle {
  /** As `disconnect`, just before it. */
  disconnecting(close: Close): unknown;
  /**
   * The session is over, or left this namespace. Nothing follows. `rooms` still says which rooms it was in: `to` them tells who is
   * left there.
   */
  disconnect(close: Close): unknown;
  /** The connection is lost; the session waits for it to come back. */
  away(close: Close): unknown;
  /** The session is back on a new connection: nothing was lost. */
  resume(): unknown;
  /**
   * The session goes on at another server, with a socket of the same id. What this server keeps for it is to be cleaned up;
   * nothing follows.
   */
  moved(): unknown;
}

const lifecycle: readonly EventKey[] = ['disconnecting', 'disconnect', 'away', 'resume', 'moved'];

/** What the sockets of a namespace need of it: one for all. */
export interface EventContext extends BacklogLimits {
  readonly platform: Platform;
  readonly running: Running;
  readonly counted: Counted;
  readonly meters: Meters;
  readonly tell: Tell;
  /** What its events have to pass. */
  readonly gates: Gates;
  /** For handlers whose result is not the reply. */
  readonly reportAside: (error: unknown) => void;
  report(error: unknown, where: string): void;
  /** Nothing handles an event of a socket's client. */
  unhandled(socket: EventSocket, event: string, args: readonly Value[], isUntold: boolean): void;
  /** @param about which of several things of the kind */
  warn(code: string, message: string, about?: string): void;
  /** The gates have refused an event of a socket's client. */
  refused(socket: EventSocket, event: string, error: PublicError): void;
  /** A socket is over. */
  removed(): void;
}

const debug = debugOf('halyard:server:event');

/** In which rooms they were that are over. */
const lastRooms = new WeakMap<EventSocket, readonly string[]>();

/** Those whose session goes on at another server. */
const movedOnes = new WeakSet<EventSocket>();

/** The socket whose handlers are called for an event that is redelivered. */
let redelivered: EventSocket | undefined;

/** Those from elsewhere that the app does not know of yet, and how they have ended, if they have. */
const untold = new WeakMap<EventSocket, Close | undefined>();

export abstract class EventSocket extends Presence {
  // What every event touches comes first and side by side.
  protected readonly context: EventContext;
  #handlers = noHandlers;
  #middleware: EventMiddleware | undefined = undefined;
  #lifecycle = noHandlers;
  /** Whether the session was ever resumed on another connection. */
  recovered = false;

  /** @param record what it was on another server */
  constructor(id: string, owner: Owner, rooms: Rooms, context: EventContext, record?: PresenceRecord) {
    super(id, owner, rooms, record?.memberships);
    this.context = context;
    // A session that has moved is one that was resumed.
    if (record === undefined) return;
    this.recovered = true;
    untold.set(this, undefined);
  }

  override told(): void {
    const close = untold.get(this);
    untold.delete(this);
    if (close !== undefined) this.tellOver(close);
  }

  /** Whether the event may have been handled before, by a server that is gone. Tells of the event whose handlers are called. */
  get redelivered(): boolean {
    return redelivered === this;
  }

  /** The rooms it is in, or was in when it ended, but for that of its own id. */
  protected get ownRooms(): Iterable<string> {
    return this.connected ? this.roomNames : (lastRooms.get(this) ?? []);
  }

  override over(close: Close, isElsewhere = false): void {
    if (this.connected) {
      const rooms = [...this.roomNames];
      if (rooms.length > 0) lastRooms.set(this, rooms);
    }
    super.over(close, isElsewhere);
  }

  /** Whether its session goes on at another server. */
  protected get hasMoved(): boolean {
    return movedOnes.has(this);
  }

  override receive(packet: EventPacket | VolatilePacket, number: number, size: number): void {
    const ack = 'ack' in packet ? packet.ack : undefined;
    const { event, args } = packet;
    if (this.#middleware === undefined && this.context.gates.isOpen) this.handle(event, args, ack, number);
    else this.pass(event, args, ack, number, size);
  }

  override wentAway(close: Close): void {
    this.fire('away', [close]);
  }

  override cameBack(): void {
    this.recovered = true;
    this.fire('resume', []);
  }

  protected override isBusy(then: () => void): boolean {
    if (!this.#middleware?.isBusy) return false;
    this.#middleware.whenPassed(then);
    return true;
  }

  protected override ended(close: Close, isElsewhere: boolean): void {
    this.context.removed();
    this.#middleware?.end();
    if (isElsewhere) movedOnes.add(this);
    if (untold.has(this)) untold.set(this, close);
    else this.tellOver(close);
  }

  private tellOver(close: Close): void {
    const handlers = this.#lifecycle;
    this.#handlers = this.#lifecycle = noHandlers;
    if (handlers === noHandlers) return;
    // Another server may have it without this one knowing: then it is not over.
    this.line.whenOver((hasMoved) => {
      if (hasMoved) this.fire('moved', [], handlers);
      else {
        this.fire('disconnecting', [close], handlers);
        this.fire('disconnect', [close], handlers);
      }
    });
  }

  protected addMiddleware(middleware: SocketMiddleware): void {
    this.#middleware ??= this.newMiddleware();
    this.#middleware.use(middleware);
  }

  protected listen(event: EventKey, handler: Handler): void {
    if (lifecycle.includes(event)) this.#lifecycle = withHandler(this.#lifecycle, event, handler);
    else this.#handlers = withHandler(this.#handlers, event, handler);
  }

  protected listenFirst(handler: Handler): void {
    this.#handlers = withAnyFirst(this.#handlers, handler);
  }

  /** Removes every handler but those of any event. */
  protected unlistenAll(): void {
    this.#handlers = onlyAny(this.#handlers);
    this.#lifecycle = noHandlers;
  }

  protected unlisten(event: EventKey, handler: Handler | undefined): void {
    if (lifecycle.includes(event)) this.#lifecycle = withoutHandler(this.#lifecycle, event, handler);
    else this.#handlers = withoutHandler(this.#handlers, event, handler);
  }

  private fire<Name extends keyof SocketLifecycle>(
    event: Name,
    args: Parameters<SocketLifecycle[Name]>,
    handlers = this.#lifecycle,
  ): void {
    // After what is under way: a connection may be lost in the midst of an emit to many, and handlers emit.
    if (handlers === noHandlers) return;
    this.context.platform.microtask(() => {
      fireHandlers(handlers, event, args, (error) => this.context.report(error, `a handler of "${event}"`));
    });
  }

  private newMiddleware(): EventMiddleware {
    const backlog = new Backlog(this.context, (...what) => this.line.full(...what));
    return new EventMiddleware(backlog, this.context.running);
  }

  /** Through what is before its handlers: at once, if nothing waits and nothing is asynchronous. */
  private pass(event: string, args: Args, ack: number | undefined, number: number, size: number): void {
    const { gates } = this.context;
    let passed: Args | Promise<Args> | undefined;
    if (!this.#middleware?.takesTurns) {
      try {
        passed = gates.pass(this, event, args);
      } catch (error) {
        this.keptOut(error as PublicError, event, ack, number);
        return;
      }
      if (!isThenable(passed)) {
        this.handle(event, passed, ack, number);
        return;
      }
    }
    this.#middleware ??= this.newMiddleware();
    this.#middleware.run(event, size, {
      gate: () => passed ?? gates.pass(this, event, args),
      passed: (name, own) => this.handle(name, own, ack, number),
      refused: (error, isGate) => {
        if (isGate) {
          this.keptOut(error as PublicError, event, ack, number);
          return;
        }
        this.refuse(error, `middleware, for "${event}"`, ack, 'ERR_REFUSED', 'The event was refused.');
        this.line.settle(number);
      },
    });
  }

  /** The gates have refused it: its caller is told, and nothing else is done. */
  private keptOut(error: PublicError, event: string, ack: number | undefined, number: number): void {
    const { code } = error;
    debug?.(`socket ${this.id} of ${quoted(this.namespace)}: ${quoted(event)} is refused, ${quoted(code)}`);
    this.context.tell('event refused', { code, session: this.line.id, namespace: this.namespace });
    if (ack !== undefined) this.line.sendError(ack, failureOf(error, 'ERR_REFUSED', 'The event was refused.'));
    this.context.refused(this, event, error);
    this.line.settle(number);
  }

  private handle(event: string, args: readonly Value[], ack: number | undefined, number: number): void {
    if (number === 0) this.call(event, args, ack, this.context.counted);
    else this.callAndSettle(event, args, ack, number);
  }

  private callAndSettle(event: string, args: readonly Value[], ack: number | undefined, number: number): void {
    // Whoever goes on with it handles what was not begun here.
    if (this.hasMoved) return;
    this.line.began(number, ack);
    const { running } = this.context;
    running.count++;
    const settled = (): void => {
      running.count--;
      this.line.settle(number);
    };
    const before = redelivered;
    redelivered = this.line.isRedelivered(number) ? this : undefined;
    try {
      this.call(event, args, ack, new Handling(settled));
    } finally {
      redelivered = before;
    }
  }

  /** @param handling settles the event, if it is to be known when that is */
  private call(event: string, args: readonly Value[], ack: number | undefined, handling: Handled): void {
    if (!this.connected) {
      // The app has sent it out while the event waited.
      if (ack !== undefined && !this.hasMoved) this.line.sendError(ack, notConnected);
      handling.done();
      return;
    }
    const { reportAside, meters } = this.context;
    const weight = meters.weight();
    const startedAt = weight > 0 ? meters.now() : 0;
    const isSeen = this.#handlers[0] === anyEvent;
    fireAnyHandlers(this.#handlers, event, args, reportAside, handling);
    // What those have added or removed counts; what the event's own handlers do to the list does not.
    const handlers = this.#handlers;
    let result: unknown;
    try {
      result =
        meters.instruments?.handle === undefined
          ? callEvent(handlers, event, args, reportAside, handling)
          : this.instrumented(event, args, handling);
      if (result === unhandled) {
        this.unheard(event, args, ack, isSeen);
        handling.done();
        return;
      }
      if (ack !== undefined && !this.context.gates.isOpen) result = this.context.gates.reply(event, result);
      // Looking at it may throw as well.
      if (isThenable(result)) {
        const { running } = this.context;
        running.count++;
        const over = (): void => {
          running.count--;
          meters.handled(event, startedAt, weight);
          handling.done();
        };
        result.then(
          (value) => {
            this.reply(event, args, ack, value, handlers);
            over();
          },
          (error) => {
            this.failed(error, event, ack);
            over();
          },
        );
        return;
      }
    } catch (error) {
      this.failed(error, event, ack);
      meters.handled(event, startedAt, weight);
      handling.done();
      return;
    }
    if (ack !== undefined) this.reply(event, args, ack, result, handlers);
    meters.handled(event, startedAt, weight);
    handling.done();
  }

  /** Events that nobody handles are none. */
  private instrumented(event: string, args: readonly Value[], handling: Handled): unknown {
    const { meters, reportAside } = this.context;
    const handlers = this.#handlers;
    const run = (): unknown => callEvent(handlers, event, args, reportAside, handling);
    const { instruments } = meters;
    if (instruments?.handle === undefined || !hasHandler(handlers, event)) return run();
    const { id: socket, namespace, line } = this;
    return instruments.handle({ event, namespace, socket, session: line.id }, run);
  }

  /** Its name is mistyped, or its handler comes later, behind an `await`: whoever asked is told, and whoever wants to know. */
  private unheard(event: string, args: readonly Value[], ack: number | undefined, isSeen: boolean): void {
    debug?.(`socket ${this.id} of ${quoted(this.namespace)}: nothing handles ${quoted(event)}`);
    if (ack !== undefined)
      this.line.sendError(ack, new PublicError('ERR_NO_HANDLER', `Nothing handles ${quoted(event)}.`));
    this.context.unhandled(this, event, args, ack === undefined && !isSeen);
  }

  /** @param handlers which it is of: those that are called once are not there any more */
  private reply(
    event: string,
    args: readonly Value[],
    ack: number | undefined,
    value: unknown,
    handlers: Handlers,
  ): void {
    if (ack === undefined) return;
    if (value === undefined) {
      const message = missedCallback(handlers, event, args.length);
      if (message !== undefined) this.context.warn('ERR_NO_CALLBACK', message, event);
    }
    try {
      this.line.sendAck(ack, value as Value | undefined);
    } catch (error) {
      this.failed(error, event, ack, 'the reply of ');
    }
  }

  private failed(thrown: unknown, event: string, ack: number | undefined, what = ''): void {
    const error = lookable(thrown);
    const hint = isMissedCallback(error)
      ? ' (it is given no callback: what it returns, or its promise resolves to, is the reply)'
      : '';
    const where = `${what}the handler of "${event}"${hint}`;
    if (error instanceof LocalUsageError && error.code === 'ERR_REPLY_INVALID') {
      this.refuse(error, where, ack, error.code, 'The reply of the server was not as the contract has it.');
    } else this.refuse(error, where, ack, 'ERR_HANDLER', 'The handler failed.');
  }

  private refuse(error: unknown, where: string, ack: number | undefined, code: string, message: string): void {
    if (!(error instanceof PublicError)) this.context.report(error, where);
    const failure = failureOf(error, code, message);
    debug?.(`socket ${this.id} of ${quoted(this.namespace)}: ${quoted(where)} threw ${quoted(failure.code)}`);
    this.context.tell('event failed', { code: failure.code, session: this.line.id, namespace: this.namespace });
    if (ack !== undefined) this.line.sendError(ack, failure);
  }
}

/** @returns what was thrown; if to look at it throws as well, an error that says so */
function lookable(thrown: unknown): unknown {
  try {
    if (thrown instanceof PublicError) failureOf(thrown, '', '');
    return thrown;
  } catch {
    return new Error('What was thrown throws when it is looked at.');
  }
}
