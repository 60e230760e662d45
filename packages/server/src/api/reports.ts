// What goes wrong beside the way of an event: errors in user code and warnings, to the log and to who listens, else to
// stderr.

import { quoted } from '@halyard/protocol';
import type { Happenings } from '../base/happenings';
import type { OverloadChange } from '../base/overload';
import { Sampling } from '../base/sampling';
import { type Warning, Warnings } from '../base/warnings';
import { fireHandlers, type Handler, type Handlers, hasHandler, noHandlers, withHandler } from '../namespace/handlers';
import type { ReportEvent } from '../namespace/report-events';

/** What `error` says beside the error. */
export interface ErrorContext {
  /** Which piece of user code failed, such as `the handler of "chat"`. */
  readonly where: string;
}

/** What is logged holds nothing that a client has sent, and so no name of an event that is not the app's. */
const unnamed =
  'A client has sent an event that nothing handles, so it was dropped: io.on("unhandled", …) hears which.';

/** A socket that has no handler for something. */
interface Unheard {
  readonly namespace: string;
}

export class Reports {
  #listeners: Handlers = noHandlers;
  readonly #warnings: Warnings;
  readonly #happenings: Happenings;
  /** Of errors that nobody hears: any client may cause the same one in any number. */
  readonly #unheard: Sampling;

  constructor(now: () => number, happenings: Happenings) {
    this.#happenings = happenings;
    this.#unheard = new Sampling(now, unheardKindsMax, unheardTimesMax);
    this.#warnings = new Warnings(now, (warning) => this.#warn(warning));
  }

  on(event: ReportEvent, handler: Handler): void {
    this.#listeners = withHandler(this.#listeners, event, handler);
  }

  /** Something in user code failed. */
  readonly report = (error: unknown, where: string): void => {
    this.#happenings.tell('error', { code: codeOf(error), where, err: error });
    if (!hasHandler(this.#listeners, 'error')) {
      if (!this.#happenings.isLogged) this.#print(error, where);
      return;
    }
    fireHandlers(this.#listeners, 'error', [error, { where } satisfies ErrorContext], (failure) =>
      console.error('Halyard: the handler of "error" failed:', failure),
    );
  };

  #print(error: unknown, where: string): void {
    const leftOut = this.#unheard.take(`${where} ${textOf(error)}`);
    if (leftOut === undefined) return;
    const more = leftOut > 0 ? ` (and ${leftOut} times more that were not printed; io.on("error", …) hears all)` : '';
    const hint = where.startsWith('middleware') ? untold : '';
    console.error(`Halyard: ${where} failed${more}${hint}:`, error);
  }

  /** Nothing handles an event of a client. @param isUntold whether nobody knows yet: its client waits for no reply, and no handler has seen it */
  readonly unhandled = (socket: Unheard, event: string, args: readonly unknown[], isUntold: boolean): void => {
    if (hasHandler(this.#listeners, 'unhandled')) {
      fireHandlers(this.#listeners, 'unhandled', [socket, event, args], (error) =>
        this.report(error, 'a handler of "unhandled"'),
      );
    } else if (isUntold) {
      const { namespace } = socket;
      const message =
        `ERR_NO_HANDLER: a client has sent ${quoted(event)} in the namespace ${quoted(namespace)}, where its socket has no handler for it, so it was dropped. ` +
        'Is the name the same on both ends, is the handler in this namespace, and is it added before the first await in the handler of "connection"? ' +
        'io.on("unhandled", (socket, event, args) => …) takes the place of this warning.';
      this.warn('ERR_NO_HANDLER', message, `${namespace} ${event}`);
    }
  };

  /** The contract or a guard has refused an event of a client: that is counted, and who does not listen does not miss it. */
  readonly refused = (socket: object, event: string, error: unknown): void =>
    fireHandlers(this.#listeners, 'refused', [socket, event, error], (failure) =>
      this.report(failure, 'a handler of "refused"'),
    );

  /** The server sheds work from now on, or takes it again. */
  readonly overload = (change: OverloadChange): void => {
    const { state, reasons } = change;
    this.#happenings.tell('overload', { code: state, reason: reasons.join(', ') });
    fireHandlers(this.#listeners, 'overload', [change], (error) => this.report(error, 'a handler of "overload"'));
  };

  /** A limit was met. @param code the option. @param about which of several things of the kind */
  readonly warn = (code: string, message: string, about?: string): void => {
    this.#happenings.counts('warning').add(code);
    this.#warnings.add(code, message, about);
  };

  #warn(warning: Warning): void {
    const { code, count, message } = warning;
    this.#happenings.say('warning', { code, count }, code === 'ERR_NO_HANDLER' ? unnamed : message);
    if (hasHandler(this.#listeners, 'warning')) {
      fireHandlers(this.#listeners, 'warning', [warning], (error) => this.report(error, 'a handler of "warning"'));
    } else if (!this.#happenings.isLogged) {
      console.warn(`Halyard: ${message}${count > 1 ? ` (${count} times)` : ''}`);
    }
  }
}

/** @returns the code of an error, if it has one; else the name of its class */
function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  const code = 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code.slice(0, codeCharsMax) : error.name;
}

const codeCharsMax = 64;

/** Behind what middleware has thrown that is no `PublicError`. */
const untold = ', and its client is told no more than that it was refused; what a PublicError says is told';

/** Errors that nobody hears are printed so often in a minute, if they are alike, … */
const unheardTimesMax = 10;
/** … and so many are told apart, by as much of their text. */
const unheardKindsMax = 32;
const textCharsMax = 128;

function textOf(error: unknown): string {
  try {
    return String(error).slice(0, textCharsMax);
  } catch {
    return '';
  }
}
