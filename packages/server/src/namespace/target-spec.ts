// Whom a message is for, as data.
import { inspect } from 'node:util';
import { LocalUsageError, type Value } from '@halyard/protocol';
import { given } from '../base/given';
import type { Presence } from '../session/presence';

export interface TargetSpec {
  /** Rooms or socket ids; undefined is the whole namespace, and an empty list is nobody. */
  readonly rooms: readonly string[] | undefined;
  readonly except: readonly string[];
  readonly volatile: boolean;
  /** Whether only sockets of this server are meant. */
  readonly isLocal: boolean;
  readonly timeoutMs: number | undefined;
  /** Under which it is said again. */
  readonly key: string | undefined;
  /** Of messages with the same event and this key only the newest matters; undefined: all do. */
  readonly latest: string | undefined;
}

export const wholeNamespace: TargetSpec = {
  ...{ rooms: undefined, except: [] },
  ...{ volatile: false, isLocal: false, timeoutMs: undefined, key: undefined, latest: undefined },
};

const keyCharactersMax = 256;

/** @throws LocalUsageError `ERR_OPTION` */
export function checkKey(key: string): string {
  return checkText('An idempotencyKey', key, 1);
}

/** @throws LocalUsageError `ERR_OPTION` */
export function checkLatestKey(key: string): string {
  return checkText('The key of latest', key, 0);
}

function checkText(what: string, key: string, charactersMin: number): string {
  if (typeof key === 'string' && key.length >= charactersMin && key.length <= keyCharactersMax) return key;
  const given = typeof key === 'string' ? `a text of ${key.length}` : inspect(key, { depth: 0 });
  throw new LocalUsageError(
    'ERR_OPTION',
    `${what} is a text of ${charactersMin} to ${keyCharactersMax} characters, not ${given}`,
  );
}

/** One socket, wherever it is. */
export function socketAlone(id: string): TargetSpec {
  return { ...wholeNamespace, rooms: [id] };
}

/** Whom targets of a namespace mean on this server. */
export interface LocalTargets {
  /** The sockets of a target, each once. */
  select(spec: TargetSpec): readonly Presence[];
  /**
   * Sends an event to each socket of a target and gathers the replies.
   * @param answered told of every reply, with the id of its socket
   * @returns ids of those that do not answer
   */
  gather(
    spec: TargetSpec,
    event: string,
    args: readonly Value[],
    answered: (id: string, value: unknown) => void,
  ): Promise<string[]>;
}

/** Names as methods take them: one by one, in lists, or both. */
export type Names = readonly (string | readonly string[])[];

/** @returns `names` as one list, after those in `before`. Several times as fast as `flat` */
export function flatten(names: Names, before: readonly string[] = []): string[] {
  const flat = [...before];
  for (const name of names) {
    if (Array.isArray(name)) for (const one of name as readonly string[]) flat.push(textOf(one));
    else flat.push(textOf(name as string));
  }
  return flat;
}

/** @throws LocalUsageError `ERR_ROOM_NAME` for a number, which no room is named like */
function textOf(name: string): string {
  if (typeof name === 'string') return name;
  const hint = Symbol.iterator in Object(name) ? 'take [...rooms]' : 'see String(…)';
  throw new LocalUsageError('ERR_ROOM_NAME', `a room is named by text, not by ${given(name)}: ${hint}`);
}

/** The name of a namespace as Socket.IO's users say it, who may leave out the slash. */
export function withSlash(text: string): string {
  return text[0] === '/' ? text : `/${text}`;
}
