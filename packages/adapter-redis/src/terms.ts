// What a process has to have in common with the servers of its prefix: it is refused where it would misread them, or they it.
import { LocalUsageError } from '@halyard/protocol';
import { type StoreContext, storeVersion } from '@halyard/server/emitter';
import { listOf, textOf } from './replies';
import type { Scripts } from './scripts';

/** Of keys and of what is in them, beside what servers make of it: a change that others would misread is another one. */
const layoutVersion = 3;

export interface TermsContext {
  readonly codecs: StoreContext['codecs'];
  /** Name of the codec of records. */
  readonly codec: string;
  readonly isGuest: boolean;
  readonly where: string;
  readonly prefix: string;
}

/**
 * Says what this process has, or takes over what servers have if it is a guest.
 * @throws LocalUsageError `ERR_STORE_VERSION`, `ERR_OPTION`
 */
export async function agree(scripts: Scripts, { codecs, codec, isGuest, where, prefix }: TermsContext): Promise<void> {
  const version = `${layoutVersion}.${storeVersion}`;
  const names = codecs.map(({ name }) => name).join(',');
  const said = listOf(await scripts.run('terms', 0, [version, codec, names, isGuest ? 1 : 0]));
  // A guest that was here before all servers.
  if (said.length < 6 || said.some((one) => one === null)) return;
  const [itsVersion, itsCodec, itsNames, ...limits] = said.map(textOf);
  const others = `The servers of prefix "${prefix}" in the Redis at ${where}`;
  if (itsVersion !== version) {
    throw new LocalUsageError(
      'ERR_STORE_VERSION',
      `${others} are of another version (theirs is ${itsVersion}, this one ${version}): give this one another "prefix", or stop ` +
        `those and delete all keys that begin with ${prefix}:.`,
    );
  }
  if (itsCodec !== codec) {
    throw new LocalUsageError(
      'ERR_OPTION',
      `${others} have the codec ${itsCodec} for records, and this one ${codec}: all have to have the same "codec".`,
      { option: 'codec' },
    );
  }
  // The longest of all lists that begin with each other.
  if (isGuest ? itsNames !== names : !`${itsNames},`.startsWith(`${names},`)) {
    const [who, what] = isGuest
      ? ['emitter', 'give it the same "codecs", in their order']
      : [
          'server',
          'those that both have may be at the same places, so put new ones last; or stop all servers before this one starts',
        ];
    throw new LocalUsageError(
      'ERR_OPTION',
      `${others} have the codecs ${itsNames}, and this ${who} ${names}: ${what}.`,
      {
        option: 'codecs',
      },
    );
  }
  if (isGuest) scripts.keepBy(limits.map(Number));
}
