// Where a server listens, and whether others may listen there too.
import { LocalUsageError } from '@halyard/protocol';
import { given } from '../base/given';
import type { TlsOptions } from '../host/tls';

export interface ListenOptions {
  /** The local address to bind. Default: all of them. */
  readonly address?: string | undefined;
  /**
   * Whether other processes may listen on the same port, each with this option: the system gives every connection to one of them.
   * They act as one if they share a store. Default: false, and a port that is taken is refused.
   */
  readonly reusePort?: boolean | undefined;
  /** Ends TLS here: `https` and `wss`. Default: plain HTTP, as behind a proxy that does. */
  readonly tls?: TlsOptions | undefined;
}

const known: readonly string[] = ['address', 'reusePort', 'tls'];
const knownOfTls: readonly string[] = ['keyFile', 'certFile', 'passphrase'];

/**
 * @param port in digits too: that is how it stands in the environment
 * @throws LocalUsageError `ERR_OPTION` that says what it may be
 */
export function checkPort(port: number | string): number {
  const number = typeof port === 'string' && /^\d{1,5}$/.test(port) ? Number(port) : port;
  if (typeof number === 'number' && Number.isInteger(number) && number >= 0 && number <= 65_535) return number;
  if (typeof (port as { listeners?: unknown } | null)?.listeners === 'function') {
    throw new LocalUsageError(
      'ERR_OPTION',
      'listen takes a port, not an http.Server: await io.attach(httpServer) for that.',
    );
  }
  if (typeof port === 'object' && port !== null) {
    throw new LocalUsageError(
      'ERR_OPTION',
      'listen takes a port and then options: await io.listen(port, { address }).',
    );
  }
  throw new LocalUsageError('ERR_OPTION', `The port is ${given(port)}: it may be a whole number from 0 to 65535.`);
}

/**
 * @param given an address, or options
 * @throws LocalUsageError `ERR_OPTION` that names the option and what it may be
 */
export function checkListen(given: string | ListenOptions = {}): ListenOptions {
  if (typeof given === 'string') return { address: given };
  if (typeof given === 'function') {
    throw new LocalUsageError(
      'ERR_OPTION',
      'listen takes no callback: it has begun once await io.listen(port) returns.',
    );
  }
  if (typeof given !== 'object' || given === null) {
    throw bad('address', `is ${String(given)}`, 'it may be a local address, or an object of options');
  }
  for (const name of Object.keys(given)) {
    if (name === 'host' || name === 'hostname') throw bad(name, 'is not an option', 'take address');
    if (!known.includes(name)) throw bad(name, 'is not an option', `known ones are ${known.join(', ')}`);
  }
  const { address, reusePort, tls } = given;
  if (address !== undefined && typeof address !== 'string') {
    throw bad('address', `is ${String(address)}`, 'it may be a local address');
  }
  if (reusePort !== undefined && typeof reusePort !== 'boolean') {
    throw bad('reusePort', `is ${String(reusePort)}`, 'it may be true or false');
  }
  if (tls !== undefined) checkTls(tls);
  return given;
}

function checkTls(tls: TlsOptions): void {
  if (typeof tls !== 'object' || tls === null) {
    throw bad('tls', `is ${String(tls)}`, 'it may be { keyFile, certFile }, paths of PEM files');
  }
  for (const name of Object.keys(tls)) {
    if (!knownOfTls.includes(name))
      throw bad(`tls.${name}`, 'is not an option', `known ones are ${knownOfTls.join(', ')}`);
  }
  const { keyFile, certFile, passphrase } = tls;
  for (const [name, value] of Object.entries({ keyFile, certFile, passphrase: passphrase ?? 'none' })) {
    if (typeof value !== 'string' || value === '') throw bad(`tls.${name}`, `is ${String(value)}`, 'it may be a text');
  }
}

function bad(name: string, what: string, rule: string): LocalUsageError {
  return new LocalUsageError('ERR_OPTION', `The option "${name}" of listen ${what}: ${rule}.`, { option: name });
}
