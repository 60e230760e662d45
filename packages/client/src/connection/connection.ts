// The connection under all sockets of a client: which transport carries the session, when the next is tried, and when
// no more is. Its states are a table.
import { afterClose, type Close, HalyardError, type RemoteProtocolError, subprotocol } from '@halyard/protocol';
import { Emitter } from '../emitter';
import { broken, type Link, type Target, type Transport } from '../transport/transport';
import { backoffMs } from './backoff';
import { type AuthData, askAuth, type Member } from './member';
import { watchNetwork } from './network';
import { race } from './race';
import type { Session } from './session';

export type ConnectionState = 'idle' | 'connecting' | 'open' | 'waiting' | 'closed';

const next = {
  idle: { connecting: 1, closed: 1 },
  connecting: { open: 1, waiting: 1, closed: 1 },
  open: { waiting: 1, closed: 1 },
  waiting: { connecting: 1, closed: 1 },
  closed: { connecting: 1 },
} as const satisfies Record<ConnectionState, Partial<Record<ConnectionState, 1>>>;

/** What happened. `attempt` is 0 for the first, and then counts the attempts since a connection was open. */
export type StateChange = ChangeTo & { readonly from: ConnectionState };

type ChangeTo = { readonly attempt: number } & (
  | { readonly to: 'connecting'; readonly reason: 'wanted' | 'retry' | 'online' }
  | { readonly to: 'open'; readonly reason: 'new' | 'recovered'; readonly transport: string }
  | { readonly to: 'waiting'; readonly reason: 'failed' | 'lost'; readonly close: Close; readonly retryInMs: number }
  | { readonly to: 'closed'; readonly reason: 'local' | 'final' | 'attempts'; readonly close: Close }
);

/** A transport that worked where an earlier one did not is tried first for this long. */
const preferenceMs = 300_000;

export class Connection {
  readonly #session: Session;
  readonly #target: Target;
  readonly #emitter = new Emitter();
  #state: ConnectionState = 'idle';
  /** Attempts since a connection was open. */
  #attempt = 0;
  /** As `attempt`, but forgotten only after a connection that lasted. */
  #failures = 0;
  #openedAt = 0;
  #transports: readonly Transport[];
  #preferredUntil = 0;
  #transport: Transport | undefined;
  #link: Link | undefined;
  /** Ends what is under way beside the link: timers, a race. */
  #cancel = () => {};
  #unwatch = () => {};

  constructor(origin: string, session: Session) {
    const { codec, clock, path, transports } = session.options;
    this.#session = session;
    this.#transports = transports;
    this.#target = {
      url: origin + path,
      protocol: subprotocol(codec.name),
      binary: codec.binary,
      // A quarter, because a character may take three bytes.
      batchMax: () => Math.min(session.frameBytesMax / 4, 1 << 18),
      clock,
    };
    session.owner = {
      wake: () => {
        if (this.#state === 'idle' || this.#state === 'closed') this.#connect('wanted');
      },
      idle: () => this.close(),
      opened: (recovered) => this.#opened(recovered),
      silent: () => this.#lost({ code: 4000, reason: 'heartbeat timeout', by: 'network' }),
    };
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** Name of the transport that carries the session now. */
  get transport(): string | undefined {
    return this.#state === 'open' ? this.#transport?.name : undefined;
  }

  on(event: 'state', listener: (change: StateChange) => void): this {
    this.#emitter.on(event, listener);
    return this;
  }

  off(event: 'state', listener?: (change: StateChange) => void): this {
    this.#emitter.off(event, listener);
    return this;
  }

  /** Disconnects every namespace and ends the session. */
  close(): void {
    this.#close('local', { code: 1000, reason: '', by: 'client' });
  }

  #connect(reason: 'wanted' | 'retry' | 'online'): void {
    const session = this.#session;
    const { clock, transports, connectTimeoutMs, fallbackDelayMs } = session.options;
    this.#cancel();
    if (reason === 'wanted') {
      this.#attempt = this.#failures = 0;
      this.#unwatch = watchNetwork((event) => this.#notice(event));
    }
    if (clock.now() >= this.#preferredUntil) this.#transports = transports;

    const auths = new Map<Member, AuthData>();
    const asked = new Map<Member, Promise<unknown>>();
    const ask = (ready: () => void) => {
      for (const member of session.wanted) {
        if (asked.has(member)) continue;
        asked.set(
          member,
          new Promise((resolve, reject) => askAuth(member, (auth) => resolve(auths.set(member, auth)), reject)),
        );
      }
      if (auths.size === asked.size) ready();
      else Promise.all(asked.values()).then(() => ask(ready), fail);
    };
    const fail = (error: unknown) => {
      if (this.#cancel === cancel) this.#lost(broken(String(error)), error);
    };
    const cancel = () => {
      cancelTimeout();
      cancelRace();
    };
    this.#cancel = cancel;
    const cancelTimeout = clock.after(connectTimeoutMs, () => {
      if (this.#state === 'connecting') this.#lost(broken('connectTimeoutMs'));
    });
    const cancelRace = race(this.#transports, this.#target, fallbackDelayMs, {
      onWin: (link, transport) => {
        this.#link = link;
        this.#transport = transport;
        ask(() => {
          if (this.#cancel !== cancel) return;
          try {
            session.attach(link, auths);
          } catch (error) {
            fail(error);
          }
        });
      },
      onFrame: (frame) => {
        try {
          session.receive(frame);
        } catch (error) {
          const { closeCode = 4400, code } = error as RemoteProtocolError;
          this.#close('final', { code: closeCode, reason: code, by: 'client' }, error);
        }
      },
      onClose: (close) => this.#lost(close),
    });
    this.#move({ to: 'connecting', reason, attempt: this.#attempt });
    if (this.#cancel === cancel) ask(() => {});
  }

  #opened(recovered: boolean): void {
    const transport = this.#transport!;
    const attempt = this.#attempt;
    this.#attempt = 0;
    this.#openedAt = this.#target.clock.now();
    if (transport !== this.#transports[0]) this.#prefer([transport], []);
    this.#move({ to: 'open', reason: recovered ? 'recovered' : 'new', transport: transport.name, attempt });
  }

  /** The connection was lost, or could not be made. */
  #lost(close: Close, cause?: unknown): void {
    const session = this.#session;
    const { attemptsMax, clock, delayMinMs, delayMaxMs, random } = session.options;
    const wasOpen = this.#state === 'open';
    if (!wasOpen && this.#state !== 'connecting') return;
    if (wasOpen && clock.now() - this.#openedAt > delayMaxMs) this.#failures = 0;
    // It opened and then carried nothing, as through some proxies.
    if (!wasOpen && this.#link) this.#prefer([], [this.#transport!]);
    const after = afterClose(close.code);
    const attempt = this.#attempt++;
    if (after === 'final' || attempt >= attemptsMax) {
      this.#close(after === 'final' ? 'final' : 'attempts', close, cause);
      return;
    }
    const connected = session.detach(after === 'fresh', close.reason || `${close.code}`);
    const retryInMs = backoffMs(this.#failures++, delayMinMs, delayMaxMs, random);
    this.#drop(close);
    this.#cancel = clock.after(retryInMs, () => this.#connect('retry'));
    this.#move({ to: 'waiting', reason: wasOpen ? 'lost' : 'failed', close, retryInMs, attempt });
    for (const { owner } of connected) owner.fire('disconnect', { ...close, willReconnect: true });
    if (wasOpen) return;
    const error = new HalyardError('ERR_CONNECT', close.reason, { close, attempt, retryInMs, cause });
    for (const { owner } of session.wanted) owner.fire('connect_error', error);
  }

  #close(reason: 'local' | 'final' | 'attempts', close: Close, cause?: unknown): void {
    if (this.#state === 'closed') return;
    const { connected, others } = this.#session.end();
    this.#unwatch();
    this.#drop(close);
    this.#move({ to: 'closed', reason, close, attempt: this.#attempt });
    for (const { owner } of connected) {
      if (cause) owner.fire('error', cause);
      owner.fire('disconnect', { ...close, willReconnect: false });
    }
    if (reason === 'local') return;
    const error =
      cause instanceof HalyardError ? cause : new HalyardError('ERR_CONNECT', close.reason, { close, cause });
    for (const { owner } of others) owner.fire('connect_error', error);
  }

  /** Lets go of the link and of everything that is under way. */
  #drop({ code, reason }: Close): void {
    this.#cancel();
    this.#cancel = () => {};
    this.#link?.close(code, reason);
    this.#link = undefined;
  }

  #prefer(first: Transport[], last: Transport[]): void {
    const named = [...first, ...last];
    this.#transports = [...first, ...this.#transports.filter((transport) => !named.includes(transport)), ...last];
    this.#preferredUntil = this.#target.clock.now() + preferenceMs;
  }

  #notice({ type, persisted }: { type: string; persisted?: boolean }): void {
    if (type === 'pagehide') {
      if (!persisted) this.#close('local', { code: 1001, reason: type, by: 'client' });
    } else if (type === 'offline') this.#lost(broken(type));
    else if (this.#state === 'waiting') {
      this.#failures = 0;
      this.#connect('online');
    } else if (this.#state === 'open') this.#session.probe();
  }

  #move(change: ChangeTo): void {
    const from = this.#state;
    if (!(change.to in next[from])) throw new HalyardError('ERR_STATE', `${from} to ${change.to}`);
    this.#state = change.to;
    for (const listener of this.#emitter.take('state')) {
      try {
        listener({ ...change, from } as never);
      } catch (error) {
        console.error(error);
      }
    }
  }
}
