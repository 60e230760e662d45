// The options of a namespace, where it is asked for.
import type { AnyContract, ServerContract } from '@halyard/contract';
import { type AnyEvents, LocalUsageError } from '@halyard/protocol';

export interface NamespaceOptions<Incoming = AnyEvents, Outgoing = AnyEvents> {
  /** Which events there are in it, and what they carry: see `ServerOptions.contract`. Default: none. */
  readonly contract?: ServerContract<Incoming, Outgoing> | undefined;
}

/** @throws LocalUsageError `ERR_OPTION` */
export function contractIn(options: { readonly contract?: AnyContract | undefined }): AnyContract | undefined {
  const unknown = typeof options === 'object' && options !== null ? Object.keys(options) : ['options'];
  const [other] = unknown.filter((name) => name !== 'contract');
  if (other === undefined) return options.contract;
  throw new LocalUsageError('ERR_OPTION', `of takes the option contract, and has no "${other}".`, { option: other });
}
