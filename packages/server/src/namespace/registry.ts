// All namespaces of a server by name: those the app has asked for, and those made on demand.
import { type Failure, namespaceName, quoted, type Value } from '@halyard/protocol';
import { Held } from '../base/held';
import type { Entrance, Founder } from '../session/context';
import { DynamicNamespaces, type DynamicNamespacesLimits, type NamespacePattern } from './dynamic-namespaces';
import { Rules } from './rules';
import { withSlash } from './target-spec';

export interface RegistryContext<Namespace> {
  readonly limits: DynamicNamespacesLimits;
  create(name: string, rules: Rules): Namespace;
  report(error: unknown, where: string): void;
  /** A limit was met. @param code the option */
  warn(code: string, message: string): void;
}

/** A namespace, as the registry has it. */
export interface Registered extends Entrance {
  /** Nobody is in it any more. */
  close(): void;
  /** Somebody comes to it again. @param rules that hold from now on */
  reopen(rules: Rules): void;
}

export class NamespaceRegistry<Namespace extends Registered> {
  readonly #context: RegistryContext<Namespace>;
  readonly #byName = new Map<string, Namespace>();
  readonly #dynamic: DynamicNamespaces;
  /** Those that were made on demand, and that nobody is in any more. Who holds one means whatever has its name. */
  readonly #closed = new Held<Namespace>();

  constructor(context: RegistryContext<Namespace>) {
    this.#context = context;
    this.#dynamic = new DynamicNamespaces(context.limits);
  }

  /**
   * A namespace that the app asks for. It stays, even when it is empty, but for one that is there on the demand of a client already: whoever
   * speaks to that has not made it. @throws LocalUsageError for what is no name
   */
  of(text: string): Namespace {
    const name = withSlash(text);
    return this.#byName.get(namespaceName(name)) ?? this.#create(name, this.#dynamicRules(name, undefined));
  }

  /** @returns the namespace of a name, if there is one */
  get(name: string): Namespace | undefined {
    return this.#byName.get(name);
  }

  /** All of them. */
  [Symbol.iterator](): IterableIterator<Namespace> {
    return this.#byName.values();
  }

  /** Answers to many names from now on. */
  register(pattern: NamespacePattern): Rules {
    const rules = new Rules();
    this.#dynamic.register(pattern, rules);
    return rules;
  }

  /** @returns the namespace that a client asks for, made on its demand if there is a pattern; or why there is none */
  find(name: string, auth: Value | undefined, founder: Founder): Namespace | Failure {
    const existing = this.#byName.get(name);
    if (existing !== undefined) return existing;
    const rules = this.#dynamicRules(name, auth);
    if (rules === undefined) return unknownNamespace(name);
    const full = this.#dynamic.add(name, founder);
    if (full === undefined) return this.#create(name, rules);
    this.#context.warn(full.option, `A namespace was refused: ${full.failure.message}`);
    return full.failure;
  }

  /** The app has given a namespace rules or handlers of its own: it stays, even when it is empty. */
  keep(name: string): void {
    // If nobody is in it, it is among those that somebody holds.
    if (!this.#byName.has(name)) this.#create(name, this.#dynamicRules(name, undefined));
    this.#dynamic.delete(name);
  }

  /** Nobody is in a namespace any more, or waits to be let in. */
  emptied(name: string): void {
    const namespace = this.#byName.get(name);
    if (namespace === undefined || !this.#dynamic.delete(name)) return;
    namespace.close();
    this.#byName.delete(name);
    this.#closed.add(name, namespace);
  }

  #dynamicRules(name: string, auth: Value | undefined): Rules | undefined {
    const failed = (error: unknown): void =>
      this.#context.report(error, `the pattern of a dynamic namespace, for ${name}`);
    return this.#dynamic.rulesOf(name, auth, failed);
  }

  /** @param origin rules of the pattern that the name is of, if there is one */
  #create(name: string, origin: Rules | undefined): Namespace {
    const rules = origin?.copy() ?? new Rules();
    const held = this.#closed.take(name);
    held?.reopen(rules);
    const namespace = held ?? this.#context.create(name, rules);
    this.#byName.set(name, namespace);
    return namespace;
  }
}

function unknownNamespace(name: string): Failure {
  return {
    code: 'ERR_NAMESPACE_UNKNOWN',
    message: `There is no namespace ${quoted(name)}: on the server io.of(name) makes it.`,
    data: undefined,
  };
}
