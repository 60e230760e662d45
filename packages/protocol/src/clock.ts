// Time as something that is handed in: real in programs, virtual in tests.

export interface Clock {
  /** Milliseconds since some fixed moment; never goes backwards by more than the system's clock does. */
  now(): number;
  /** Calls `run` once after `delayMs`. @returns a function that cancels it */
  after(delayMs: number, run: () => void): () => void;
}
