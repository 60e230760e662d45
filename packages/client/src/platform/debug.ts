// What happens, line by line, for who debugs: which names are wanted is said as the package `debug` has it. Lines hold states,
// transports, codes, reasons and counts; never what is sent, nor anything that opens a session.
import type { Close } from '@halyard/protocol';

/** What a line is about: `halyard:client:connection`, … */
export type Topic = 'connection' | 'transport' | 'socket';

export type Log = (topic: Topic, subject: string, what: string, facts?: unknown) => void;

/** Who asks for nothing has no function to call. */
export interface Debug {
  log?: Log | undefined;
}

/**
 * @param wanted names with `*` for any characters, apart by commas or blanks; those behind `-` are left out
 * @returns what writes a line, or undefined if none is wanted
 */
export function createLog(
  wanted: string | null | undefined,
  write: (name: string, line: string) => void,
): Log | undefined {
  const patterns = (wanted ?? '').split(/[\s,]+/).filter((pattern) => pattern);
  const isNamed = (name: string) => (pattern: string) =>
    new RegExp(`^${pattern.replace(/[^\w*]/g, '\\$&').replaceAll('*', '.*?')}$`).test(name);
  const isOn = (name: string) =>
    patterns.some(isNamed(name)) && !patterns.some((pattern) => pattern[0] === '-' && isNamed(name)(pattern.slice(1)));
  const on = new Set(['connection', 'transport', 'socket'].filter((topic) => isOn(`halyard:client:${topic}`)));
  if (!on.size) return undefined;
  return (topic, subject, what, facts) => {
    if (!on.has(topic)) return;
    const told = [quoted(subject), what, ...words(facts)];
    write(`halyard:client:${topic}`, told.join(' '));
  };
}

/** What may be told of the facts: numbers, yes and no, codes and reasons. */
function words(facts: unknown): string[] {
  if (typeof facts === 'string') return [quoted(facts)];
  if (facts instanceof Error) return [`${(facts as { code?: unknown }).code ?? facts.name}`];
  if (typeof facts !== 'object' || !facts) return [];
  return Object.entries(facts).flatMap(([name, value]) => {
    // It has been said.
    if (name === 'to') return [];
    if (name === 'close') return [closeWords(value as Close)];
    if (typeof value === 'number' || typeof value === 'boolean') return [`${name} ${value}`];
    return typeof value === 'string' && value ? [`${name} ${quoted(brief(value))}`] : [];
  });
}

function closeWords({ code, reason, by }: Close): string {
  return `closed by ${by}: ${code} ${quoted(brief(reason))}`;
}

/** Of a rule that was broken the code, because the rest may quote what was sent. */
function brief(reason: string): string {
  return /^ERR_\w+/.exec(reason)?.[0] ?? reason;
}

/** Of a text that may come from the server: one line that steers no terminal. */
function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 256)).replace(/[\x7f-\x9f\u2028\u2029]/g, '?');
}
