// Which run of the simulator is played, and how one has failed.

export interface Script {
  readonly seed: number;
  readonly steps: number;
  /** How many servers there are at a time; one alone, or one after the other, if it is 1. */
  readonly nodes: number;
  /** Which scene it consists of, behind a short beginning; undefined: it may be any, or none. */
  readonly scene?: string | undefined;
  /** Numbers of steps that are left out. */
  readonly without?: ReadonlySet<number>;
}

/** A run that broke the promise. */
export class Failure extends Error {
  override readonly name = 'Failure';
  /** What happened before, step by step. */
  readonly transcript: readonly string[];

  constructor(message: string, transcript: readonly string[], cause: unknown) {
    super(message, { cause });
    this.transcript = transcript;
  }
}
