// What is not of the data model, and stands for something that is: objects with `toJSON`, other views of bytes, and what comes from
// another realm (a frame, a worker, a test runner), whose prototypes are not ours.

/** What a value that is neither plain nor one of ours is taken for; `undefined` if for nothing. */
export type Kind = 'object' | 'date' | 'bytes' | 'toJSON' | undefined;

/** @param value an object that is no array */
export function kindOf(value: object): Kind {
  if (isDate(value)) return 'date';
  if (ArrayBuffer.isView(value) || isBuffer(value)) return 'bytes';
  if (hasToJson(value)) return 'toJSON';
  return isPlain(value) ? 'object' : undefined;
}

export function hasToJson(value: object): value is { toJSON(key: string): unknown } {
  return typeof (value as { toJSON?: unknown }).toJSON === 'function';
}

/** Why it cannot be sent, and what can be. */
export function refusalOf(value: object): string {
  const name = nameOf(value);
  const hint = value instanceof Error ? 'send its message, or throw a PublicError' : hints.get(name);
  return `an instance of ${name}: ${hint ?? 'send a plain object, or give it a toJSON()'}`;
}

const hints = new Map([
  ['Map', 'send [...it], or Object.fromEntries(it)'],
  ['Set', 'send [...it]'],
  ['Blob', 'send await it.arrayBuffer()'],
  ['File', 'send await it.arrayBuffer()'],
  ['Promise', 'await it'],
]);

function isDate(value: object): value is Date {
  try {
    Date.prototype.getTime.call(value);
    return true;
  } catch {
    return false;
  }
}

const byteLengthOf = Object.getOwnPropertyDescriptor(ArrayBuffer.prototype, 'byteLength')?.get as () => number;

function isBuffer(value: object): value is ArrayBuffer {
  try {
    byteLengthOf.call(value);
    return true;
  } catch {
    return false;
  }
}

/** Whether it is an object of no class, in whatever realm it was made. */
function isPlain(value: object): boolean {
  const prototype: object | null = Object.getPrototypeOf(value);
  if (prototype === null) return true;
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, 'isPrototypeOf');
}

function nameOf(value: object): string {
  const made = value.constructor;
  return typeof made === 'function' && made.name ? made.name : 'no class';
}
