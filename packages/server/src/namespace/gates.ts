// What an event of a client has to pass before anything else sees it, in each namespace: the contract, which says what it carries, and
// guards, which say who may. At once, where nothing of it is asynchronous.
import type { AnyContract } from '@halyard/contract';
import { Checks, isContract, kindOf } from '@halyard/contract/internal';
import {
  checkEventName,
  isThenable,
  LocalUsageError,
  PublicError,
  quoted,
  type Settle,
  type Value,
} from '@halyard/protocol';

export type Args = readonly Value[];

/** Of any namespace's events. */
export type AnyGuard = (...socketAndArgs: never) => boolean | Promise<boolean>;

export class Gates {
  /** Of what comes, and of our replies to it. */
  #incoming: Checks | undefined;
  /** Of what is sent, and of the replies to that. */
  #outgoing: Checks | undefined;
  #contract: AnyContract | undefined;
  #guards: ReadonlyMap<string, readonly AnyGuard[]> = new Map();
  #checksEmits = false;
  #report: (error: unknown, where: string) => void = () => {};
  /** Whether there is nothing to pass. */
  isOpen = true;

  /** @param checksEmits whether what the server says is looked at as well. @param report told of what fails in user code */
  serve(checksEmits: boolean, report: (error: unknown, where: string) => void): void {
    this.#checksEmits = checksEmits;
    this.#report = report;
  }

  /** @throws LocalUsageError `ERR_OPTION`; `ERR_UNKNOWN_EVENT` of a guard for an event that it has not */
  setContract(contract: AnyContract): void {
    if (contract === this.#contract) return;
    checkContract(contract);
    if (this.#contract !== undefined) {
      const rule = 'A namespace has one contract, and this one has another already: contract(a, b) puts two together.';
      throw new LocalUsageError('ERR_OPTION', rule, { option: 'contract' });
    }
    for (const event of this.#guards.keys()) checkKnown(contract, event);
    this.#contract = contract;
    this.#incoming = new Checks(contract.clientToServer, 'handler');
    this.#outgoing = new Checks(contract.serverToClient, 'caller');
    this.isOpen = false;
  }

  /** @throws LocalUsageError `ERR_HANDLER_TYPE`, `ERR_EVENT_NAME`, `ERR_RESERVED_EVENT`, `ERR_UNKNOWN_EVENT` */
  guard(events: string | readonly string[], guard: AnyGuard): void {
    const names = typeof events === 'string' ? [events] : events;
    if (!Array.isArray(names)) {
      const rule = `guard takes the name of an event, or a list of names, and not ${kindOf(events)}.`;
      throw new LocalUsageError('ERR_EVENT_NAME', rule);
    }
    if (typeof guard !== 'function') {
      throw new LocalUsageError('ERR_HANDLER_TYPE', `the guard of ${namesOf(names)} is not a function`);
    }
    for (const name of names) {
      checkEventName(name);
      if (this.#contract !== undefined) checkKnown(this.#contract, name);
    }
    const guards = new Map(this.#guards);
    for (const name of names) guards.set(name, [...(guards.get(name) ?? []), guard]);
    this.#guards = guards;
    this.isOpen = false;
  }

  /**
   * @returns the arguments as handlers get them; a promise if something is asynchronous
   * @throws PublicError why it may not pass
   */
  pass(socket: object, event: string, args: Args): Args | Promise<Args> {
    const guards = this.#guards.get(event);
    const checked = this.#incoming === undefined ? args : this.#checked(this.#incoming, event, args);
    if (guards === undefined) return checked;
    return isThenable(checked)
      ? checked.then((own) => this.#guarded(guards, socket, event, own, 0))
      : this.#guarded(guards, socket, event, checked, 0);
  }

  /**
   * @param result what handlers gave, or a promise of it
   * @returns what is replied
   * @throws LocalUsageError `ERR_REPLY_INVALID`
   */
  reply(event: string, result: unknown): unknown {
    const checks = this.#incoming;
    if (checks === undefined) return result;
    return isThenable(result) ? result.then((value) => checks.reply(event, value)) : checks.reply(event, result);
  }

  /** @returns `settle` for the reply of a client: what breaks the contract is an error */
  settling(event: string, settle: Settle): Settle {
    const checks = this.#outgoing;
    if (checks === undefined) return settle;
    return (error, value) => {
      if (error !== undefined) return settle(error, undefined);
      try {
        const reply = checks.reply(event, value);
        if (isThenable(reply))
          reply.then((given) => settle(undefined, given as Value), settle as (why: unknown) => void);
        else settle(undefined, reply as Value);
      } catch (fault) {
        settle(fault as Parameters<Settle>[0], undefined);
      }
    };
  }

  /** Looks at what the server says, if it is to. @throws LocalUsageError `ERR_UNKNOWN_EVENT`, `ERR_INVALID` */
  checkSent(event: string, args: Args): void {
    if (!this.#checksEmits || this.#outgoing === undefined) return;
    const checked = this.#outgoing.args(event, args);
    // It is on its way by then.
    if (isThenable(checked)) checked.catch((error) => this.#report(error, `emitting ${quoted(event)}`));
  }

  /** Takes what others check, in place of its own. */
  become(others: Gates): void {
    this.#guards = others.#guards;
    this.isOpen = others.isOpen;
    this.#contract = others.#contract;
    this.#incoming = others.#incoming;
    this.#outgoing = others.#outgoing;
  }

  #checked(checks: Checks, event: string, args: Args): Args | Promise<Args> {
    try {
      const checked = checks.args(event, args);
      return isThenable(checked) ? checked.catch((error) => this.#uncheckable(event, error)) : checked;
    } catch (error) {
      return this.#uncheckable(event, error);
    }
  }

  #uncheckable(event: string, error: unknown): never {
    if (error instanceof PublicError) throw error;
    this.#report(error, `a schema of ${quoted(event)}`);
    throw new PublicError('ERR_INVALID', `${quoted(event)} could not be checked.`);
  }

  /** @param from the first one that is to be asked */
  #guarded(guards: readonly AnyGuard[], socket: object, event: string, args: Args, from: number): Args | Promise<Args> {
    for (let i = from; i < guards.length; i++) {
      let verdict: unknown;
      try {
        verdict = (guards[i] as (...all: unknown[]) => unknown)(socket, ...args);
      } catch (error) {
        this.#forbid(event, error);
      }
      if (isThenable(verdict)) {
        const allow = (is: unknown): Args | Promise<Args> => {
          if (is !== true) throw forbidden();
          return this.#guarded(guards, socket, event, args, i + 1);
        };
        return verdict.then(allow, (error) => this.#forbid(event, error)) as Promise<Args>;
      }
      // Nothing else lets it pass: who forgets to return something has not opened a door.
      if (verdict !== true) throw forbidden();
    }
    return args;
  }

  #forbid(event: string, error: unknown): never {
    if (error instanceof PublicError) throw error;
    this.#report(error, `a guard of ${quoted(event)}`);
    throw forbidden();
  }
}

function forbidden(): PublicError {
  return new PublicError('ERR_FORBIDDEN', 'The event was refused.');
}

/** @throws LocalUsageError `ERR_OPTION` */
export function checkContract(contract: unknown): void {
  if (isContract(contract)) return;
  const rule = `contract takes what contract(…) of @halyard/contract has made, and not ${kindOf(contract)}.`;
  throw new LocalUsageError('ERR_OPTION', rule, { option: 'contract' });
}

/** A guard of a name that never comes would guard nothing. */
function checkKnown({ clientToServer }: AnyContract, event: string): void {
  if (Object.hasOwn(clientToServer, event)) return;
  const rule = `A guard is for ${quoted(event)}, which the contract has not: it has ${namesOf(Object.keys(clientToServer))}.`;
  throw new LocalUsageError('ERR_UNKNOWN_EVENT', rule, { event });
}

function namesOf(events: readonly string[]): string {
  return events.length === 0 ? 'no events' : events.map((event) => quoted(String(event))).join(', ');
}
