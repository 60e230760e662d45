// A list that mostly has one entry, of which there are many: one entry as it is, several in an array, none as undefined.

export type Few<T extends object> = T | readonly T[] | undefined;

const none: readonly never[] = [];

export function listOf<T extends object>(few: Few<T>): readonly T[] {
  if (isList(few)) return few;
  return few === undefined ? none : [few];
}

/** @returns a new list with the entry at its end */
export function withOne<T extends object>(few: Few<T>, entry: T): Few<T> {
  return few === undefined ? entry : [...listOf(few), entry];
}

/** @returns a new list of the entries for which `keep` holds */
export function keepOf<T extends object>(few: Few<T>, keep: (entry: T) => boolean): Few<T> {
  const kept = listOf(few).filter(keep);
  return kept.length > 1 ? kept : kept[0];
}

export function isList<T extends object>(few: Few<T>): few is readonly T[] {
  return Array.isArray(few);
}
