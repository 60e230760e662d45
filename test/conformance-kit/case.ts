// The cases as files: docs/CONFORMANCE.md says what may stand there. Whatever else stands there is an error that names it.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What a step does, by the one key that says so. */
export const verbs = {
  both: [
    'send',
    'sendText',
    'sendHex',
    'expect',
    'expectAll',
    'confirmed',
    'quiet',
    'still',
    'closed',
    'close',
    'cut',
    'begin',
    'check',
  ],
  server: ['connect', 'request', 'answered', 'wait'],
  client: ['opened', 'welcome', 'tell', 'hears', 'hearsAll', 'asked', 'answer', 'refuse'],
} as const;

/** Whom a case is about: it is played against that end, by the other one. */
export type Subject = 'server' | 'client';

/** What stands beside a verb. */
const besides = ['at', 'as', 'named', 'reason', 'or', 'with', 'settings', 'withinMs', 'answer', 'times'];

export interface Step {
  /** Of the line; `A` unless it is named. */
  readonly at: string;
  readonly verb: string;
  /** What stands at the verb. */
  readonly what: unknown;
  /** What stands beside it. */
  readonly more: Readonly<Record<string, unknown>>;
}

/** What the other end has to have, or a case is not played. */
const needs = [
  'websocket',
  'sse',
  'polling',
  'json',
  'msgpack',
  'protobuf',
  'strict',
  'resume',
  'token',
  'namespaces',
  'volatile',
  'renew',
  'drain',
] as const;
export type Need = (typeof needs)[number];

export interface Case {
  readonly name: string;
  /** Sections and rules of docs/PROTOCOL.md, such as `§5.8` and `R4`. */
  readonly cites: readonly string[];
  readonly needs: readonly Need[];
  /** Settings of WELCOME whose sum the case takes, in milliseconds. */
  readonly waits: readonly string[];
  readonly steps: readonly Step[];
}

/** @returns the cases of a folder, in the order of its files. @throws Error that names the file, the case and what is wrong */
export function readCases(folder: string, subject: Subject): Case[] {
  const files = readdirSync(folder).filter((file) => file.endsWith('.json'));
  const cases = files.sort().flatMap((file) => {
    const { cases } = JSON.parse(readFileSync(join(folder, file), 'utf8')) as { cases: Record<string, unknown>[] };
    return cases.map((given) => {
      try {
        return checkCase(given, subject);
      } catch (error) {
        throw new Error(`${file}, ${given.name}: ${error instanceof Error ? error.message : error}`);
      }
    });
  });
  const names = cases.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice !== undefined) throw new Error(`there are two cases ${twice}`);
  return cases;
}

function checkCase(given: Record<string, unknown>, subject: Subject): Case {
  const { name, cites = [], needs: its = [], waits = [], steps = [], ...others } = given as unknown as Partial<Case>;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) throw new Error(`"${unknown}" is nothing that a case has`);
  if (typeof name !== 'string' || !/^[a-z0-9-]+$/.test(name))
    throw new Error('a name is small letters, digits and "-"');
  if (cites.length === 0 || !cites.every((cite) => /^(§\d+(\.\d+)?|[RP]\d+)$/.test(cite)))
    throw new Error('"cites" names sections and rules, such as "§5.8" and "R4"');
  const odd = its.find((need) => !needs.includes(need));
  if (odd !== undefined) throw new Error(`"needs" knows ${needs.join(', ')}, not "${odd}"`);
  if (steps.length === 0) throw new Error('it has no steps');
  return {
    name,
    cites,
    needs: its,
    waits,
    steps: (steps as unknown as Record<string, unknown>[]).map((step) => checkStep(step, subject)),
  };
}

function checkStep(given: Record<string, unknown>, subject: Subject): Step {
  const known: readonly string[] = [...verbs.both, ...verbs[subject]];
  // What answers a request stands beside it; by itself it is a step.
  const isVerb = (key: string): boolean => known.includes(key) && !(key === 'answer' && 'request' in given);
  const [verb, second] = Object.keys(given).filter(isVerb);
  if (verb === undefined || second !== undefined)
    throw new Error(`a step has one of ${known.join(', ')}: ${JSON.stringify(given)}`);
  const { at = 'A', [verb]: what, ...more } = given;
  const odd = Object.keys(more).find((key) => !besides.includes(key));
  if (odd !== undefined) throw new Error(`"${odd}" is nothing that a step has: ${JSON.stringify(given)}`);
  return { at: String(at), verb, what, more };
}
