// The options of `admin`: each is checked before anything is served.
import { LocalUsageError, quoted } from '@halyard/protocol';
import type { Handshake, Socket } from '@halyard/server';

/** Who is let in: what it throws refuses, and so does `false`. Asked again when the page comes back over another connection. */
export type Guard = (handshake: Handshake) => unknown;

export interface AdminOptions {
  /** Where the page is, and the name of the namespace that it talks to. Default: `/halyard-admin`. */
  readonly path?: string | undefined;
  /** What is typed in to be let in: 12 to 1,024 characters. Either this or `guard` has to be there. */
  readonly password?: string | undefined;
  /** The app's own way to say who is let in, by cookies, headers, or what is typed in (`handshake.auth.password`). */
  readonly guard?: Guard | undefined;
  /** Whether sessions can be looked at alone, and not be disconnected. Default: false. */
  readonly readOnly?: boolean | undefined;
  /**
   * What is shown of a socket beside ids, such as the name of its user: at most 200 characters of it. Without it nothing of `data` is shown.
   * It runs for many sockets in little time: it is to be fast.
   */
  readonly describe?: ((socket: Socket) => string | undefined) | undefined;
}

export interface CheckedOptions {
  readonly path: string;
  readonly password: string | undefined;
  readonly guard: Guard | undefined;
  readonly isReadOnly: boolean;
  readonly describe: ((socket: Socket) => string | undefined) | undefined;
}

export const passwordChars = { min: 12, max: 1_024 } as const;

const names: readonly string[] = ['path', 'password', 'guard', 'readOnly', 'describe'];

/** @throws LocalUsageError `ERR_OPTION` that names the option and what it may be */
export function checkOptions(options: AdminOptions): CheckedOptions {
  if (typeof options !== 'object' || options === null) {
    throw bad('options', 'are none', 'admin(io, { password }) or admin(io, { guard })');
  }
  for (const name of Object.keys(options)) {
    if (!names.includes(name)) throw bad(name, 'is not one', `known ones are ${names.join(', ')}`);
  }
  const { path = '/halyard-admin', password, guard, readOnly = false, describe } = options;
  // As the path of a server: it goes into the page as it is.
  if (typeof path !== 'string' || !/^\/[\w\-./~]*[\w\-.~]$/.test(path)) {
    throw bad('path', `is ${quoted(String(path))}`, 'it may be a URL path such as "/halyard-admin"');
  }
  if (password === undefined && guard === undefined) {
    throw bad('password', 'is missing', 'everybody could look at the server. Give a password, or a guard of your own');
  }
  if (password !== undefined && guard !== undefined) {
    throw bad(
      'guard',
      'is there beside a password',
      'give one of them: a guard finds what was typed in handshake.auth.password',
    );
  }
  if (password !== undefined) checkPassword(password);
  if (guard !== undefined && typeof guard !== 'function') {
    throw bad(
      'guard',
      `is a ${typeof guard}`,
      'it may be a function of the handshake that throws, or returns false, to refuse',
    );
  }
  if (typeof readOnly !== 'boolean') throw bad('readOnly', `is a ${typeof readOnly}`, 'it may be true or false');
  if (describe !== undefined && typeof describe !== 'function') {
    throw bad('describe', `is a ${typeof describe}`, 'it may be a function of a socket that returns a text');
  }
  return { path, password, guard, isReadOnly: readOnly, describe };
}

/** What it is stays out of the message. */
function checkPassword(password: unknown): void {
  const { min, max } = passwordChars;
  if (typeof password !== 'string') throw bad('password', `is a ${typeof password}`, 'it may be a text');
  if (password.length >= min && password.length <= max) return;
  throw bad('password', `has ${password.length} characters`, `it may have ${min} to ${max}, that nobody can guess`);
}

function bad(name: string, what: string, range: string): LocalUsageError {
  return new LocalUsageError('ERR_OPTION', `The option "${name}" of admin ${what}: ${range}.`, { option: name });
}
