// What a console shows of the things that apps log as they are: what an app wants to know of them, and nothing that opens a session or
// says who somebody is.
import type { InspectOptions, inspect } from 'node:util';

/** Node's `util.inspect` calls what is there. */
export const onConsole: unique symbol = Symbol.for('nodejs.util.inspect.custom') as never;

export type OnConsole = (depth: number, options: InspectOptions, show: typeof inspect) => string;

/** @returns a name and facts, as `console.log` shows an object of a class */
export function shownAs(name: string, facts: object, [depth, options, show]: Parameters<OnConsole>): string {
  // What refers to itself, or to another, is shown as deep as anything else, and no deeper.
  if (depth < 0) return `[${name}]`;
  return `${name} ${show(facts, { ...options, depth: depth - 1 })}`;
}
