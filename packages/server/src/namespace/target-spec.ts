// Whom a message is for, as data.

export interface TargetSpec {
  /** Rooms or socket ids; undefined is the whole namespace, and an empty list is nobody. */
  readonly rooms: readonly string[] | undefined;
  readonly except: readonly string[];
  readonly volatile: boolean;
  readonly timeoutMs: number | undefined;
}

export const wholeNamespace: TargetSpec = { rooms: undefined, except: [], volatile: false, timeoutMs: undefined };

/** Names as methods take them: one by one, in lists, or both. */
export type Names = readonly (string | readonly string[])[];

/** @returns `names` as one list, after those in `before`. Several times as fast as `flat` */
export function flatten(names: Names, before: readonly string[] = []): string[] {
  const flat = [...before];
  for (const name of names) {
    if (Array.isArray(name)) for (const one of name as readonly string[]) flat.push(one);
    else flat.push(name as string);
  }
  return flat;
}
