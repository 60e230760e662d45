// What goes wrong beside the way of an event: errors in user code and warnings, to who listens, else to stderr.

import { type Warning, Warnings } from '../base/warnings';
import { fireHandlers, type Handler, type Handlers, hasHandler, noHandlers, withHandler } from '../namespace/handlers';

/** What `error` says beside the error. */
export interface ErrorContext {
  /** Which piece of user code failed, such as `the handler of "chat"`. */
  readonly where: string;
}

export class Reports {
  #listeners: Handlers = noHandlers;
  readonly #warnings: Warnings;

  constructor(now: () => number) {
    this.#warnings = new Warnings(now, (warning) => this.#warn(warning));
  }

  on(event: 'error' | 'warning' | 'unhandled', handler: Handler): void {
    this.#listeners = withHandler(this.#listeners, event, handler);
  }

  /** Something in user code failed. */
  readonly report = (error: unknown, where: string): void => {
    if (!hasHandler(this.#listeners, 'error')) {
      console.error(`Halyard: ${where} failed:`, error);
      return;
    }
    fireHandlers(this.#listeners, 'error', [error, { where } satisfies ErrorContext], (failure) =>
      console.error('Halyard: the handler of "error" failed:', failure),
    );
  };

  /** Nothing handles an event of a client: who does not listen does not miss it. */
  readonly unhandled = (socket: object, event: string, args: readonly unknown[]): void =>
    fireHandlers(this.#listeners, 'unhandled', [socket, event, args], (error) =>
      this.report(error, 'a handler of "unhandled"'),
    );

  /** A limit was met. @param code the option. @param about which of several things of the kind */
  readonly warn = (code: string, message: string, about?: string): void => this.#warnings.add(code, message, about);

  #warn(warning: Warning): void {
    if (hasHandler(this.#listeners, 'warning')) {
      fireHandlers(this.#listeners, 'warning', [warning], (error) => this.report(error, 'a handler of "warning"'));
    } else console.warn(`Halyard: ${warning.message}${warning.count > 1 ? ` (${warning.count} times)` : ''}`);
  }
}
