// Where a command goes to: a server as `connect` of the client takes it, its path, and what each request carries.
import { LocalUsageError } from '@halyard/protocol';
import { optionError } from './option';

export interface Target {
  /** Such as `https://app.example`; `http` or `https`. */
  readonly origin: string;
  /** Of the server: its option `path`. */
  readonly path: string;
  /** What stands behind the host in a URL. */
  readonly namespace: string;
  /** Header fields of every request. */
  readonly headers: Readonly<Record<string, string>>;
}

const pathDefault = '/halyard';

/**
 * @param url `http`, `https`, `ws` or `wss`, and behind the host the namespace. No error repeats any of it: what cannot be read may hold a
 *   password as well as what can
 * @throws LocalUsageError `ERR_OPTION` that names the option and what it may be
 */
export function targetOf(
  url: string | URL,
  path: string = pathDefault,
  headers: Readonly<Record<string, string>> = {},
): Target {
  const form = 'an address such as https://app.example, with the namespace behind it';
  let parsed: URL;
  let namespace: string;
  try {
    parsed = new URL(url);
    namespace = decodeURI(parsed.pathname);
  } catch {
    throw optionError('URL', form, 'one that cannot be read');
  }
  if (!/^(https?|wss?):$/.test(parsed.protocol)) {
    throw new LocalUsageError(
      'ERR_OPTION',
      'URL has to begin with http://, https://, ws:// or wss://, such as http://localhost:3000',
      { option: 'URL' },
    );
  }
  if (parsed.username !== '' || parsed.password !== '') {
    throw optionError('URL', `${form}; credentials belong into --auth-file or --header`, 'one with credentials');
  }
  if (parsed.search !== '' || parsed.hash !== '') {
    throw optionError('URL', `${form}, without "?" and "#"`, 'one with more behind it');
  }
  if (!path.startsWith('/') || /[?#\s]/.test(path))
    throw optionError('path', 'a path that begins with "/"', 'something else');
  const scheme = parsed.protocol.replace(/^ws/, 'http');
  const origin = `${scheme}//${parsed.host}`;
  return { origin, path, namespace, headers };
}

/** @returns its port, also where it is the scheme's own */
export function portOf({ origin }: Target): number {
  const { port, protocol } = new URL(origin);
  return port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port);
}

/** @returns its host without port and brackets */
export function hostOf({ origin }: Target): string {
  return new URL(origin).hostname.replace(/^\[(.*)\]$/, '$1');
}

export function isSecure({ origin }: Target): boolean {
  return origin.startsWith('https:');
}
