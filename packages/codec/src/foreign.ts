// What is not of the data model, and stands for something that is: objects with `toJSON`, other views of bytes, and what comes from
// another realm (a frame, a worker, a test runner), whose prototypes are not ours.

/** What a value that is neither plain nor one of ours is taken for; `undefined` if for nothing. */
export type Kind = 'Date' | 'ArrayBuffer' | 'toJSON' | 'Object' | undefined;

/** @param value an object; an array only if it has a `toJSON` of its own */
export function kindOf(value: object): Kind {
  if (ArrayBuffer.isView(value)) return 'ArrayBuffer';
  const tag = Object.prototype.toString.call(value).slice(8, -1);
  if ((tag === 'Date' || tag === 'ArrayBuffer') && isOf(tag, value)) return tag;
  if (hasToJson(value)) return 'toJSON';
  // Of whatever realm: nothing is above the prototype of a plain object.
  const prototype: object | null = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null ? 'Object' : undefined;
}

/** Whether it says itself what it stands for; what somebody has given to all objects, or all arrays, is not asked. */
export function hasToJson(value: object): boolean {
  const { toJSON } = value as { toJSON?: unknown };
  return (
    typeof toJSON === 'function' &&
    ![Object.prototype, Array.prototype].some((all) => toJSON === (all as { toJSON?: unknown }).toJSON)
  );
}

/** Whether a tag is not only what somebody has named a class of theirs. */
function isOf(tag: 'Date' | 'ArrayBuffer', value: object): boolean {
  try {
    if (tag === 'Date') Date.prototype.getTime.call(value);
    else new DataView(value as ArrayBuffer);
    return true;
  } catch {
    return false;
  }
}

/** Why it cannot be sent, and what can be. */
export function refusalOf(value: object): string {
  const name = value.constructor?.name;
  // Made by Object.create.
  if (name === 'Object')
    return 'an object that has another one as its prototype: send { ...value }, or give it a toJSON()';
  return `an instance of ${name}: send an object, an array or bytes, or give it a toJSON()`;
}
