// The way of a socket's events that wait: for what is asynchronous of the gates before them, and for the socket's own middleware; one
// after the other, in the order they came.

import type { Value } from '@halyard/protocol';
import type { Backlog } from '../base/backlog';
import type { Args } from './gates';
import type { Running } from './handling';
import { checkMiddleware, orThrow } from './middleware';

/**
 * Runs before the handlers of every arriving event, in order: the next event waits until this one has passed. Throw to refuse the event. The
 * list is its own: what it writes there, its handlers are given.
 */
export type SocketMiddleware = (event: [name: string, ...args: Value[]]) => void | Promise<void>;

/** What becomes of an event. */
export interface Passage {
  /** Its arguments behind the gates. Rejects, or throws, if it does not pass them. */
  gate(): Args | Promise<Args>;
  /** @param event its name, and @param args its arguments, as they are behind middleware */
  passed(event: string, args: Args): void;
  /** @param isGate whether the gates have refused it, and not middleware */
  refused(error: unknown, isGate: boolean): void;
}

export class EventMiddleware {
  readonly #backlog: Backlog;
  readonly #running: Running;
  #steps: readonly SocketMiddleware[] = [];
  /** Of the event that came last. */
  #turn: Promise<void> = Promise.resolve();

  /** @param running they are counted there as long as they wait */
  constructor(backlog: Backlog, running: Running) {
    this.#backlog = backlog;
    this.#running = running;
  }

  /** Whether events are on their way. */
  get isBusy(): boolean {
    return this.#backlog.packets > 0;
  }

  /** Whether the next event has to wait. */
  get takesTurns(): boolean {
    return this.isBusy || this.#steps.length > 0;
  }

  /** Calls `run` once the events that came so far have passed, or were refused. */
  whenPassed(run: () => void): void {
    void this.#turn.then(run);
  }

  /** @throws LocalUsageError `ERR_HANDLER_TYPE` */
  use(step: SocketMiddleware): void {
    checkMiddleware(step, 'event');
    this.#steps = [...this.#steps, step];
  }

  /** Its socket is over: nobody is held back for what waits here. */
  end(): void {
    this.#backlog.end();
  }

  /** Takes an event through the gates and the middleware there is now, in its turn. @param size of its frame */
  run(event: string, size: number, passage: Passage): void {
    this.#backlog.move(1, size);
    this.#running.count++;
    const steps = this.#steps;
    const pass = async (): Promise<void> => {
      let isGate = true;
      let name = event;
      let args: Args;
      try {
        args = await passage.gate();
        isGate = false;
        if (steps.length > 0) {
          const list: [name: string, ...args: Value[]] = [event, ...args];
          for (const step of steps) orThrow(await step(list), 'The event was refused.');
          [name, ...args] = list;
        }
      } catch (error) {
        passage.refused(error, isGate);
        return;
      }
      passage.passed(name, args);
    };
    this.#turn = this.#turn.then(pass).then(() => {
      this.#backlog.move(-1, -size);
      this.#running.count--;
    });
  }
}
