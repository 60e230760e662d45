// A list that mostly has one entry, of which there are many: one entry as it is, several in an array, none as undefined.

export type Few<T> = T | readonly T[] | undefined;

const none: readonly never[] = [];

export function listOf<T>(few: Few<T>): readonly T[] {
  if (isList(few)) return few;
  return few === undefined ? none : [few];
}

/** @returns the same entries; a list of several is not copied */
export function fewOf<T>(list: readonly T[]): Few<T> {
  return list.length > 1 ? list : list[0];
}

/** @returns a new list with the entry at its end */
export function withOne<T>(few: Few<T>, entry: T): Few<T> {
  return few === undefined ? entry : [...listOf(few), entry];
}

/** @returns a new list of the entries for which `keep` holds */
export function keepOf<T>(few: Few<T>, keep: (entry: T) => boolean): Few<T> {
  return fewOf(listOf(few).filter(keep));
}

export function isList<T>(few: Few<T>): few is readonly T[] {
  return Array.isArray(few);
}
