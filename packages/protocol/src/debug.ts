// What both ends write for who asks by DEBUG: which names are wanted is said as the package `debug` has it. Lines hold ids, names,
// codes and counts; never what is sent, nor anything that opens a session.
import type { Close } from './wire/close';
import { packetLimits } from './wire/limits';

/**
 * @param name such as `halyard:server:session`
 * @param wanted names, with `*` for any characters, apart by commas or blanks; those behind `-` are left out
 */
export function isDebugged(name: string, wanted: string): boolean {
  const patterns = wanted.split(/[\s,]+/).filter((pattern) => pattern !== '');
  const isNamed = (pattern: string): boolean =>
    new RegExp(`^${pattern.replace(/[^\w*]/g, '\\$&').replaceAll('*', '.*?')}$`).test(name);
  return patterns.some(isNamed) && !patterns.some((pattern) => pattern.startsWith('-') && isNamed(pattern.slice(1)));
}

/** @returns a text of a peer's, such as an event's name, as it may stand in a line: it steers no terminal */
export function quoted(text: string): string {
  // Nor does it turn round what stands beside it.
  return JSON.stringify(text.slice(0, packetLimits.nameCharsMax)).replace(/[\x7f-\x9f\p{Cf}\u2028\u2029]/gu, '?');
}

/**
 * @returns of a rule that was broken the code, because the rest may quote what was sent; of another reason what the system calls it,
 * or what stands before the first colon or `=`, because behind that may be the text of an app's error
 */
export function brief(reason: string): string {
  const known = /^ERR_\w+|\b(?:connect|read|write|getaddrinfo) E[A-Z_]+/;
  return (known.exec(reason) ?? /^[^:=]*/.exec(reason)!)[0];
}

/** @returns a close in few words; what a client says of it is left out */
export function closeWords({ code, reason, by }: Close): string {
  return by === 'client' || reason === '' ? `${code} by ${by}` : `${code} by ${by}, ${quoted(brief(reason))}`;
}
