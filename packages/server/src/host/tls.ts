// The key and the certificate that a host ends TLS with, as files: read and checked before a host sees them, and again for a reload.
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { LocalUsageError } from '@halyard/protocol';

export interface TlsOptions {
  /** Path of the private key, in PEM. */
  readonly keyFile: string;
  /** Path of the certificate, in PEM, followed by those between it and its root. */
  readonly certFile: string;
  /** Of a key that is encrypted. */
  readonly passphrase?: string | undefined;
}

/** What is in the files. */
export interface TlsContent {
  readonly key: Buffer;
  readonly cert: Buffer;
  readonly passphrase: string | undefined;
}

/** @throws LocalUsageError `ERR_TLS` that says which file is wrong and how */
export function readTls({ keyFile, certFile, passphrase }: TlsOptions): TlsContent {
  const content = { key: read('keyFile', keyFile), cert: read('certFile', certFile), passphrase };
  try {
    createSecureContext(content);
  } catch (cause) {
    throw new LocalUsageError(
      'ERR_TLS',
      `The key in ${keyFile} and the certificate in ${certFile} cannot be used: ${messageOf(cause)}.`,
      { cause },
    );
  }
  return content;
}

function read(option: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new LocalUsageError('ERR_TLS', `The file of tls.${option} cannot be read: ${messageOf(cause)}.`, {
      option,
      cause,
    });
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
