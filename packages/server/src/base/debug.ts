// What happens, line by line, on stderr, for who asks by the environment variable DEBUG: `DEBUG=halyard:*`. Who has not asked has
// no function to call, and with `debug?.(…)` not even the line is made.
import { isDebugged } from '@halyard/protocol';

export type Debug = (line: string) => void;

/**
 * @param name such as `halyard:server:session`
 * @returns what writes a line; undefined if nobody wants to read it
 */
export function debugOf(name: string, wanted = process.env.DEBUG ?? ''): Debug | undefined {
  if (!isDebugged(name, wanted)) return undefined;
  return (line) => {
    process.stderr.write(`${new Date().toISOString()} ${name} ${line}\n`);
  };
}
