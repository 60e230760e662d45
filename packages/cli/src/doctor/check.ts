// The contract of a check, and what it finds.
import type { Visit } from './visit';

/** `note` is worth knowing, `warning` may be meant, `fault` is what does not work. */
export type Level = 'ok' | 'note' | 'warning' | 'fault';

export interface Finding {
  /** Name of the check. */
  readonly check: string;
  readonly level: Level;
  /** What was found, in a sentence. */
  readonly message: string;
  /** What to do about it, line by line: what is indented is for a configuration or a program. */
  readonly advice: readonly string[];
}

export type Outcome = Omit<Finding, 'check'>;

export interface Check {
  readonly name: string;
  /** What it looks at, for who asks for help. */
  readonly about: string;
  /** What has to be found before it makes sense: an address that answers, a Halyard server there, a transport that opens. */
  readonly needs?: 'host' | 'server' | 'transport';
  /** MUST NOT reject: what goes wrong is an outcome. */
  run(visit: Visit): Promise<readonly Outcome[]>;
}

export const ok = (message: string): Outcome => ({ level: 'ok', message, advice: [] });
export const note = (message: string, ...advice: readonly string[]): Outcome => ({ level: 'note', message, advice });
export const warning = (message: string, ...advice: readonly string[]): Outcome => ({
  level: 'warning',
  message,
  advice,
});
export const fault = (message: string, ...advice: readonly string[]): Outcome => ({ level: 'fault', message, advice });
