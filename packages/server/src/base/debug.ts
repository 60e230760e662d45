// What happens, line by line, on stderr, for who asks by the environment variable DEBUG, which is read as the package `debug` reads
// it: `DEBUG=halyard:*`. Ids, names, codes and counts; never what is sent, nor anything that opens a session. Who has not asked
// has no function to call, and with `debug?.(…)` not even the line is made.
import { type Close, packetLimits } from '@halyard/protocol';

export type Debug = (line: string) => void;

/**
 * @param name such as `halyard:server:session`
 * @param wanted names, with `*` for any characters, apart by commas or blanks; those behind `-` are left out
 * @returns what writes a line; undefined if nobody wants to read it
 */
export function debugOf(name: string, wanted = process.env.DEBUG ?? ''): Debug | undefined {
  const names = wanted.split(/[\s,]+/).filter((one) => one !== '');
  const isNamed = (pattern: string): boolean =>
    new RegExp(`^${pattern.replace(/[^\w*]/g, '\\$&').replaceAll('*', '.*?')}$`).test(name);
  if (names.some((one) => one.startsWith('-') && isNamed(one.slice(1)))) return undefined;
  if (!names.some((one) => !one.startsWith('-') && isNamed(one))) return undefined;
  return (line) => {
    process.stderr.write(`${new Date().toISOString()} ${name} ${line}\n`);
  };
}

/** @returns a text of a peer's, such as an event's name, as it may stand in a line */
export function quoted(text: string): string {
  return JSON.stringify(text.slice(0, packetLimits.nameCharsMax)).replace(/[\x7f-\x9f\u2028\u2029]/g, '?');
}

/** @returns a close in few words: of a broken rule its code, because the rule may quote what was sent */
export function closeWords({ code, reason, by }: Close): string {
  return by === 'server' && reason !== '' ? `${code} by server, ${reason.split(':')[0]}` : `${code} by ${by}`;
}
