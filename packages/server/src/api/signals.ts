// What a process does that is told to stop: its server goes, and then it does.
import type { CloseOptions } from './close-options';

export interface SignalOptions extends CloseOptions {
  /** Which signals mean that. Default: SIGTERM and SIGINT. */
  readonly signals?: readonly NodeJS.Signals[] | undefined;
  /** What the app closes besides, once the server is closed. */
  readonly afterwards?: (() => unknown) | undefined;
}

/**
 * Closes a server when the process is told to stop, and then ends the process: with 0 if all went well, else with 1, and stderr says why.
 * A second signal ends it at once.
 * @param io what is closed. @param options `drainMs` is 10,000 by default: below the 30 s after which Kubernetes kills; `url` as of `close`
 * @returns a function that takes it back
 */
export function handleSignals(
  io: { close(options: CloseOptions): Promise<void> },
  { drainMs = 10_000, url, signals = ['SIGTERM', 'SIGINT'], afterwards }: SignalOptions = {},
): () => void {
  let isTold = false;
  const stop = async (): Promise<void> => {
    // Whoever is told twice is in a hurry.
    if (isTold) process.exit(1);
    isTold = true;
    try {
      await io.close({ drainMs, url });
      await afterwards?.();
      process.exit(0);
    } catch (error) {
      console.error('Halyard: closing failed:', error);
      process.exit(1);
    }
  };
  for (const signal of signals) process.on(signal, stop);
  return () => {
    for (const signal of signals) process.off(signal, stop);
  };
}
