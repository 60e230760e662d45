// Packets as tuples, the form that json and msgpack write, and back, by one table of docs/PROTOCOL.md §4. Every arriving
// packet is validated here: whatever comes in, a packet or a RemoteProtocolError comes out.
import { RemoteProtocolError } from './errors';
import { packetLimits, type SessionSettings } from './limits';
import type {
  HeartbeatPacket,
  NamespaceRequest,
  NumberRanges,
  Packet,
  PacketType,
  Position,
  ResumeRequest,
} from './packet';
import type { Value } from './value';

/** A packet as an array: its type, then its fields in the order of docs/PROTOCOL.md §4. */
export type Tuple = readonly unknown[];

/** What a field may be. */
interface Kind<T> {
  /** @returns the field from what was decoded. @throws RemoteProtocolError `ERR_PACKET_SHAPE` that names `field` */
  (value: unknown, field: string): T;
  /** The other way, where it is not the value itself. */
  write?(value: T): unknown;
}

/** The kinds of an object's fields, in their order. */
type Layout<T> = { readonly [Field in Exclude<keyof T, 'type'>]-?: Kind<T[Field]> };

function shape(field: string, rule: string): RemoteProtocolError {
  return new RemoteProtocolError('ERR_PACKET_SHAPE', `${field}: ${rule}`);
}

/** A value that passes a test. */
function tested<T>(test: (value: never) => unknown, rule: string): Kind<T> {
  return (value, field) => {
    if (test(value as never)) return value as T;
    throw shape(field, rule);
  };
}

function textOf(min: number, max: number): Kind<string> {
  return tested(
    (value: unknown) => typeof value === 'string' && value.length >= min && value.length <= max,
    `text of ${min} to ${max} characters`,
  );
}

function wholeNumber(min: number, max = Number.MAX_SAFE_INTEGER): Kind<number> {
  return tested(
    (value: number) => Number.isInteger(value) && value >= min && value <= max,
    `a whole number from ${min} to ${max}`,
  );
}

/** A kind that is written otherwise than as it is. */
function written<T>(read: Kind<T>, write: Kind<T>['write']): Kind<T> {
  return Object.assign(read, { write });
}

/** Null, and left out, is `absent`. */
function optional<T, A = undefined>(kind: Kind<T>, absent?: A): Kind<T | A> {
  return written<T | A>(
    (value, field) => (value == null ? (absent as A) : kind(value, field)),
    kind.write as Kind<T | A>['write'],
  );
}

/** An object as a tuple of its own. */
function nested<T extends object>(layout: Layout<T>): Kind<T> {
  return written<T>(
    (value, field) => readFields({}, layout, list(value, field), 0) as T,
    (object) => writeFields([], layout, object),
  );
}

/** Pairs, one behind the other. @param max Infinity: as many as a frame can hold */
function positionsOf(max: number): Kind<readonly Position[]> {
  return written<readonly Position[]>(
    (value, field) => {
      const flat = list(value, field);
      if (flat.length % 2 || flat.length > max * 2)
        throw shape(field, max < Infinity ? `at most ${max} pairs` : 'pairs');
      const pairs: Position[] = [];
      for (let i = 0; i < flat.length; i += 2) pairs.push([name(flat[i], 'log'), count(flat[i + 1], 'offset')]);
      return pairs;
    },
    (pairs) => pairs.flat(),
  );
}

const anything: Kind<Value | undefined> = (value) => value as Value | undefined;
// Not taken apart: a minifier writes each limit where it is used.
const name = textOf(1, packetLimits.nameCharsMax);
const namespace: Kind<string> = tested((value) => name(value, 'namespace')[0] === '/', 'starts with "/"');
const text = textOf(0, packetLimits.reasonCharsMax);
const token: Kind<string> = textOf(packetLimits.tokenCharsMin, packetLimits.nameCharsMax);
const count = wholeNumber(0);
const ack = wholeNumber(1);
const setting = wholeNumber(0, packetLimits.settingMax);
const list: Kind<readonly unknown[]> = tested(Array.isArray, 'an array');
const args = list as Kind<readonly Value[]>;
const ranges: Kind<NumberRanges | undefined> = optional(
  tested(
    (value: number[]) =>
      Array.isArray(value) &&
      value.length <= packetLimits.settledRangesMax * 2 &&
      !(value.length % 2) &&
      // The last of a range may be its first; the first of the next one has a gap before it.
      value.every((number, i) => Number.isSafeInteger(number) && number >= (i ? value[i - 1]! + (i % 2 ? 0 : 2) : 1)),
    `at most ${packetLimits.settledRangesMax} ranges, ascending`,
  ),
  undefined,
);
/** No ranges are as none. */
const settled: typeof ranges = (value, field) => {
  const found = ranges(value, field);
  return found?.length ? found : undefined;
};
const request = nested<NamespaceRequest>({ namespace, auth: anything });
const requests = written<readonly NamespaceRequest[]>(
  (value, field) => {
    const items = list(value, field);
    if (items.length > packetLimits.helloNamespacesMax)
      throw shape(field, `at most ${packetLimits.helloNamespacesMax}`);
    return items.map((item) => request(item, field));
  },
  (items) => items.map(request.write!),
);

const heartbeat: Layout<HeartbeatPacket> = { received: optional(count), settled };
const event = { namespace: name, event: name, args };
const failure = { code: name, message: text, data: anything };

type Layouts = { readonly [Type in PacketType]: Layout<Extract<Packet, { type: Type }>> };

// In the order of their numbers: keys would only make it longer.
const layouts: Layouts = Object.assign<Omit<Layouts, 64>, Pick<Layouts, 64>>(
  [
    // Hello
    {
      namespaces: optional(requests, [{ namespace: '/', auth: undefined }]),
      client: optional(text, ''),
      resume: optional(
        nested<ResumeRequest>({
          session: name,
          secret: name,
          received: count,
          confirmed: count,
          positions: optional(positionsOf(Infinity), []),
          settled,
        }),
        undefined,
      ),
      token: (value, field) => (value == null || value === '' ? '' : token(value, field)),
      generation: optional(count, 0),
      left: optional(count, 0),
    },
    // Welcome
    {
      session: name,
      secret: name,
      settings: nested<SessionSettings>({
        heartbeatMs: setting,
        heartbeatTimeoutMs: setting,
        recoveryWindowMs: setting,
        frameBytesMax: setting,
        sackPacketsMax: setting,
        sackDelayMs: setting,
        windowPacketsMax: setting,
        windowBytesMax: setting,
        sentFrameBytesMax: optional(setting),
      }),
      received: count,
      recovered: tested((value) => typeof value === 'boolean', 'true or false'),
      reason: optional(text, ''),
      settled,
    },
    // Event
    { ...event, ack: optional(ack) },
    // Ack
    { ack, value: anything },
    // Error
    { ack, ...failure },
    // Publish
    { namespace: name, positions: positionsOf(packetLimits.publishLogsMax), event: name, args },
    // Volatile
    event,
    // Sack
    { received: count, settled },
    // Ping
    heartbeat as never,
    // Pong
    heartbeat as never,
    // Connect
    { namespace, auth: anything },
    // Connected
    { namespace, id: name, renewMs: optional(setting) },
    // Refused
    { namespace, ...failure },
    // Disconnect
    { namespace, reason: optional(text, '') },
    // Reset
    {},
    // Renew
    { namespace, auth: optional(anything), ack },
  ],
  // Drain
  { 64: { afterMs: setting, url: optional(text, '') } },
);

type Fields = Record<string, unknown>;

// Own fields only, whatever an application did to Object.prototype.
const fieldsOf = (layout: object): [field: string, kind: Kind<unknown>][] => Object.entries(layout);

/** @param at where the first field is */
function readFields(target: Fields, layout: object, tuple: readonly unknown[], at: number): Fields {
  for (const [field, read] of fieldsOf(layout)) target[field] = read(tuple[at++], field);
  return target;
}

/** Absent last fields are left out. */
function writeFields(tuple: unknown[], layout: object, source: object): unknown[] {
  let { length } = tuple;
  for (const [field, { write }] of fieldsOf(layout)) {
    const value = (source as Fields)[field];
    tuple.push(value === undefined ? null : write ? write(value) : value);
    if (value !== undefined) length = tuple.length;
  }
  tuple.length = length;
  return tuple;
}

/** @returns the packet's tuple; absent last fields are left out */
export function toTuple(packet: Packet): Tuple {
  return writeFields([packet.type], layouts[packet.type as PacketType], packet);
}

/**
 * Validates what a codec decoded.
 * @throws RemoteProtocolError `ERR_PACKET_SHAPE` or `ERR_PACKET_TYPE`, with the rule that was broken
 */
export function fromTuple(input: unknown): Packet {
  const tuple = list(input, 'packet');
  const type = tuple[0];
  try {
    const layout = typeof type === 'number' && layouts[type as PacketType];
    if (!layout)
      throw new RemoteProtocolError(
        'ERR_PACKET_TYPE',
        `unknown packet type ${typeof type === 'number' ? type : typeof type}`,
      );
    // Plus zero, because −0 is a type's number too.
    return readFields({ type: (type as number) + 0 }, layout, tuple, 1) as unknown as Packet;
  } catch (error) {
    if (
      Number.isInteger(type) &&
      (type as number) >= packetLimits.hintTypeMin &&
      (type as number) <= packetLimits.hintTypeMax
    )
      return { type: 'hint' };
    throw error;
  }
}

/** @throws RemoteProtocolError unless `value` is a namespace's name: `/` and then 0 to 255 characters */
export function namespaceName(value: unknown): string {
  return namespace(value, 'namespace');
}
