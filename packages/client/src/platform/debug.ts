// What happens, line by line, for who debugs.
import { brief, type Close, closeWords, isDebugged, quoted } from '@halyard/protocol';

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
  const on = new Set(
    ['connection', 'transport', 'socket'].filter((topic) => isDebugged(`halyard:client:${topic}`, wanted ?? '')),
  );
  if (!on.size) return undefined;
  return (topic, subject, what, facts) => {
    if (!on.has(topic)) return;
    const told = [quoted(subject), what, ...words(facts, what)];
    write(`halyard:client:${topic}`, told.join(' '));
  };
}

/** What may be told of the facts: numbers, yes and no, codes and reasons; and of what an app has thrown, the kind. */
function words(facts: unknown, what: string): string[] {
  if (facts instanceof Error) return [`${(facts as { code?: unknown }).code ?? facts.name}`];
  if (what === 'error') return [typeof facts];
  if (typeof facts === 'string') return [quoted(facts)];
  if (typeof facts !== 'object' || !facts) return [];
  return Object.entries(facts).flatMap(([name, value]) => {
    // It has been said.
    if (name === 'to') return [];
    if (name === 'close') return [`closed: ${closeWords(value as Close)}`];
    if (typeof value === 'number' || typeof value === 'boolean') return [`${name} ${value}`];
    return typeof value === 'string' && value ? [`${name} ${quoted(brief(value))}`] : [];
  });
}
