// The contract of a command of `halyard`, and what all of them take: where to, by which codec, and who one is.
import { readFile } from 'node:fs/promises';
import type { ParseArgsConfig } from 'node:util';
import { LocalUsageError, type Value } from '@halyard/protocol';
import { optionError } from '../base/option';

export interface Command {
  readonly name: string;
  /** One line. */
  readonly about: string;
  /** What `--help` shows. */
  readonly usage: string;
  /**
   * @param args what stands behind its name
   * @returns the exit code: 0 if all is well, 1 if not. Rejects with a LocalUsageError, or what `parseArgs` throws, if it was called wrongly
   */
  run(args: readonly string[]): Promise<number>;
}

/** For `parseArgs`. */
export const commonOptions = {
  path: { type: 'string' },
  codec: { type: 'string', default: 'json' },
  header: { type: 'string', multiple: true, default: [] },
  auth: { type: 'string' },
  'auth-file': { type: 'string' },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const satisfies ParseArgsConfig['options'];

export const commonUsage = `  --path PATH       path of the server (default /halyard)
  --codec NAME      json, msgpack or protobuf (default json)
  --auth-file FILE  a JSON object that the namespace is asked for with; so is the environment variable HALYARD_AUTH
  --header LINE     a header field of every request, such as --header 'x-tenant: 7'; may come several times
  --json            for programs
  -h, --help        this`;

/** @returns the URL. @throws LocalUsageError `ERR_OPTION` if there is not exactly one */
export function urlIn(positionals: readonly string[]): string {
  const [url, ...more] = positionals;
  if (url === undefined) throw optionError('URL', 'an address such as https://app.example', '');
  // It may be another URL, with a password in it.
  if (more.length > 0) throw optionError('what stands behind the URL', 'options alone', `${more.length} more`);
  return url;
}

const secretHeaders = /^(authorization|cookie|proxy-authorization)$/i;

/** @returns header fields by their names. @throws LocalUsageError `ERR_OPTION` */
export function headersIn(lines: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const [, name, value] = /^([!#$%&'*+.^_`|~\w-]+):\s*([^\r\n]*)$/.exec(line) ?? [];
    if (name === undefined || value === undefined)
      // What stands behind the first word may be a secret.
      throw optionError('--header', "as 'name: value'", `${/^[^\s:]*/.exec(line)} …`);
    if (secretHeaders.test(name)) warnOfSecret(`--header '${name}: …'`);
    headers[name.toLowerCase()] = value;
  }
  return headers;
}

/** What a namespace is asked for with: names and values. */
type AuthJson = { readonly [name: string]: Value };

/** Rejects with LocalUsageError `ERR_OPTION`, which does not show what was given. @returns undefined if there is none */
export async function authIn(values: {
  readonly auth?: string | undefined;
  readonly 'auth-file'?: string | undefined;
}): Promise<AuthJson | undefined> {
  if (values.auth !== undefined) {
    warnOfSecret('--auth');
    return authOf('--auth', values.auth);
  }
  const file = values['auth-file'];
  if (file !== undefined) {
    const text = await readFile(file, 'utf8').catch(({ code }: NodeJS.ErrnoException) => {
      throw optionError('--auth-file', `a file that can be read (${code})`, file);
    });
    return authOf('--auth-file', text);
  }
  const { HALYARD_AUTH } = process.env;
  return HALYARD_AUTH === undefined ? undefined : authOf('HALYARD_AUTH', HALYARD_AUTH);
}

function authOf(option: string, text: string): AuthJson {
  // What it is may be a secret.
  const wrong = (what: string) => new LocalUsageError('ERR_OPTION', `${option} ${what}.`, { option });
  let auth: unknown;
  try {
    auth = JSON.parse(text);
  } catch {
    throw wrong('is no JSON');
  }
  if (typeof auth === 'object' && auth !== null && !Array.isArray(auth)) return auth as AuthJson;
  throw wrong(`is to be an object, such as '{"token":"…"}'`);
}

function warnOfSecret(option: string): void {
  const message = `Warning: ${option} can be read by everybody on this machine (ps), and stays in the history of the shell.`;
  console.error(`${message} Rather use --auth-file, or the environment variable HALYARD_AUTH.`);
}
