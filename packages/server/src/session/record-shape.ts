// What a record looks like, as a table, and the check of one that comes from outside against it.

export type Shape =
  | 'text'
  | 'flag'
  | 'bytes'
  /** A whole number from 0. */
  | 'count'
  /** Any whole number. */
  | 'stamp'
  /** What a codec writes: text or bytes. */
  | 'frame'
  /** A value of the data model, whatever it is. */
  | 'any'
  | { readonly list: Shape }
  /** It may be left out. */
  | { readonly optional: Shape }
  | { readonly tuple: readonly Shape[] }
  | { readonly fields: { readonly [name: string]: Shape } };

/** @returns the first fault, with the path of where it is; undefined if there is none */
export function faultOf(value: unknown, shape: Shape, path: string): string | undefined {
  if (typeof shape === 'string') return isKind(value, shape) ? undefined : `${path} is no ${shape}`;
  if ('optional' in shape) return value === undefined ? undefined : faultOf(value, shape.optional, path);
  if ('list' in shape) {
    if (!Array.isArray(value)) return `${path} is no list`;
    return firstOf(value, (item, i) => faultOf(item, shape.list, `${path}[${i}]`));
  }
  if ('tuple' in shape) {
    const { tuple } = shape;
    if (!Array.isArray(value) || value.length !== tuple.length) return `${path} is no list of ${tuple.length}`;
    return firstOf(tuple, (item, i) => faultOf(value[i], item, `${path}[${i}]`));
  }
  if (typeof value !== 'object' || value === null) return `${path} has no fields`;
  const odd = Object.keys(value).find((name) => !Object.hasOwn(shape.fields, name));
  if (odd !== undefined) return `${path}.${odd} is a field too much`;
  return firstOf(Object.entries(shape.fields), ([name, field]) =>
    faultOf((value as Record<string, unknown>)[name], field, `${path}.${name}`),
  );
}

function isKind(value: unknown, kind: Extract<Shape, string>): boolean {
  switch (kind) {
    case 'text':
      return typeof value === 'string';
    case 'flag':
      return typeof value === 'boolean';
    case 'bytes':
      return value instanceof Uint8Array;
    case 'frame':
      return typeof value === 'string' || value instanceof Uint8Array;
    case 'count':
      return Number.isSafeInteger(value) && (value as number) >= 0;
    case 'stamp':
      return Number.isSafeInteger(value);
    case 'any':
      return true;
  }
}

function firstOf<Item>(
  items: readonly Item[],
  fault: (item: Item, i: number) => string | undefined,
): string | undefined {
  for (const [i, item] of items.entries()) {
    const found = fault(item, i);
    if (found !== undefined) return found;
  }
  return undefined;
}
