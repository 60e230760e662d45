// Packets as tuples, the form that json and msgpack write, and back: every arriving packet is validated here
// (docs/PROTOCOL.md §4). Whatever comes in, a packet or a RemoteProtocolError comes out.
import { assertNever, RemoteProtocolError } from './errors';
import { packetLimits, type SessionSettings } from './limits';
import { type NamespaceRequest, type Packet, PacketType, type Position, type ResumeRequest } from './packet';
import type { Value } from './value';

/** A packet as an array: its type, then its fields in the order of docs/PROTOCOL.md §4. */
export type Tuple = readonly unknown[];

const settingNames = [
  'heartbeatMs',
  'heartbeatTimeoutMs',
  'recoveryWindowMs',
  'frameBytesMax',
  'sackPacketsMax',
  'sackDelayMs',
] as const satisfies readonly (keyof SessionSettings)[];

/** @returns the packet's tuple; absent last fields are left out */
export function toTuple(packet: Packet): Tuple {
  switch (packet.type) {
    case PacketType.Event:
      return packet.ack === undefined
        ? [packet.type, packet.namespace, packet.event, packet.args]
        : [packet.type, packet.namespace, packet.event, packet.args, packet.ack];
    case PacketType.Ack:
      return packet.value === undefined ? [packet.type, packet.ack] : [packet.type, packet.ack, packet.value];
    case PacketType.Publish:
      return [packet.type, packet.namespace, packet.positions.flat(), packet.event, packet.args];
    case PacketType.Volatile:
      return [packet.type, packet.namespace, packet.event, packet.args];
    case PacketType.Sack:
      return [packet.type, packet.received];
    case PacketType.Ping:
    case PacketType.Pong:
      return packet.received === undefined ? [packet.type] : [packet.type, packet.received];
    case PacketType.Error:
      return withLast([packet.type, packet.ack, packet.code, packet.message], packet.data);
    case PacketType.Connect:
      return withLast([packet.type, packet.namespace], packet.auth);
    case PacketType.Connected:
      return [packet.type, packet.namespace, packet.id];
    case PacketType.Refused:
      return withLast([packet.type, packet.namespace, packet.code, packet.message], packet.data);
    case PacketType.Disconnect:
      return [packet.type, packet.namespace, packet.reason];
    case PacketType.Reset:
      return [packet.type];
    case PacketType.Hello: {
      const namespaces = packet.namespaces.map(({ namespace, auth }) => withLast([namespace], auth));
      const { resume, token, generation } = packet;
      const tuple: unknown[] = [packet.type, namespaces, packet.client];
      if (resume !== undefined || token !== '' || generation !== 0) {
        tuple.push(
          resume === undefined
            ? null
            : [resume.session, resume.secret, resume.received, resume.confirmed, resume.positions.flat()],
        );
      }
      if (token !== '' || generation !== 0) tuple.push(token);
      if (generation !== 0) tuple.push(generation);
      return tuple;
    }
    case PacketType.Welcome:
      return [
        packet.type,
        packet.session,
        packet.secret,
        settingNames.map((name) => packet.settings[name]),
        packet.received,
        packet.recovered,
        packet.reason,
      ];
    default:
      return assertNever(packet);
  }
}

/**
 * Validates what a codec decoded.
 * @throws RemoteProtocolError `ERR_PACKET_SHAPE` or `ERR_PACKET_TYPE`, with the rule that was broken
 */
export function fromTuple(input: unknown): Packet {
  if (!Array.isArray(input)) throw shape('a packet is an array');
  const tuple: readonly unknown[] = input;
  const type = tuple[0];
  switch (type) {
    case PacketType.Event:
      return {
        type,
        namespace: name(tuple[1], 'namespace'),
        event: name(tuple[2], 'event'),
        args: list(tuple[3], 'args') as readonly Value[],
        ack: tuple[4] == null ? undefined : ackNumber(tuple[4]),
      };
    case PacketType.Ack:
      return { type, ack: ackNumber(tuple[1]), value: tuple[2] as Value | undefined };
    case PacketType.Publish:
      return {
        type,
        namespace: name(tuple[1], 'namespace'),
        positions: positions(tuple[2], packetLimits.publishLogsMax),
        event: name(tuple[3], 'event'),
        args: list(tuple[4], 'args') as readonly Value[],
      };
    case PacketType.Volatile:
      return {
        type,
        namespace: name(tuple[1], 'namespace'),
        event: name(tuple[2], 'event'),
        args: list(tuple[3], 'args') as readonly Value[],
      };
    case PacketType.Sack:
      return { type, received: count(tuple[1], 'received') };
    case PacketType.Ping:
    case PacketType.Pong:
      return { type, received: tuple[1] == null ? undefined : count(tuple[1], 'received') };
    case PacketType.Error:
      return { type, ack: ackNumber(tuple[1]), ...failure(tuple) };
    case PacketType.Connect:
      return { type, namespace: namespaceName(tuple[1]), auth: tuple[2] as Value | undefined };
    case PacketType.Connected:
      return { type, namespace: namespaceName(tuple[1]), id: name(tuple[2], 'id') };
    case PacketType.Refused:
      return { type, namespace: namespaceName(tuple[1]), ...failure(tuple) };
    case PacketType.Disconnect:
      return { type, namespace: namespaceName(tuple[1]), reason: text(tuple[2] ?? '', 'reason') };
    case PacketType.Reset:
      return { type };
    case PacketType.Hello:
      return {
        type,
        namespaces: namespaces(tuple[1] ?? [['/']]),
        client: text(tuple[2] ?? '', 'client'),
        resume: tuple[3] == null ? undefined : resume(tuple[3]),
        token: token(tuple[4] ?? ''),
        generation: count(tuple[5] ?? 0, 'generation'),
      };
    case PacketType.Welcome:
      return {
        type,
        session: name(tuple[1], 'session'),
        secret: name(tuple[2], 'secret'),
        settings: settings(tuple[3]),
        received: count(tuple[4], 'received'),
        recovered: flag(tuple[5], 'recovered'),
        reason: text(tuple[6] ?? '', 'reason'),
      };
    default:
      throw new RemoteProtocolError(
        'ERR_PACKET_TYPE',
        `unknown packet type ${typeof type === 'number' ? type : typeof type}`,
      );
  }
}

/** @throws RemoteProtocolError unless `value` is a namespace's name: `/` and then 0 to 255 characters */
export function namespaceName(value: unknown): string {
  const text = name(value, 'namespace');
  if (text[0] !== '/') throw shape('namespace: starts with "/"');
  return text;
}

function withLast(tuple: unknown[], last: unknown): Tuple {
  if (last !== undefined) tuple.push(last);
  return tuple;
}

function shape(rule: string): RemoteProtocolError {
  return new RemoteProtocolError('ERR_PACKET_SHAPE', rule);
}

function name(value: unknown, field: string): string {
  if (typeof value === 'string' && value.length > 0 && value.length <= packetLimits.nameCharsMax) return value;
  throw shape(`${field}: text of 1 to ${packetLimits.nameCharsMax} characters`);
}

function text(value: unknown, field: string): string {
  if (typeof value === 'string' && value.length <= packetLimits.reasonCharsMax) return value;
  throw shape(`${field}: text of at most ${packetLimits.reasonCharsMax} characters`);
}

function count(value: unknown, field: string): number {
  if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number;
  throw shape(`${field}: a whole number from 0`);
}

function ackNumber(value: unknown): number {
  if (Number.isSafeInteger(value) && (value as number) > 0) return value as number;
  throw shape('ack: a whole number from 1');
}

function token(value: unknown): string {
  const { nameCharsMax, tokenCharsMin } = packetLimits;
  if (value === '' || (typeof value === 'string' && value.length >= tokenCharsMin && value.length <= nameCharsMax)) {
    return value;
  }
  throw shape(`token: text of ${tokenCharsMin} to ${nameCharsMax} characters, or none`);
}

function flag(value: unknown, field: string): boolean {
  if (typeof value === 'boolean') return value;
  throw shape(`${field}: true or false`);
}

function list(value: unknown, field: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw shape(`${field}: an array`);
}

function failure(tuple: Tuple): { code: string; message: string; data: Value | undefined } {
  return { code: name(tuple[2], 'code'), message: text(tuple[3], 'message'), data: tuple[4] as Value | undefined };
}

function positions(value: unknown, logsMax: number): Position[] {
  const flat = list(value, 'positions');
  if (flat.length % 2 !== 0 || flat.length > logsMax * 2) throw shape(`positions: at most ${logsMax} pairs`);
  const result: Position[] = [];
  for (let i = 0; i < flat.length; i += 2) result.push([name(flat[i], 'log'), count(flat[i + 1], 'offset')]);
  return result;
}

function namespaces(value: unknown): NamespaceRequest[] {
  const entries = list(value, 'namespaces');
  const { helloNamespacesMax } = packetLimits;
  if (entries.length > helloNamespacesMax) throw shape(`namespaces: at most ${helloNamespacesMax}`);
  return entries.map((entry) => {
    const pair = list(entry, 'namespaces[]');
    return { namespace: namespaceName(pair[0]), auth: pair[1] as Value | undefined };
  });
}

function resume(value: unknown): ResumeRequest {
  const fields = list(value, 'resume');
  return {
    session: name(fields[0], 'session'),
    secret: name(fields[1], 'secret'),
    received: count(fields[2], 'received'),
    confirmed: count(fields[3], 'confirmed'),
    positions: positions(fields[4] ?? [], packetLimits.helloPositionsMax),
  };
}

function settings(value: unknown): SessionSettings {
  const fields = list(value, 'settings');
  return Object.fromEntries(settingNames.map((key, i) => [key, setting(fields[i], key)])) as unknown as SessionSettings;
}

function setting(value: unknown, field: string): number {
  if (count(value, field) <= packetLimits.settingMax) return value as number;
  throw shape(`${field}: at most ${packetLimits.settingMax}`);
}
