// The connection under all sockets of a client: which link carries the session, when the next is tried, and when no more is; and
// how it goes over to a transport that is preferred, once that is proven, and back. Longer than other files: of each of these only
// one may be under way.
import type { Codec } from '@halyard/codec';
import {
  afterClose,
  type Clock,
  type Close,
  type Frame,
  HalyardError,
  LocalUsageError,
  PacketType,
  type RemoteProtocolError,
  subprotocol,
} from '@halyard/protocol';
import { debug } from '#debug';
import { callAll, createEmitter } from '../base/emitter';
import { isVisible, watchNetwork } from '../platform/network';
import { backoffMs } from './backoff';
import type { CarriedSession, Carrier } from './carrier';
import { type Address, broken, type Link, silentCode, type Transport } from './transport';

/**
 * From `idle` or `closed` to `connecting`, to `open` or `waiting`, back to `connecting`; from each of them to `closed`; and from
 * `open` to `open` when it has moved to another transport.
 */
export type ConnectionState = 'idle' | 'connecting' | 'open' | 'waiting' | 'closed';

type ChangeTo =
  | { readonly to: 'connecting'; readonly reason: 'wanted' | 'retry' | 'online' | 'awake' }
  | { readonly to: 'open'; readonly reason: 'new' | 'recovered' | 'moved'; readonly transport: string }
  | { readonly to: 'waiting'; readonly reason: 'failed' | 'lost'; readonly close: Close; readonly retryInMs: number }
  | { readonly to: 'closed'; readonly reason: 'local' | 'final' | 'attempts'; readonly close: Close };

/** What happened. `attempt` counts the attempts since a connection was open or wanted, from 0. */
export type StateChange = ChangeTo & { readonly from: ConnectionState; readonly attempt: number };

/** The connection that the sockets of a client share. */
export interface Connection {
  readonly state: ConnectionState;
  /** Name of the transport that carries the session now. */
  readonly transport: string | undefined;
  /** Told of each change of `state`, and of each move to another transport. */
  on(event: 'state', listener: (change: StateChange) => unknown): void;
  /** Without a listener: all. */
  off(event: 'state', listener?: (change: StateChange) => unknown): void;
  /** Disconnects every namespace and ends the session. */
  close(): void;
}

const nothing = () => {};

/** The wait until a preferred transport is tried is up to so many times as long as the first. */
const switchDelaysMax = 30;

/** How long WELCOME may take on what has just answered: the session goes back to where it was then. */
const moveTimeoutMs = 5_000;

/** A server that is about to go is not left sooner than so long after it was come to: so nobody is sent round in a circle. */
const stayMsMin = 1_000;

/** How long the server may take for a sign of life that a page asks for which was not looked at. */
const wakeTimeoutMs = 5_000;

export interface ConnectorOptions {
  readonly clock: Clock;
  readonly random: () => number;
  readonly codec: Codec;
  readonly transport: Transport;
  readonly path: string;
  readonly followServers: readonly string[];
  readonly attemptsMax: number;
  readonly delayMinMs: number;
  readonly delayMaxMs: number;
  readonly connectTimeoutMs: number;
  readonly extraHeaders: Address['extraHeaders'];
  readonly withCredentials: Address['withCredentials'];
}

/** @param createSession makes the session that will be carried */
export function createConnector<Session extends CarriedSession>(
  origin: string,
  options: ConnectorOptions,
  createSession: (carrier: Carrier) => Session,
): { connection: Connection; session: Session } {
  const { clock, codec } = options;
  const emitter = createEmitter();
  let state: ConnectionState = 'idle';
  let attempt = 0;
  /** As `attempt`, but forgotten only after a connection that lasted. */
  let failures = 0;
  let openedAt = 0;
  let link: Link | undefined;
  /** Ends the timer that is under way. */
  let cancel = nothing;
  let unwatch = nothing;
  /** A link that is tried beside the one of now, because its transport is preferred. */
  let rival: Link | undefined;
  /** Ends the wait for the next one, or for what it brings. */
  let cancelRival = nothing;
  /** How many of them were tried in vain, or did not last. */
  let setbacks = 0;
  /** What has opened the link of now beside another: what carried the session before that may do so again. */
  let hasMoved: Transport | undefined;
  /** The link whose server is to be left. */
  let drained: Link | undefined;
  /** Tries to leave it. */
  let leave = nothing;
  /** Where it was said to go, should the link be lost before that. */
  let next: Address | undefined;
  /** WELCOME has not come yet on another link than that of which everybody knows. */
  let moving = false;
  /** Carried the session until it began to move. The server ends it, too, but none that it does not answer on. */
  let former: Link | undefined;
  /** Frames that have come. */
  let heard = 0;

  const move = (change: ChangeTo, number = attempt) => {
    const from = state;
    state = change.to;
    const told = { ...change, from, attempt: number };
    debug.log?.('connection', origin, change.to, told);
    callAll(emitter.take('state'), [told], console.error);
  };

  /** Hands a frame on, or ends the connection that broke the protocol. */
  const receive = (frame: Frame) => {
    heard++;
    try {
      session.receive(frame);
    } catch (error) {
      const { closeCode = 4400, code } = error as RemoteProtocolError;
      // A proxy may put its own words into an answer that has begun: no server has said that.
      if (code === 'ERR_FRAME_DECODE' && link!.name !== 'websocket') down(broken(code), error);
      else down({ code: closeCode, reason: `${code}`, by: 'client' }, error);
    }
  };

  const limitWelcome = () => {
    cancel();
    const { connectTimeoutMs, transport } = options;
    // Another server may have to ask for the session first.
    const isSwitch = hasMoved && hasMoved !== transport;
    const limitMs = isSwitch ? Math.min(moveTimeoutMs, connectTimeoutMs) : connectTimeoutMs;
    cancel = clock.after(limitMs, () => {
      if (moving || state === 'connecting') {
        link?.close(silentCode, '');
        down(broken(`not connected within ${limitMs} ms (connectTimeoutMs${link?.fault ?? ''}), auth included`));
      }
    });
  };

  const connect = (reason?: 'wanted' | 'retry' | 'online' | 'awake') => {
    limitWelcome();
    const current = options.transport.open(next ?? address, {
      async onOpen() {
        try {
          await answered();
          if (link === current) session.attach(current);
        } catch (error) {
          if (link === current) down(broken(`${(error as HalyardError).code}`), error);
        }
      },
      onFrame(frame) {
        if (link === current) receive(frame);
      },
      onClose(close) {
        if (link === current) down(close);
      },
    });
    link = current;
    next = undefined;
    if (reason) move({ to: 'connecting', reason });
    const answered = session.ask();
  };

  /** Gives up what is tried beside the link of now. */
  const dropRival = () => {
    cancelRival();
    rival?.close(1000, '');
    rival = undefined;
  };

  /** Tries, in some time, what is preferred to the link of now; or another server, where that of now is to be left. */
  const planRival = () => {
    dropRival();
    if (link && drained === link) {
      cancelRival = clock.after(backoffMs(setbacks++, options), leave);
      return;
    }
    const transport = link?.better;
    if (!transport || hasMoved) return;
    const waitMs = transport.delayMs * Math.min(2 ** setbacks++, switchDelaysMax) * (1 + options.random());
    cancelRival = clock.after(Math.max(waitMs, transport.notBeforeMs), () => tryRival(transport));
  };

  /** The session moves to it once an answer has come over it (docs/PROTOCOL.md §5.1). */
  const tryRival = (transport: Transport, at = address) => {
    cancelRival = clock.after(options.connectTimeoutMs, () => {
      mine.close(silentCode, '');
      planRival();
    });
    const mine = transport.open(at, {
      onOpen: () => mine.send(codec.encode({ type: PacketType.Ping, received: undefined })),
      async onFrame(frame) {
        if (link === mine) return receive(frame);
        try {
          if (codec.decode(frame).type !== PacketType.Pong) throw frame;
          await session.ask()();
        } catch {
          if (rival === mine) planRival();
        }
        if (rival !== mine) return;
        cancelRival();
        rival = next = undefined;
        hasMoved = transport;
        moving = true;
        former = link;
        session.detach('move', '');
        link = mine;
        limitWelcome();
        session.attach(mine);
      },
      onClose(close) {
        if (link === mine) down(close);
        else if (rival === mine) planRival();
      },
    });
    rival = mine;
  };

  /**
   * The connection was lost, could not be made, or is to end.
   * @param cause the error behind it
   * @param local whether it was closed from this side on purpose
   * @param kept whether the page goes away, and the session is kept for when it is back, or the next is there: no attempt has failed
   */
  const down = (close: Close, cause?: unknown, local = false, kept = false) => {
    const wasOpen = state === 'open';
    const after = session.fateOf?.(close) ?? afterClose(close.code);
    const failure = (cause ?? session.blame(close)) as HalyardError | undefined;
    const root = failure?.details?.cause ?? failure;
    // What this side cannot say it cannot say on another link either.
    const isFinal = after === 'final' || root instanceof LocalUsageError;
    const reason = local ? 'local' : isFinal ? 'final' : !kept && attempt >= options.attemptsMax && 'attempts';
    // What is not there is not lost, and what is closed stays closed.
    if (state === 'closed' || !(reason || link)) return;
    if (wasOpen && clock.now() - openedAt > options.delayMaxMs) {
      failures = 0;
      if (hasMoved) setbacks = 0;
    }
    // What it has moved to is gone: before anybody hears of it, what is there is tried.
    const goesBack = !!hasMoved && !reason && after === 'resume';
    const tell = session.detach(goesBack ? 'move' : reason ? 'final' : after, close.reason || `${close.code}`);
    cancel();
    cancel = nothing;
    dropRival();
    former?.close(1006, '');
    link?.close(close.code, close.reason);
    link = former = undefined;
    hasMoved = undefined;
    moving = goesBack;
    if (goesBack) return connect();
    const number = attempt;
    let retryInMs: number | undefined;
    if (reason) {
      unwatch();
      move({ to: 'closed', reason, close });
    } else {
      if (!kept) attempt++;
      retryInMs = backoffMs(failures++, options, close.reason);
      cancel = clock.after(retryInMs, () => connect('retry'));
      move({ to: 'waiting', reason: wasOpen ? 'lost' : 'failed', close, retryInMs }, number);
    }
    // Who was never connected hears of attempts, and of no connection that is lost.
    const isTold = !local && (reason || (!wasOpen && !kept));
    const details = { close, attempt: number, retryInMs, cause: root, final: !!reason };
    // When to come again is for no person to read. A server begins with a code, if there is one (docs/PROTOCOL.md §8).
    const text = close.reason.replace(/(; )?retry-after: \d+$/, '') || `closed with ${close.code}`;
    const [, code = 'ERR_CONNECT', words = text] = (close.by === 'server' && /^(\S+): (.*)/s.exec(text)) || [];
    tell({
      close,
      willReconnect: !reason,
      cause,
      error: isTold ? new HalyardError(failure?.code ?? code, failure?.message ?? words, details) : undefined,
    });
  };

  const end = (code: number, reason: string) => down({ code, reason, by: 'client' }, undefined, true);

  const onSilent = () => down(broken('heartbeat timeout', silentCode));

  /** Whoever comes back to a page does not wait for a heartbeat to find out that its connection is gone. */
  const wake = () => {
    session.probe();
    const before = heard;
    clock.after(wakeTimeoutMs, () => {
      if (before !== heard || state !== 'open') return;
      // Whatever it was that the page slept through, it says nothing of the transport.
      link?.close(1006, '');
      onSilent();
    });
  };

  const session = createSession({
    onWanted() {
      if (state !== 'idle' && state !== 'closed') return;
      attempt = failures = setbacks = 0;
      unwatch = watchNetwork(({ type, persisted }) => {
        if (type === 'pagehide') {
          // A page that goes opens no other link.
          hasMoved = undefined;
          // What the browser keeps, to bring it back, keeps no connection.
          session.save?.() || persisted ? down(broken(type), undefined, false, true) : end(1001, type);
          return;
        }
        session.wakes?.();
        if (type === 'offline') down(broken(type));
        else if (isVisible()) {
          if (state === 'waiting') {
            failures = 0;
            connect(type === 'online' ? type : 'awake');
          } else wake();
        }
      });
      connect('wanted');
    },
    onIdle: () => end(1000, ''),
    onOpen(recovered) {
      const number = attempt;
      attempt = 0;
      openedAt = clock.now();
      former?.close(1006, '');
      former = undefined;
      const reason = !recovered ? 'new' : moving ? 'moved' : 'recovered';
      moving = false;
      // Another server is no other way: from there what is preferred may be tried.
      if (hasMoved === options.transport) hasMoved = undefined;
      move({ to: 'open', reason, transport: link!.name }, number);
      planRival();
    },
    onDrain(afterMs, url) {
      if (drained === link) return;
      drained = link;
      dropRival();
      setbacks = 0;
      next = { ...address, url: (options.followServers.includes(url) ? url : origin) + options.path };
      const at = next;
      leave = () => tryRival(options.transport, at);
      cancelRival = clock.after(Math.max(afterMs, openedAt + stayMsMin - clock.now()), leave);
    },
    onSilent,
  });

  const address: Address = {
    url: origin + options.path,
    protocol: subprotocol(codec.name),
    binary: codec.binary,
    // A quarter, because a character may take three bytes.
    batchMax: () => Math.min(session.frameBytesMax() / 4, 1 << 16),
    clock,
    connectTimeoutMs: options.connectTimeoutMs,
    extraHeaders: options.extraHeaders,
    withCredentials: options.withCredentials,
  };

  return {
    session,
    connection: {
      get state() {
        return state;
      },
      get transport() {
        return state === 'open' ? link!.name : undefined;
      },
      on: emitter.on,
      off: emitter.off,
      close: session.leaveAll,
    },
  };
}
