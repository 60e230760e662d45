// The checks of one direction's events: arguments and replies go through their schemas, in order, at once where these are synchronous.
import { type HalyardError, isThenable, LocalUsageError, PublicError, quoted, type Value } from '@halyard/protocol';
import type { EventDefinition, EventDefinitions } from './definition';
import { pathOf, ruleOf } from './rule';
import type { Issue, Schema, Validated } from './schema';

type Args = readonly Value[];

/**
 * On which side of the events this is: that of their handlers, to which arguments come from the other side and which gives the replies; or
 * that of who emits them, where it is the other way round. What comes fails by a `PublicError`, what goes by a `LocalUsageError`.
 */
export type Side = 'handler' | 'caller';

interface Check {
  readonly args: readonly Schema<unknown, unknown>[];
  readonly reply: Schema<unknown, unknown> | undefined;
}

const noArgs: Check['args'] = [];

export class Checks {
  readonly #side: Side;
  readonly #byEvent: ReadonlyMap<string, Check>;

  constructor(events: EventDefinitions, side: Side) {
    this.#side = side;
    this.#byEvent = new Map(
      Object.entries(events).map(([name, { args = noArgs, reply }]: [string, EventDefinition]) => [
        name,
        { args, reply },
      ]),
    );
  }

  /**
   * @returns the arguments as their schemas give them; a promise if one of these is asynchronous
   * @throws HalyardError `ERR_UNKNOWN_EVENT`, `ERR_INVALID` with the path and the rule; and what a schema throws
   */
  args(event: string, args: Args): Args | Promise<Args> {
    const check = this.#byEvent.get(event);
    if (check === undefined) {
      throw this.#fault(
        'handler',
        'ERR_UNKNOWN_EVENT',
        `The contract has no event ${quoted(event)} in this direction.`,
      );
    }
    const schemas = check.args;
    if (args.length > schemas.length) {
      const message = `${quoted(event)}: it takes ${countOf(schemas.length)}, and not ${args.length}`;
      throw this.#fault('handler', 'ERR_INVALID', message, { path: [schemas.length] });
    }
    let given = args;
    for (let i = 0; i < schemas.length; i++) {
      const validated = (schemas[i] as Schema)['~standard'].validate(args[i]);
      if (isThenable(validated)) return this.#rest(event, check, args, given, i, validated);
      given = this.#placed(event, args, given, i, validated);
    }
    return given;
  }

  /**
   * @returns the reply as its schema gives it; a promise if that is asynchronous; undefined of an event that has none
   * @throws HalyardError `ERR_REPLY_INVALID` on the side of the handler, `ERR_INVALID` on that of the caller; and what a schema throws
   */
  reply(event: string, value: unknown): unknown {
    const schema = this.#byEvent.get(event)?.reply;
    if (schema === undefined) return undefined;
    const validated = schema['~standard'].validate(value);
    if (isThenable(validated)) return validated.then((result) => this.#replied(event, value, result));
    return this.#replied(event, value, validated);
  }

  /** The same from an asynchronous schema on: one after the other, so that the first that fails is told. */
  async #rest(
    event: string,
    { args: schemas }: Check,
    args: Args,
    before: Args,
    at: number,
    first: PromiseLike<Validated<unknown>>,
  ): Promise<Args> {
    let given = this.#placed(event, args, before, at, await first);
    for (let i = at + 1; i < schemas.length; i++) {
      given = this.#placed(event, args, given, i, await (schemas[i] as Schema)['~standard'].validate(args[i]));
    }
    return given;
  }

  /** @param given what was placed so far: a list of its own as soon as it differs from what came */
  #placed(event: string, args: Args, given: Args, at: number, validated: Validated<unknown>): Args {
    if (validated.issues !== undefined) throw this.#invalidArgument(event, args, at, validated.issues);
    const value = validated.value as Value;
    if (value === args[at]) return given;
    const own = given === args ? args.slice() : (given as Value[]);
    own[at] = value;
    return own;
  }

  #invalidArgument(event: string, args: Args, at: number, issues: readonly Issue[]): HalyardError {
    const [issue = { message: '' }] = issues;
    const [path, rule] = [pathOf(issue), ruleOf(issue, args)];
    const message = `${quoted(event)}: argument ${at + 1}: ${[...path, rule].join(': ')}`;
    return this.#fault('handler', 'ERR_INVALID', message, { path: [at, ...path], rule });
  }

  #replied(event: string, given: unknown, validated: Validated<unknown>): unknown {
    if (validated.issues === undefined) return validated.value;
    const [issue = { message: '' }] = validated.issues;
    const [path, rule] = [pathOf(issue), ruleOf(issue, given)];
    const code = this.#side === 'handler' ? 'ERR_REPLY_INVALID' : 'ERR_INVALID';
    throw this.#fault('caller', code, `${quoted(event)}: reply: ${[...path, rule].join(': ')}`, { path, rule });
  }

  /** @param from on which side what is wrong comes from the other one */
  #fault(from: Side, code: string, message: string, data?: { readonly [key: string]: Value }): HalyardError {
    return this.#side === from ? new PublicError(code, message, data) : new LocalUsageError(code, message, data);
  }
}

function countOf(count: number): string {
  return count === 1 ? '1 argument' : `${count === 0 ? 'no' : count} arguments`;
}
