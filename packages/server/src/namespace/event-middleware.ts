// The way of a socket's events through its own middleware: one after the other, in the order they came.
import { CloseCode, RemoteProtocolError, type Value } from '@halyard/protocol';

/** Runs before the handlers of every arriving event, in order. Throw to refuse the event. */
export type SocketMiddleware = (event: readonly [name: string, ...args: Value[]]) => void | Promise<void>;

export class EventMiddleware {
  readonly #eventsMax: number;
  #steps: readonly SocketMiddleware[] = [];
  /** Of the event that came last. */
  #turn: Promise<void> = Promise.resolve();
  #waiting = 0;

  /** @param eventsMax how many may wait for their turn */
  constructor(eventsMax: number) {
    this.#eventsMax = eventsMax;
  }

  /** Whether events are on their way. */
  get isBusy(): boolean {
    return this.#waiting > 0;
  }

  /** Calls `run` once the events that came so far have passed, or were refused. */
  whenPassed(run: () => void): void {
    void this.#turn.then(run);
  }

  use(step: SocketMiddleware): void {
    this.#steps = [...this.#steps, step];
  }

  /**
   * Calls `passed` once the middleware there is now let the event pass, or `refused` with what it threw.
   * @throws RemoteProtocolError if too many events wait
   */
  run(event: string, args: readonly Value[], passed: () => void, refused: (error: unknown) => void): void {
    if (this.#waiting >= this.#eventsMax) {
      throw new RemoteProtocolError(
        'ERR_WAITING_FULL',
        'too many events wait for middleware',
        CloseCode.PolicyViolation,
      );
    }
    this.#waiting++;
    const steps = this.#steps;
    const pass = async (): Promise<void> => {
      try {
        for (const step of steps) await step([event, ...args]);
      } catch (error) {
        refused(error);
        return;
      }
      passed();
    };
    this.#turn = this.#turn.then(pass).then(() => {
      this.#waiting--;
    });
  }
}
