// Objects with keys that are numbers, such as ids. For a first key 1023 V8 makes room for 1,550 elements, 12 KB, whether it is assigned or
// defined, and by fromEntries too: a frame of many such objects would take a thousand times its bytes. Unless the object has been told that
// its indexes are far apart.

/** The last index that there is. */
const far = 2 ** 32 - 2;

/** @returns whether a key may be an index */
export function isIndexed(key: string): boolean {
  const first = key.charCodeAt(0);
  return first >= 48 && first <= 57;
}

/** To be called before the first key that may be an index: from then on each has its own place, and no more. */
export function keepApart(object: Record<string, unknown>): void {
  object[far] = undefined;
  delete object[far];
}

/** As `Object.fromEntries`: a key `__proto__` is a key like any other. */
export function objectOf(entries: readonly (readonly [key: string, value: unknown])[]): Record<string, unknown> {
  if (!entries.some(([key]) => isIndexed(key))) return Object.fromEntries(entries);
  const object: Record<string, unknown> = {};
  keepApart(object);
  for (const [key, value] of entries) {
    if (key === '__proto__')
      Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
    else object[key] = value;
  }
  return object;
}
