// How a server stops.
import { LocalUsageError, packetLimits, quoted } from '@halyard/protocol';
import { given } from '../base/given';

export interface CloseOptions {
  /**
   * No new client is taken from now on, and for so many milliseconds at the most the server goes on. Where others share its store, clients
   * are told when to leave, one after the other, spread over that time, and go on there: nobody notices. Who does not leave is closed
   * with 1012. What handlers have begun is finished, and clients have their replies. It takes no longer than that needs. Default: 0,
   * everything ends at once.
   */
  readonly drainMs?: number | undefined;
  /**
   * Where clients are to go, if that is not where they would connect anyway: the origin of a server that shares the store, such as
   * `https://eu.example`. Clients go there only if their option `followServers` lists it. Default: none.
   */
  readonly url?: string | undefined;
}

export interface CheckedClose {
  readonly drainMs: number;
  /** Empty: none. */
  readonly url: string;
}

const drainMsMax = 3_600_000;
const known = ['drainMs', 'url'];

/** @throws LocalUsageError `ERR_OPTION` that names the option, and says what it may be */
export function checkClose(options: CloseOptions | null = {}): CheckedClose {
  if (typeof options !== 'object') {
    const message = `close takes options, such as { drainMs: 10_000 }, and not ${given(options)}.`;
    throw new LocalUsageError('ERR_OPTION', message, { option: 'options' });
  }
  for (const name of Object.keys(options ?? {})) {
    if (known.includes(name)) continue;
    const message = `The option ${quoted(name)} of close is not an option: known ones are ${known.join(', ')}.`;
    throw new LocalUsageError('ERR_OPTION', message, { option: name });
  }
  const { drainMs = 0, url = '' } = options ?? {};
  if (!(typeof drainMs === 'number' && drainMs >= 0 && drainMs <= drainMsMax)) {
    const message = `drainMs is ${given(drainMs)}: it may be a number of milliseconds from 0 to ${drainMsMax}.`;
    throw new LocalUsageError('ERR_OPTION', message, { option: 'drainMs' });
  }
  if (url !== '' && !isOrigin(url)) {
    const message = `url is ${String(url)}: it may be the origin of a server, http or https, such as https://eu.example, without a path.`;
    throw new LocalUsageError('ERR_OPTION', message, { option: 'url' });
  }
  return { drainMs, url };
}

function isOrigin(url: unknown): boolean {
  if (typeof url !== 'string' || url.length > packetLimits.reasonCharsMax || !URL.canParse(url)) return false;
  const { origin, protocol } = new URL(url);
  return origin === url && (protocol === 'http:' || protocol === 'https:');
}
