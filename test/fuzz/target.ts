// A target of fuzzing: something that takes what others have made, and the rules that it keeps whatever that is.

export interface Target {
  readonly name: string;
  /** What the corpus begins with. */
  seeds(): readonly Uint8Array[];
  /** Pieces that inputs are put together from, such as names and brackets. */
  readonly words: readonly (string | Uint8Array)[];
  /** Longest input, in bytes. */
  readonly bytesMax: number;
  /** How many are run before coverage is looked at. */
  readonly batch: number;
  /** Throws `Broken` for a rule that is broken, and nothing else unless something is wrong. */
  run(input: Uint8Array): void | Promise<void>;
  /** Ends what it has started. */
  close?(): Promise<void>;
}

export class Broken extends Error {}

/** @returns what a call returns; undefined if it throws an error of this kind, which is its own way to refuse */
export function unlessRefused<T>(call: () => T, Refusal: abstract new (...args: never[]) => Error): T | undefined {
  try {
    return call();
  } catch (error) {
    if (error instanceof Refusal) return undefined;
    throw error;
  }
}

export const textOf = (input: Uint8Array): string => Buffer.from(input).toString('utf8');
export const bytesOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));
