// Namespaces made on demand: which names they answer to, and whose demand they came of, so that nobody takes the room of all.
import { type Failure, isThenable, LocalUsageError, type Value } from '@halyard/protocol';
import { networkOf } from '../host/address';
import type { Founder } from '../session/context';
import { type Auth, authOf } from '../session/handshake';
import type { Rules } from './rules';

/** Which names a dynamic namespace answers to. A function is given `auth` as it is in a handshake: empty if the client sent none. */
export type NamespacePattern = RegExp | ((name: string, auth: Auth) => boolean);

export interface DynamicNamespacesLimits {
  readonly dynamicNamespacesMax: number;
  readonly dynamicNamespacesPerSessionMax: number;
  readonly dynamicNamespacesPerAddressMax: number;
}

const promised =
  'A function that says which namespaces there are returns true or false, and not a promise: what has to be asked for is asked in of(pattern).use(async (handshake) => …).';

export class DynamicNamespaces {
  readonly #limits: DynamicNamespacesLimits;
  readonly #kinds: { readonly pattern: NamespacePattern; readonly rules: Rules }[] = [];
  /** Those there are, and whose demand each came of. */
  readonly #founders = new Map<string, Founder>();
  /** How many there are for each session, and for each address. */
  readonly #counts = new Map<string, number>();

  constructor(limits: DynamicNamespacesLimits) {
    this.#limits = limits;
  }

  /** @throws LocalUsageError `ERR_OPTION` */
  register(pattern: NamespacePattern, rules: Rules): void {
    if (typeof pattern === 'function' ? pattern.length > 2 : !(pattern instanceof RegExp)) {
      const rule =
        typeof pattern === 'function'
          ? 'A function that says which namespaces there are takes (name, auth), and returns whether it is one: there is no next.'
          : `of() takes a name, or what says which namespaces there are: a regular expression, or a function of (name, auth). It was given ${pattern === null ? null : typeof pattern}.`;
      throw new LocalUsageError('ERR_OPTION', rule);
    }
    this.#kinds.push({ pattern, rules });
  }

  /** @param failed told of a pattern that throws: it matches nothing */
  rulesOf(name: string, auth: Value | undefined, failed: (error: unknown) => void): Rules | undefined {
    const matches = (pattern: NamespacePattern): boolean => {
      try {
        // Without the place where a global expression found something the last time.
        if (typeof pattern !== 'function') return name.search(pattern) >= 0;
        const answer: unknown = pattern(name, authOf(auth));
        if (!isThenable(answer)) return Boolean(answer);
        answer.then(undefined, () => {});
        throw new LocalUsageError('ERR_OPTION', promised);
      } catch (error) {
        failed(error);
        return false;
      }
    };
    return this.#kinds.find(({ pattern }) => matches(pattern))?.rules;
  }

  /** Counts a new one. @returns why there can be no more, and which option says so */
  add(name: string, founder: Founder): { failure: Failure; option: keyof DynamicNamespacesLimits } | undefined {
    for (const [option, count, rule] of [
      ['dynamicNamespacesMax', this.#founders.size, 'there are no more at one time. Try again later'],
      ['dynamicNamespacesPerAddressMax', this.#countOf(addressKey(founder)), 'one address may have no more. Leave one'],
      ['dynamicNamespacesPerSessionMax', this.#countOf(sessionKey(founder)), 'one client may have no more. Leave one'],
    ] as const) {
      if (count < this.#limits[option]) continue;
      const message = `${count} namespaces were made on demand (${option}), and ${rule}.`;
      return { failure: { code: 'ERR_DYNAMIC_NAMESPACES_FULL', message, data: undefined }, option };
    }
    this.#founders.set(name, founder);
    this.#move(founder, 1);
    return undefined;
  }

  /** One is gone, or stays for good. @returns whether it was one of these */
  delete(name: string): boolean {
    const founder = this.#founders.get(name);
    if (founder === undefined) return false;
    this.#founders.delete(name);
    this.#move(founder, -1);
    return true;
  }

  #countOf(key: string): number {
    return this.#counts.get(key) ?? 0;
  }

  #move(founder: Founder, by: number): void {
    for (const key of [sessionKey(founder), addressKey(founder)]) {
      const count = this.#countOf(key) + by;
      if (count > 0) this.#counts.set(key, count);
      else this.#counts.delete(key);
    }
  }
}

function sessionKey({ session }: Founder): string {
  return `session ${session}`;
}

function addressKey({ address }: Founder): string {
  return `address ${networkOf(address)}`;
}
