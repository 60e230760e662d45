// The scripts by name, and how they are called: each is one command that Redis does as a whole.
import type { StoreContext } from '@halyard/server';
import type { Redis } from 'ioredis';
import type { Keyspace } from './keyspace';
import { commitScript } from './lua/commit';
import { logFunctions, readScript, renewScript, topsScript, touchScript } from './lua/logs';
import {
  beatScript,
  departScript,
  lastScript,
  leaveScript,
  markScript,
  memberFunctions,
  nodesScript,
  probeScript,
  watchScript,
} from './lua/members';
import { enclosed, prelude } from './lua/prelude';
import {
  claimScript,
  expiredScript,
  forgetScript,
  lettersScript,
  sessionFunctions,
  sessionScript,
} from './lua/sessions';
import { termsScript } from './lua/terms';

const sources = {
  commit: [logFunctions, sessionFunctions, commitScript],
  tops: [logFunctions, topsScript],
  renew: [logFunctions, renewScript],
  read: [logFunctions, readScript],
  touch: [touchScript],
  session: [sessionFunctions, sessionScript],
  claim: [sessionFunctions, claimScript],
  letters: [sessionFunctions, lettersScript],
  expired: [sessionFunctions, expiredScript],
  forget: [sessionFunctions, forgetScript],
  beat: [memberFunctions, beatScript],
  mark: [markScript],
  nodes: [memberFunctions, nodesScript],
  leave: [memberFunctions, leaveScript],
  probe: [probeScript],
  terms: [memberFunctions, termsScript],
  watch: [memberFunctions, watchScript],
  depart: [departScript],
  last: [lastScript],
} as const;

export type ScriptName = keyof typeof sources;
export type Argument = string | number | Uint8Array;

type Call = (...args: unknown[]) => Promise<unknown>;

const commandOf = (name: ScriptName): string => `halyard_${name}`;
const seedsMax = 256;
/** Nine bytes as base64url. */
const seedChars = 12;
/** More milliseconds than that are as good as any. */
const msMax = 2 ** 40;

export interface ScriptContext extends Pick<StoreContext, 'platform' | 'limits'> {
  readonly keyspace: Keyspace;
  /** Calls the Redis that has a partition. */
  run(partition: number, call: (client: Redis) => Promise<unknown>, name: ScriptName): Promise<unknown>;
  /** Something was removed that no server has written. */
  malformed(): void;
  /** A script has failed. */
  failed(error: unknown): void;
  /** So much later than Redis thinks it is, in milliseconds: for tests. */
  readonly aheadMs: () => number;
}

/** Lets a client call them. One that a Redis does not know yet, it is told. */
export function defineScripts(client: Redis): void {
  for (const name of Object.keys(sources) as ScriptName[]) {
    const [script, ...functions] = [...sources[name]].reverse() as [string, ...string[]];
    const lua = [prelude, ...functions, enclosed(script)].join('');
    client.defineCommand(commandOf(name), { numberOfKeys: 1, lua });
  }
}

export class Scripts {
  readonly #context: ScriptContext;
  #limits: readonly number[];
  /** Of seeds to come. */
  #random = '';

  constructor(context: ScriptContext) {
    this.#context = context;
    const { entryAgeMsMax, logPacketsMax, logBytesMax } = context.limits;
    this.#limits = [msOf(entryAgeMsMax), logPacketsMax, logBytesMax];
  }

  /** Logs are kept by these limits from now on. */
  keepBy(limits: readonly number[]): void {
    this.#limits = limits;
  }

  async run(name: ScriptName, partition: number, args: readonly Argument[]): Promise<unknown> {
    const { keyspace, aheadMs, malformed, failed } = this.#context;
    const all = [keyspace.base(partition), aheadMs(), this.#seed(), ...this.#limits, ...args];
    let reply: unknown;
    try {
      reply = await this.#context.run(partition, (client) => callOf(client, name).apply(client, all), name);
    } catch (error) {
      failed(error);
      throw error;
    }
    if (!isStrange(reply)) return reply;
    const [[strange], its = null] = reply;
    for (let i = 0; i < strange; i++) malformed();
    return its;
  }

  /** @returns what everything begins with that a script makes and nobody else has, such as epochs */
  #seed(): string {
    // Many at a time: each time costs a system call.
    if (this.#random === '') this.#random = this.#context.platform.randomBytes(9 * seedsMax).toString('base64url');
    const seed = this.#random.slice(0, seedChars);
    this.#random = this.#random.slice(seedChars);
    return seed;
  }
}

/** @returns the command that was defined, as one that answers with bytes */
function callOf(client: Redis, name: ScriptName): Call {
  return (client as unknown as Record<string, Call>)[`${commandOf(name)}Buffer`] as Call;
}

/** Whether an answer comes behind how much was removed: no other begins with a list of one. */
function isStrange(reply: unknown): reply is [[strange: number], its?: unknown] {
  return Array.isArray(reply) && Array.isArray(reply[0]) && reply[0].length === 1;
}

/** @returns whole milliseconds as Redis can count them */
export function msOf(ms: number): number {
  return Math.max(1, Math.ceil(Math.min(ms, msMax)));
}
