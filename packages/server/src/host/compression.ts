// permessage-deflate (RFC 7692): which messages are compressed, and by what a host remembers of those before.
import { LocalUsageError } from '@halyard/protocol';

export interface PerMessageDeflateOptions {
  /** Smaller messages are sent as they are. 0 to 2^30, default 1,024. */
  readonly thresholdBytes?: number | undefined;
  /**
   * Whether a message may refer to those before it on the connection: it is smaller then, and each connection keeps a window of 32 KiB or more in
   * each direction. On the host `node` alone. Default: false.
   */
  readonly contextTakeover?: boolean | undefined;
}

/** Undefined: no message is compressed, and none that a client has compressed is taken. */
export type Compression = { readonly thresholdBytes: number; readonly contextTakeover: boolean } | undefined;

const thresholdMax = 2 ** 30;

/** @throws LocalUsageError `ERR_OPTION` */
export function compressionOf(given: boolean | PerMessageDeflateOptions | undefined): Compression {
  if (given === undefined || given === false) return undefined;
  if (given !== true && (typeof given !== 'object' || given === null)) {
    throw bad('', `is ${String(given)}`, 'true, false or { thresholdBytes, contextTakeover }');
  }
  const { thresholdBytes = 1_024, contextTakeover = false, ...others } = given === true ? {} : given;
  for (const name of Object.keys(others))
    throw bad(`.${name}`, 'is not an option', 'thresholdBytes or contextTakeover');
  if (!Number.isInteger(thresholdBytes) || thresholdBytes < 0 || thresholdBytes > thresholdMax) {
    throw bad('.thresholdBytes', `is ${String(thresholdBytes)}`, `a whole number from 0 to ${thresholdMax}`);
  }
  if (typeof contextTakeover !== 'boolean')
    throw bad('.contextTakeover', `is ${String(contextTakeover)}`, 'true or false');
  return { thresholdBytes, contextTakeover };
}

function bad(name: string, what: string, range: string): LocalUsageError {
  const option = `perMessageDeflate${name}`;
  return new LocalUsageError('ERR_OPTION', `The server option "${option}" ${what}: it may be ${range}.`, { option });
}
