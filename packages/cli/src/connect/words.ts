// What is typed: a command, and behind it values. Each is JSON, or a word that stands for itself.
import { LocalUsageError } from '@halyard/protocol';
import { valuesIn } from './packets';

/** @returns the first word, and what stands behind it */
export function firstWord(line: string): readonly [word: string, rest: string] {
  const [, word = '', rest = ''] = /^\s*(\S*)\s*(.*?)\s*$/s.exec(line) ?? [];
  return [word, rest];
}

/** @throws LocalUsageError `ERR_VALUE` that says what cannot be read */
export function valuesOf(text: string): readonly unknown[] {
  const parts: string[] = [];
  for (let rest = text.trim(); rest !== ''; ) {
    const length = lengthOfFirst(rest);
    parts.push(jsonOf(rest.slice(0, length)));
    rest = rest.slice(length).trimStart();
  }
  try {
    return valuesIn(`[${parts.join(',')}]`);
  } catch (error) {
    throw new LocalUsageError('ERR_VALUE', `These are no values of Halyard: ${(error as Error).message}.`);
  }
}

/** @returns JSON for one value: what is no JSON, and does not look like it, is text */
function jsonOf(part: string): string {
  try {
    JSON.parse(part);
    return part;
  } catch {
    if (!/^["[{]/.test(part)) return JSON.stringify(part);
    throw new LocalUsageError('ERR_VALUE', `This begins like JSON, and is none: ${part}`);
  }
}

/** @returns how long the first value is: a list and an object end with their bracket, text with its quote, a word with a blank */
function lengthOfFirst(text: string): number {
  if (!/^["[{]/.test(text)) return /^\S+/.exec(text)?.[0].length ?? text.length;
  let depth = 0;
  let inText = false;
  for (let i = 0; i < text.length; i++) {
    const char = text[i] as string;
    if (inText) {
      if (char === '\\') i++;
      else if (char === '"') inText = false;
    } else if (char === '"') inText = true;
    else if ('[{'.includes(char)) depth++;
    else if (']}'.includes(char)) depth--;
    if (!inText && depth === 0) return i + 1;
  }
  return text.length;
}
