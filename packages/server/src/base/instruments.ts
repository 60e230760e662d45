// What others may hang into a server to see more of it than numbers: how long each thing takes, and each call of a handler.

/** An event of a client that somebody handles. */
export interface HandledEvent {
  readonly event: string;
  readonly namespace: string;
  /** Id of the socket. */
  readonly socket: string;
  /** Id of its session. */
  readonly session: string;
}

export interface Instruments {
  /** Told of each value of a metric that is a histogram. @param name of the metric. @param label of its only label, if it has one */
  measured?(name: string, seconds: number, label: string | undefined): void;
  /** Runs the handlers of an event, and MUST return what `run` returns, or throw what it throws. */
  handle?(event: HandledEvent, run: () => unknown): unknown;
}
