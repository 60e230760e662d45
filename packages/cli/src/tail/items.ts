// What a server says has happened, as docs/ADMIN.md has it: read with care, and as a line.
import { plain } from '../base/plain';
import type { Style } from '../base/style';

export interface Item {
  readonly at: Date;
  readonly happening: string;
  readonly level: string;
  readonly message: string;
  readonly facts: Readonly<Record<string, string | number>>;
}

/** Which happenings are of a kind that can be asked for. */
const kinds: Readonly<Record<string, RegExp>> = {
  connection: /^connection /,
  session: /^session /,
  refusal: / refused$/,
  event: /^event /,
  warning: /^warning$/,
  error: /^error$/,
};

export const kindNames = Object.keys(kinds);

export function isOfKind({ happening }: Item, names: readonly string[]): boolean {
  return names.some((name) => kinds[name]?.test(happening));
}

/** @returns what is of the form; what is not is left out */
export function itemsIn(value: unknown): readonly Item[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((one: unknown) => {
    const { at, happening, level, message, facts } = (typeof one === 'object' && one !== null ? one : {}) as Record<
      string,
      unknown
    >;
    const when = new Date(typeof at === 'number' ? at : Number.NaN);
    if (Number.isNaN(when.getTime()) || typeof happening !== 'string') return [];
    const known = Object.entries(typeof facts === 'object' && facts !== null ? facts : {}).filter(
      ([, fact]) => typeof fact === 'string' || typeof fact === 'number',
    );
    return {
      ...{ at: when, happening, level: String(level), message: String(message) },
      facts: Object.fromEntries(known) as Item['facts'],
    };
  });
}

const happeningChars = 18;

export function lineOf(node: string, { at, happening, level, message, facts }: Item, style: Style): string {
  const paint = level === 'error' ? style.red : level === 'warn' ? style.yellow : (text: string) => text;
  const named = Object.entries(facts).map(
    ([name, fact]) => `${name}=${/\s/.test(`${fact}`) ? JSON.stringify(fact) : fact}`,
  );
  // What it is, its name says; a warning has words of its own.
  const words = happening === 'warning' ? [message, ...named] : named;
  const time = style.dim(at.toISOString().slice(11, -1));
  return `${time} ${plain(node)} ${paint(plain(happening).padEnd(happeningChars))} ${plain(words.join(' ')).replaceAll('\n', ' ')}`;
}
