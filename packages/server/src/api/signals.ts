// What a process does that is told to stop: its server goes, and then it does.
import { LocalUsageError, quoted } from '@halyard/protocol';
import { given } from '../base/given';
import { type CloseOptions, checkClose } from './close-options';

export interface SignalOptions extends CloseOptions {
  /** Which signals mean that. Default: SIGTERM and SIGINT. */
  readonly signals?: readonly NodeJS.Signals[] | undefined;
  /** What the app closes besides, once the server is closed. */
  readonly afterwards?: (() => unknown) | undefined;
}

/** No process hears of these. */
const unheard = ['SIGKILL', 'SIGSTOP'];

/**
 * Closes a server when the process is told to stop, and then ends the process: with 0 if all went well, else with 1, and stderr says why.
 * A second signal ends it at once.
 * @param io what is closed. @param options `drainMs` is 10,000 by default: below the 30 s after which Kubernetes kills; `url` as of `close`
 * @returns a function that takes it back
 * @throws LocalUsageError `ERR_OPTION` that names the option, and says what it may be
 */
export function handleSignals(
  io: { close(options: CloseOptions): Promise<void> },
  options: SignalOptions = {},
): () => void {
  const { signals, afterwards, closing } = checkSignals(io, options);
  let isTold = false;
  const stop = async (): Promise<void> => {
    // Whoever is told twice is in a hurry.
    if (isTold) process.exit(1);
    isTold = true;
    try {
      await io.close(closing);
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

/** @throws LocalUsageError `ERR_OPTION`: now, and not once the process is told to stop */
function checkSignals(io: { close?: unknown }, options: SignalOptions) {
  if (typeof io?.close !== 'function' || 'listening' in io)
    throw bad('io', 'handleSignals takes a server of Halyard first: handleSignals(io)');
  if (typeof options !== 'object' || options === null)
    throw bad('options', `handleSignals takes options behind the server, and not ${given(options)}`);
  const { signals = ['SIGTERM', 'SIGINT'], afterwards, drainMs = 10_000, url, ...others } = options;
  for (const name of Object.keys(others)) {
    const known = 'drainMs, url, signals, afterwards';
    throw bad(name, `The option ${quoted(name)} of handleSignals is not an option: known ones are ${known}`);
  }
  if (!Array.isArray(signals) || signals.length === 0)
    throw bad('signals', `signals is ${given(signals)}: it may be a list of at least one name of a signal`);
  for (const signal of signals) {
    // Which there are is the system's: an app may name those of several.
    if (typeof signal === 'string' && /^SIG[A-Z0-9]+$/.test(signal) && !unheard.includes(signal)) continue;
    throw bad(
      'signals',
      `signals has ${given(signal)}: there may be names of signals that a process hears, such as SIGTERM`,
    );
  }
  if (afterwards !== undefined && typeof afterwards !== 'function')
    throw bad('afterwards', `afterwards is ${given(afterwards)}: it may be a function`);
  const closing: CloseOptions = { drainMs, url };
  checkClose(closing);
  return { signals: new Set(signals as readonly NodeJS.Signals[]), afterwards, closing };
}

function bad(option: string, words: string): LocalUsageError {
  return new LocalUsageError('ERR_OPTION', `${words}.`, { option });
}
