// An event's one argument as a message of the app. protobufjs takes more than arrives as it is: numbers are cut to what their
// field takes, and an object of any kind is a message without fields. Here that is an error of the sender.
import { objectOf, Trait, undecodable } from '@halyard/codec/internal';
import { LocalUsageError, type Value } from '@halyard/protocol';
import { Writer } from 'protobufjs/minimal.js';

/** A message type as protobufjs has it, reflected or generated; other generators' types mostly fit as well. */
export interface MessageType {
  encode(value: object): { finish(): Uint8Array };
  decode(bytes: Uint8Array): object;
  /** @returns what is wrong with the value, or null */
  verify?(value: { [key: string]: unknown }): string | null;
  /** @returns a plain object. It is asked for bigints in 64-bit fields, and for fields that hold their default. */
  toObject?(message: object, options?: object): object;
}

/** As those of protobufjs are. */
interface WritingType {
  encode(value: object, writer: Writer): { finish(): Uint8Array };
}

/** A 64-bit integer as protobufjs has it. */
interface Halves {
  readonly low: number;
  readonly high: number;
  readonly unsigned?: boolean;
}

const int32 = [-(2 ** 31), 2 ** 31 - 1] as const;
const uint32 = [0, 2 ** 32 - 1] as const;
const int64 = [-(2n ** 63n), 2n ** 63n - 1n] as const;
const uint64 = [0n, 2n ** 64n - 1n] as const;
const floatMax = 2 ** 128 - 2 ** 104;

/** What fields take, both ends included, by the names of the writer's methods. */
const ranges = {
  int32,
  sint32: int32,
  sfixed32: int32,
  uint32,
  fixed32: uint32,
  int64,
  sint64: int64,
  sfixed64: int64,
  uint64,
  fixed64: uint64,
  float: [-floatMax, floatMax] as const,
};

/** All fields of numbers take what is in it. */
const plainEnd = 2 ** 31;

/** @returns how arguments of such a type are encoded, where it is the type of such an event */
export function encoderOf(event: string, type: MessageType): (args: readonly Value[], traits: number) => Uint8Array {
  let Checked: typeof Writer | undefined;
  return (args, traits) => {
    const value = args[0];
    if (args.length !== 1 || !isMessage(value)) {
      throw notEncodable('args', `"${event}" has a message type and takes one object`);
    }
    // What has `verify` is of protobufjs.
    const message =
      type.verify && traits & (Trait.Odd | Trait.Escaped) ? (withHalves(value, 'args[0]') as object) : value;
    let path = 'args[0]';
    let wrong: unknown;
    try {
      if (!type.verify) return type.encode(message).finish();
      wrong = type.verify(message as Record<string, unknown>);
      if (!wrong) {
        Checked ??= checked(writerOf(type));
        return (type as MessageType & WritingType).encode(message, new Checked()).finish();
      }
    } catch (error) {
      wrong = (error as Error).message;
      path += pathOfChange(type, value, message);
    }
    throw notEncodable(path, `not the message type of "${event}": ${wrong}`);
  };
}

/** As `toObject` is to show a message. */
const shown = { longs: BigInt, defaults: true };

export function decodeArgument(type: MessageType, bytes: Uint8Array): Value {
  const message = type.decode(bytes);
  return (type.toObject ? withPlainBytes(type.toObject(message, shown)) : message) as Value;
}

/**
 * A message that protobufjs has made has a `toJSON`, which is for JSON alone.
 * @returns a copy with objects of their fields in place of such messages, as deep as there is room
 */
export function withoutMessages(value: unknown, room: number): unknown {
  if (typeof value !== 'object' || value === null || room < 0) return value;
  if (Array.isArray(value)) return value.map((item) => withoutMessages(item, room - 1));
  const made = value.constructor as { toObject?: unknown; isLong?: unknown } | undefined;
  if (typeof made?.isLong === 'function') return exactly(value as Halves);
  if (typeof made?.toObject !== 'function' && (made !== Object || 'toJSON' in value)) return value;
  return objectOf(Object.entries(value).map(([key, item]) => [key, withoutMessages(item, room - 1)]));
}

function isMessage(value: unknown): value is object {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return !(value instanceof Date) && !(value instanceof Uint8Array);
}

function notEncodable(path: string, why: string): LocalUsageError {
  return new LocalUsageError('ERR_NOT_ENCODABLE', `${path}: ${why}`, { path });
}

/** @returns a copy for protobufjs, which knows 64-bit integers only as halves */
function withHalves(value: unknown, path: string): unknown {
  if (typeof value === 'bigint') {
    const half = (bits: bigint) => Number(BigInt.asIntN(32, bits));
    return { low: half(value), high: half(value >> 32n), unsigned: value > 0n };
  }
  if (Array.isArray(value)) return value.map((item, i) => withHalves(item, `${path}[${i}]`));
  // It would be a message without fields.
  if (value instanceof Date) throw notEncodable(path, 'cannot send a date in a message');
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
  // protobufjs would write as they are the bytes in `$unknowns`, which may come from anybody.
  const fields = Object.entries(value).filter(([key]) => key !== '$unknowns');
  return Object.fromEntries(fields.map(([key, item]) => [key, withHalves(item, `${path}.${key}`)]));
}

/** The writer of the protobufjs that the type is of, which may be of another version than ours. */
function writerOf(type: MessageType): typeof Writer {
  try {
    return type.encode({}).constructor as typeof Writer;
  } catch {
    // It has required fields.
    return Writer;
  }
}

/** @returns a writer that throws where its like would write another value than it is given */
function checked(Plain: typeof Writer): typeof Writer {
  class Checked extends Plain {}
  const check = (method: string, test: (value: unknown) => void): void => {
    const methods = Plain.prototype as unknown as Record<string, undefined | ((value: unknown) => Writer)>;
    const write = methods[method];
    if (write === undefined) return;
    (Checked.prototype as unknown as typeof methods)[method] = function (this: Writer, value) {
      test(value);
      return write.call(this, value);
    };
  };
  for (const [name, [least, most]] of Object.entries(ranges)) {
    const test = (value: unknown): void => {
      if (typeof value === 'number' && value >= 0 && value < plainEnd) return;
      const exact = exactly(value as number | string | Halves);
      if (!(exact >= least && exact <= most)) throw new RangeError(`${exact}, and ${name} takes ${least} to ${most}`);
    };
    check(name, test);
    // Of a list, in newer versions.
    check(`${name}s`, (list) => (list as unknown[]).forEach(test));
  }
  check('bytes', (value) => {
    if (!(value instanceof Uint8Array)) throw new TypeError('bytes expected');
  });
  return Checked;
}

/** @param value a text is the key of a map */
function exactly(value: number | string | Halves): number | bigint {
  if (typeof value === 'number') return value;
  if (typeof value === 'string') return BigInt(value);
  const bits = (BigInt(value.high) << 32n) | BigInt(value.low >>> 0);
  return value.unsigned ? BigInt.asUintN(64, bits) : bits;
}

/** @returns where the value is that would arrive as another one; nothing if that cannot be told */
function pathOfChange(type: MessageType, value: object, message: object): string {
  try {
    return change(value, type.toObject!(type.decode(type.encode(message).finish()), shown)) ?? '';
  } catch {
    return '';
  }
}

function change(sent: unknown, arrived: unknown): string | undefined {
  if (arrived === undefined) return undefined;
  if (typeof sent !== 'object' || typeof arrived !== 'object' || sent === null || arrived === null) {
    // A number may arrive as a bigint, or as the float that is next to it.
    // biome-ignore lint/suspicious/noDoubleEquals: of a number and a bigint it compares the values
    return sent == arrived || (Number.isFinite(arrived) && Math.fround(Number(sent)) === arrived) ? undefined : '';
  }
  for (const [key, item] of Object.entries(sent)) {
    const path = change(item, (arrived as Record<string, unknown>)[key]);
    if (path !== undefined) return (Array.isArray(sent) ? `[${key}]` : `.${key}`) + path;
  }
  return undefined;
}

/** Where a field of bytes is absent, protobufjs makes a Node Buffer its default. */
function withPlainBytes(value: unknown): unknown {
  if (typeof value === 'number' && !Number.isFinite(value)) throw undecodable('a number is finite');
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Uint8Array) return value.constructor === Uint8Array ? value : new Uint8Array(value);
  for (const [key, item] of Object.entries(value)) {
    const plain = withPlainBytes(item);
    if (plain !== item) (value as Record<string, unknown>)[key] = plain;
  }
  return value;
}
