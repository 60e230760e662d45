// Whether what a store says can be: what cannot is asked for again, or reported.
import type { Position } from '@halyard/protocol';
import type { Commit, CommitResult, LogPage, LogState, RolledBack, StoredEntry, StoredLetter } from './store';

export function isEntry(entry: StoredEntry | undefined | null): boolean {
  if (typeof entry !== 'object' || entry === null) return false;
  const { offset, stamp, node, after, except, places, earlier, bodies, latest } = entry;
  const isNamed = Number.isSafeInteger(stamp) && typeof node === 'string' && isName(after);
  if (latest !== undefined && typeof latest !== 'string') return false;
  if (!isCount(earlier) || ![except, places, bodies].every(Array.isArray)) return false;
  return isCount(offset) && isNamed && earlier <= places.length;
}

export function isPosition(position: Position): boolean {
  return Array.isArray(position) && typeof position[0] === 'string' && isCount(position[1]);
}

export function isPage({ epoch, first, top, missed, entries }: LogPage, after: number): boolean {
  if (typeof epoch !== 'string' || !isCount(first) || !isCount(top) || first > top + 1) return false;
  if (!isCount(missed) || missed >= Math.max(first, 1)) return false;
  if (entries.length === 0 && after >= first - 1 && after < top) return false;
  return entries.every((entry, i) => isEntry(entry) && entry.offset === after + 1 + i && entry.offset <= top);
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** Stamp and node of an entry. */
function isName(name: readonly [stamp: number, node: string]): boolean {
  return Array.isArray(name) && Number.isSafeInteger(name[0]) && typeof name[1] === 'string';
}

export function isState({ epoch, top, newest }: LogState): boolean {
  return typeof epoch === 'string' && isCount(top) && isName(newest);
}

export function isLetter(letter: StoredLetter | null | undefined): boolean {
  if (typeof letter !== 'object' || letter === null) return false;
  const { number, node, stamp, body } = letter;
  if (!isCount(number) || !Number.isSafeInteger(stamp) || typeof node !== 'string') return false;
  return typeof body === 'string' || body instanceof Uint8Array;
}

export function isRolledBack({ number }: Commit, answer: CommitResult | RolledBack): answer is RolledBack {
  return 'last' in answer && Number.isSafeInteger(answer.last) && answer.last >= 0 && answer.last !== number - 1;
}

export function isResultOf({ steps, records }: Commit, answer: CommitResult | RolledBack): answer is CommitResult {
  if (!('positions' in answer)) return false;
  const { positions, repeated, fenced, missing, mailed } = answer;
  if (!Array.isArray(positions) || positions.length !== steps.length) return false;
  if (!repeated.every((i) => Object.hasOwn(steps, i))) return false;
  const known = new Set(records.map(({ session }) => session));
  return [...fenced.map(([session]) => session), ...missing, ...mailed].every((session) => known.has(session));
}
