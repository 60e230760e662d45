// A list that mostly has one entry, of which there are many: one entry as it is, several in an array, none as undefined.

export type CompactList<T> = T | readonly T[] | undefined;

const none: readonly never[] = [];

export function listOf<T>(list: CompactList<T>): readonly T[] {
  if (isList(list)) return list;
  return list === undefined ? none : [list];
}

/** @returns the same entries; a list of several is not copied */
export function compactOf<T>(list: readonly T[]): CompactList<T> {
  return list.length > 1 ? list : list[0];
}

/** @returns a new list with the entry at its end */
export function withOne<T>(list: CompactList<T>, entry: T): CompactList<T> {
  return list === undefined ? entry : [...listOf(list), entry];
}

/** @returns a new list of the entries for which `keep` holds */
export function keepOf<T>(list: CompactList<T>, keep: (entry: T) => boolean): CompactList<T> {
  return compactOf(listOf(list).filter(keep));
}

export function isList<T>(list: CompactList<T>): list is readonly T[] {
  return Array.isArray(list);
}
