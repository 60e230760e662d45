// A connection whose HELLO has come, as long as the store is asked for its session, or the app whether that may come back: what
// follows HELLO waits.
import { afterClose, type Close, CloseCode, type Frame } from '@halyard/protocol';
import { warnOfClose } from '../base/warnings';
import { Timed, type TimerWheel } from '../base/wheel';
import type { Connection, Receiver } from '../wire/connection';

/** What an arrival needs of the server. */
export interface ArrivalContext {
  readonly wheel: TimerWheel;
  readonly helloTimeoutMs: number;
  /** What may wait: no client sends more before it is told of its session. */
  readonly framesMax: number;
  readonly bytesMax: number;
  /** Arrivals under way: each takes itself out. */
  readonly arrivals: Set<Arrival>;
  /** A limit was met. @param code the option */
  warn(code: string, message: string): void;
}

export class Arrival extends Timed implements Receiver {
  readonly #connection: Connection;
  readonly #context: ArrivalContext;
  readonly #frames: Frame[] = [];
  #bytes = 0;
  /** Whether the connection is lost, or somebody has it. One that its client has closed for good is not: what it has said is handled. */
  isOver = false;
  /** What it waits for, should that take too long. */
  waitsFor = 'the store does not answer';
  #tell: (() => void) | undefined;
  /** How the client has ended its session meanwhile. */
  #ending: Close | undefined;

  constructor(connection: Connection, context: ArrivalContext) {
    super();
    this.#connection = connection;
    this.#context = context;
    connection.receiver = this;
    context.arrivals.add(this);
    context.wheel.schedule(this, context.wheel.now() + context.helloTimeoutMs);
  }

  onFrame(frame: Frame): void {
    if (this.isOver) return;
    // Bytes are the host's, until this returns.
    this.#frames.push(typeof frame === 'string' ? frame : new Uint8Array(frame));
    this.#bytes += frame.length;
    const { framesMax, bytesMax } = this.#context;
    if (this.#frames.length > framesMax) this.#tooMuch('windowPacketsMax');
    else if (this.#frames.length > 1 && this.#bytes > bytesMax) this.#tooMuch('windowBytesMax');
  }

  /** @returns once `done` settles, or the connection is gone */
  until(done: Promise<unknown>): Promise<unknown> {
    const over = new Promise<void>((resolve) => {
      this.#tell = resolve;
      if (this.isOver) resolve();
    });
    return Promise.race([done, over]);
  }

  onDrain(): void {}

  onClose(close: Close): void {
    if (afterClose(close.code) === 'resume') this.#over();
    else {
      this.#ending = close;
      if (this.#frames.length === 0) this.#tell?.();
    }
  }

  /** How the client has ended its session, if nothing that it has said before is to be handled. */
  get ending(): Close | undefined {
    return this.#frames.length === 0 ? this.#ending : undefined;
  }

  override due(): void {
    // Nobody waits for an answer: the end is to be told, but what was said before it is not kept for ever.
    if (this.#ending !== undefined) {
      this.#frames.length = 0;
      this.#tell?.();
      return;
    }
    const { waitsFor } = this;
    this.#context.warn('helloTimeoutMs', `A connection was closed after helloTimeoutMs: ${waitsFor}.`);
    this.end({ code: CloseCode.TryAgainLater, reason: waitsFor, by: 'server' });
  }

  /** Closes the connection. */
  end(close: Close): void {
    if (this.isOver) return;
    this.#over();
    warnOfClose(close, this.#context.warn);
    this.#connection.close(close);
  }

  /** Somebody has the connection now: what has waited is theirs. */
  handOver(): void {
    if (this.isOver) return;
    this.#over();
    for (const frame of this.#frames) this.#connection.receiver.onFrame(frame);
    if (this.#ending !== undefined) this.#connection.receiver.onClose(this.#ending);
  }

  #tooMuch(limit: string): void {
    const reason = `ERR_WINDOW: more than may wait before WELCOME (${limit})`;
    this.end({ code: CloseCode.RateLimited, reason, by: 'server' });
  }

  #over(): void {
    this.isOver = true;
    this.#context.arrivals.delete(this);
    this.#tell?.();
    this.#context.wheel.cancel(this);
  }
}
