// The connection under all sockets of a client: which link carries the session, when the next is tried, and when no more is.
import {
  afterClose,
  type Clock,
  type Close,
  HalyardError,
  type RemoteProtocolError,
  subprotocol,
} from '@halyard/protocol';
import { debug } from '#debug';
import { callAll, createEmitter } from '../base/emitter';
import { isVisible, watchNetwork } from '../platform/network';
import { backoffMs } from './backoff';
import type { CarriedSession, Carrier } from './carrier';
import { type Address, broken, type Link, type Transport } from './transport';

/** From `idle` or `closed` to `connecting`, to `open` or `waiting`, back to `connecting`; from each of them to `closed`. */
export type ConnectionState = 'idle' | 'connecting' | 'open' | 'waiting' | 'closed';

type ChangeTo =
  | { readonly to: 'connecting'; readonly reason: 'wanted' | 'retry' | 'online' | 'awake' }
  | { readonly to: 'open'; readonly reason: 'new' | 'recovered'; readonly transport: string }
  | { readonly to: 'waiting'; readonly reason: 'failed' | 'lost'; readonly close: Close; readonly retryInMs: number }
  | { readonly to: 'closed'; readonly reason: 'local' | 'final' | 'attempts'; readonly close: Close };

/** What happened. `attempt` counts the attempts since a connection was open or wanted, from 0. */
export type StateChange = ChangeTo & { readonly from: ConnectionState; readonly attempt: number };

export interface Connection {
  readonly state: ConnectionState;
  /** Name of the transport that carries the session now. */
  readonly transport: string | undefined;
  on(event: 'state', listener: (change: StateChange) => void): void;
  /** Without a listener: all. */
  off(event: 'state', listener?: (change: StateChange) => void): void;
  /** Disconnects every namespace and ends the session. */
  close(): void;
}

const nothing = () => {};

/** How long the server may take for a sign of life that a page asks for which was not looked at. */
const wakeTimeoutMs = 5_000;

export interface ConnectorOptions {
  readonly clock: Clock;
  readonly random: () => number;
  readonly codec: { readonly name: string; readonly binary: boolean };
  readonly transport: Transport;
  readonly path: string;
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
  /** Frames that have come. */
  let heard = 0;

  const move = (change: ChangeTo, number = attempt) => {
    const from = state;
    state = change.to;
    const told = { ...change, from, attempt: number };
    debug.log?.('connection', origin, change.to, told);
    callAll(emitter.take('state'), [told], console.error);
  };

  const connect = (reason: 'wanted' | 'retry' | 'online' | 'awake') => {
    cancel();
    cancel = clock.after(options.connectTimeoutMs, () => {
      if (state === 'connecting') down(broken('connectTimeoutMs'));
    });
    const current = options.transport.open(address, {
      async onOpen() {
        try {
          await answered();
          if (link === current) session.attach(current);
        } catch (error) {
          if (link === current) down(broken(`${error}`), error);
        }
      },
      onFrame(frame) {
        heard++;
        try {
          session.receive(frame);
        } catch (error) {
          const { closeCode = 4400, code } = error as RemoteProtocolError;
          down({ code: closeCode, reason: `${code}`, by: 'client' }, error);
        }
      },
      onClose: down,
    });
    link = current;
    move({ to: 'connecting', reason });
    const answered = session.ask();
  };

  /**
   * The connection was lost, could not be made, or is to end.
   * @param cause the error behind it
   * @param local whether it was closed from this side on purpose
   */
  const down = (close: Close, cause?: unknown, local = false) => {
    const wasOpen = state === 'open';
    const after = afterClose(close.code);
    const reason = local ? 'local' : after === 'final' ? after : attempt >= options.attemptsMax && 'attempts';
    // What is not there is not lost, and what is closed stays closed.
    if (state === 'closed' || !(reason || link)) return;
    if (wasOpen && clock.now() - openedAt > options.delayMaxMs) failures = 0;
    const tell = session.detach(reason ? 'final' : after, close.reason || `${close.code}`);
    cancel();
    cancel = nothing;
    link?.close(close.code, close.reason);
    link = undefined;
    const number = attempt;
    let retryInMs: number | undefined;
    if (reason) {
      unwatch();
      move({ to: 'closed', reason, close });
    } else {
      attempt++;
      retryInMs = backoffMs(failures++, options);
      cancel = clock.after(retryInMs, () => connect('retry'));
      move({ to: 'waiting', reason: wasOpen ? 'lost' : 'failed', close, retryInMs }, number);
    }
    // Who was never connected hears of attempts, and of no connection that is lost.
    const isTold = !local && (!wasOpen || reason);
    const details = { close, attempt: number, retryInMs, cause, final: !!reason };
    // A server begins with the code of the rule, if there is one.
    const [, code = 'ERR_CONNECT', words = close.reason || `closed with ${close.code}`] =
      /^(ERR_\w+): (.*)/s.exec(close.reason) ?? [];
    tell({
      close,
      willReconnect: !reason,
      cause,
      error: isTold ? new HalyardError(code, words, details) : undefined,
    });
  };

  const end = (code: number, reason: string) => down({ code, reason, by: 'client' }, undefined, true);

  const onSilent = () => down({ code: 4000, reason: 'heartbeat timeout', by: 'network' });

  /** Whoever comes back to a page does not wait for a heartbeat to find out that its connection is gone. */
  const wake = () => {
    session.probe();
    const before = heard;
    clock.after(wakeTimeoutMs, () => {
      if (before === heard && state === 'open') onSilent();
    });
  };

  const session = createSession({
    onWanted() {
      if (state !== 'idle' && state !== 'closed') return;
      attempt = failures = 0;
      unwatch = watchNetwork(({ type, persisted }) => {
        if (type === 'pagehide') {
          if (!persisted) end(1001, type);
        } else if (type === 'offline') down(broken(type));
        else if (isVisible()) {
          // What a page had that was put away and is back is gone, even where nobody says so.
          if (persisted) down(broken(type));
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
      move({ to: 'open', reason: recovered ? 'recovered' : 'new', transport: link!.name }, number);
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
