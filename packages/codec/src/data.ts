// The data model of docs/PROTOCOL.md §3. One walk tells whether values keep to it and what a codec has to mind in them;
// the path of what does not is put together on the way back from it, so that what does pays nothing for it.
import { LocalUsageError, type Packet, PacketType } from '@halyard/protocol';
import { hasToJson, kindOf, refusalOf } from './foreign';

/** Bounds on a value. Part of protocol v1. */
export const dataLimits = {
  /** Arrays and objects inside each other, counted in each value that user code hands in. */
  depthMax: 64,
} as const;

/** What the walk found, as bits. */
export const Trait = {
  /** Outside the data model, and standing for nothing that is in it. */
  Refused: 1,
  /** JSON has no notation for it, or would mistake it for one of ours. */
  Escaped: 2,
  /** Properties whose value is undefined, which means absent, or bigints. */
  Odd: 4,
  NegativeZero: 8,
  /** Something that only stands for what is of the data model: `madePlain` has to come before the codec. */
  Foreign: 16,
} as const;

const bigintMin = -(2n ** 63n);
const bigintMax = 2n ** 64n - 1n;
export const dollar = 36;

/** Whether UTF-8 can carry the text: no half of a surrogate pair stands alone. */
export const isWellFormed: (text: string) => boolean = /* @__PURE__ */ (() =>
  'isWellFormed' in String.prototype
    ? (text: string) => (text as unknown as { isWellFormed(): boolean }).isWellFormed()
    : (text: string) => !/\p{Cs}/u.test(text))();

export function isBigint64(value: bigint): boolean {
  return value >= bigintMin && value <= bigintMax;
}

/** How much deeper than user code's values the fields that hold them nest, by packet type; 0 for all others. */
const wrapping: readonly (number | undefined)[] = [2, 0, 1, 0, 0, 1, 1];

/** @returns how deep the fields of such a packet may nest, so that user code's values in them may nest `depthMax` deep */
export function fieldDepthMax(type: unknown): number {
  return dataLimits.depthMax + (wrapping[type as PacketType] ?? 0);
}

/** As many as there are of ours in the deepest call. */
const stackFramesMore = 20;

const tooDeep = `more than ${dataLimits.depthMax} levels`;

let path = '';
let reason = '';

/**
 * Checks a packet that is to be encoded.
 * @returns traits of all values together
 * @throws LocalUsageError `ERR_NOT_ENCODABLE`; `details.path` starts with the packet's field, as in `args[0].when`
 */
export function checkPacket(packet: Packet): number {
  const room = fieldDepthMax(packet.type);
  let traits: number;
  if (packet.type === PacketType.Ack) traits = packet.value === undefined ? 0 : survey(packet.value, room);
  else if ('args' in packet) traits = survey(packet.args, room) | survey(packet.event, 0) | survey(packet.namespace, 0);
  else traits = Trait.Refused;
  return traits & Trait.Refused ? checkFields(packet, room) : traits;
}

/** @returns the error, whose stack reaches back to the line of the app: more than the ten frames that it has else lie between */
function notEncodable(path: string, why: string): LocalUsageError {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = stackTraceLimit + stackFramesMore;
  try {
    return new LocalUsageError('ERR_NOT_ENCODABLE', `${path}: cannot send ${why}`, { path });
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

/** The same for every packet, field by field: finds which field it is. */
function checkFields(packet: Packet, room: number): number {
  let traits = 0;
  for (const field in packet) {
    const value: unknown = packet[field as keyof Packet];
    const found = value === undefined ? 0 : survey(value, room);
    if ((found & Trait.Refused) === 0) traits |= found;
    else if (Object.hasOwn(packet, field)) {
      path = field + path;
      throw notEncodable(path, reason);
    }
  }
  return traits;
}

/**
 * @param room how deep the value may nest
 * @returns its traits; after `Refused` the rest is not looked at
 */
export function survey(value: unknown, room: number): number {
  switch (typeof value) {
    case 'string':
      return isWellFormed(value) ? 0 : refuse('half a surrogate pair');
    case 'number':
      if (value === 0) return 1 / value < 0 ? Trait.NegativeZero | Trait.Escaped : 0;
      return Number.isFinite(value) ? 0 : refuse(`${value}`);
    case 'boolean':
      return 0;
    case 'bigint':
      return isBigint64(value) ? Trait.Odd | Trait.Escaped : refuse('more than 64 bits');
    case 'object':
      return value === null ? 0 : surveyObject(value, room);
    case 'function':
      return refuse('function: send what it returns');
    default:
      return refuse(typeof value);
  }
}

function surveyObject(value: object, room: number): number {
  if (Array.isArray(value)) return room === 0 ? refuse(tooDeep) : surveyArray(value, room - 1);
  const prototype = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) {
    return room === 0 ? refuse(tooDeep) : surveyPlain(value as Record<string, unknown>, room - 1);
  }
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? refuse(`${value}`) : Trait.Escaped;
  if (value instanceof Uint8Array) return Trait.Escaped;
  return kindOf(value) === undefined ? refuse(refusalOf(value)) : Trait.Foreign;
}

function surveyArray(list: readonly unknown[], room: number): number {
  if (hasToJson(list)) return Trait.Foreign;
  let traits = 0;
  for (let i = 0; i < list.length; i++) {
    traits |= survey(list[i], room);
    if (traits & Trait.Refused) {
      path = `[${i}]${path}`;
      break;
    }
  }
  return traits;
}

function surveyPlain(object: Record<string, unknown>, room: number): number {
  if (hasToJson(object)) return Trait.Foreign;
  let traits = 0;
  for (const key in object) {
    const item = object[key];
    if (key.charCodeAt(0) === dollar) traits |= Trait.Escaped;
    const found = item === undefined ? Trait.Odd : survey(key, 0) | survey(item, room);
    if ((found & Trait.Refused) === 0) traits |= found;
    // What a prototype was made to hold is not sent, so it is not refused either.
    else if (Object.hasOwn(object, key)) {
      path = `.${key}${path}`;
      return found;
    }
  }
  return traits;
}

function refuse(why: string): number {
  path = '';
  reason = why;
  return Trait.Refused;
}
