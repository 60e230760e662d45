// Whom a message in a log was not for.
import { type Few, listOf } from '../few';

/** Sockets by id, and all who were in a room of that name. */
export type Except = Few<string> | Earlier;

/** Of a message to several rooms, which a member of more than one gets by the log of the first: also who was in those before. */
export interface Earlier {
  readonly except: Few<string>;
  /** All the rooms it went to, of which the first `count` come before this one. */
  readonly rooms: readonly string[];
  readonly count: number;
}

export function isEarlier(except: Except): except is Earlier {
  return typeof except === 'object' && 'rooms' in except;
}

/** @returns whether `test` holds for one of the names */
export function someName(except: Except, test: (name: string) => boolean): boolean {
  if (!isEarlier(except)) return listOf(except).some(test);
  if (listOf(except.except).some(test)) return true;
  for (let i = 0; i < except.count; i++) if (test(except.rooms[i] as string)) return true;
  return false;
}
