// The whole state of a session as one plain value: what another server needs to go on with it. Timers, cursors, promises and
// the positions, which HELLO brings, are not in it; nor is when it ends, which the store knows. It is stored in parts.
import { createHash } from 'node:crypto';
import type { Codec } from '@halyard/codec';
import { type Frame, PacketType, type SessionSettings, type StreamCounts, type Value } from '@halyard/protocol';
import type { RecordParts } from '../store/store';
import type { MailRecord } from './mailbox';
import { faultOf, type Shape } from './record-shape';

/** A socket's time in a room. */
export interface MembershipRecord {
  readonly room: string;
  /** Id of the room's log. */
  readonly epoch: string;
  /** Offsets and stamps as in `Membership`; -1 in place of infinity. */
  readonly from: number;
  readonly to: number;
  readonly read: number;
  readonly since: number;
  readonly until: number;
  /** Parts of the record that say where it begins, with the id of the log, and where it ends; empty if that is said here. */
  readonly begins: string;
  readonly ends: string;
}

/** What is still to be read for a socket that the server has ended. */
export interface LeftRecord {
  readonly id: string;
  readonly namespace: string;
  readonly memberships: readonly MembershipRecord[];
}

/** The request that opened the connection a socket came over. */
export interface PeerRecord {
  readonly transport: string;
  readonly address: string;
  readonly secure: boolean;
  readonly headers: readonly string[];
  readonly url: string;
  /** When the namespace was asked for, in milliseconds since 1970. */
  readonly time: number;
}

export interface PresenceRecord {
  readonly id: string;
  readonly namespace: string;
  /** What the client presented, and the app's own `data`: each encoded by itself. */
  readonly auth: Frame;
  readonly data: Frame;
  readonly peer: PeerRecord;
  /** When `auth` ends, in milliseconds since 1970; not there if it does not. */
  readonly expiresAt?: number | undefined;
  /** The namespace as a whole first, then its rooms, then those it has left and perhaps not read to the end. */
  readonly memberships: readonly MembershipRecord[];
}

/** A namespace that has not decided: it is asked again. */
export interface PendingRecord {
  readonly namespace: string;
  readonly peer: PeerRecord;
  readonly auth: Frame;
}

/** What seldom changes. */
export interface IdentityRecord {
  readonly id: string;
  /** SHA-256 of the secret; of the token, or empty once the client is known to have been told of the session. */
  readonly secret: Uint8Array;
  readonly token: Uint8Array;
  /** Namespaces that the HELLO with the token listed. */
  readonly listed: readonly string[];
  /** Name of its codec. */
  readonly codec: string;
  readonly client: string;
}

/** What changes with everything that is said. */
export interface CountsRecord extends StreamCounts {
  readonly generation: number;
  readonly refusal: string;
  /** Letters up to this one are taken. */
  readonly mail: MailRecord;
  /** Whether memberships were forgotten that the client may not have read to the end. */
  readonly forgotten: boolean;
}

export interface SessionRecord {
  readonly identity: IdentityRecord;
  readonly counts: CountsRecord;
  /** What the client has not confirmed, each with its stamp. */
  readonly frames: readonly (readonly [frame: Frame, stamp: number])[];
  readonly presences: readonly PresenceRecord[];
  readonly left: readonly LeftRecord[];
  readonly pending: readonly PendingRecord[];
}

const membership: Shape = {
  fields: {
    room: 'text',
    epoch: 'text',
    from: 'count',
    to: 'stamp',
    read: 'count',
    since: 'stamp',
    until: 'stamp',
    begins: 'text',
    ends: 'text',
  },
};
const memberships: Shape = { list: membership };
const peer: Shape = {
  fields: {
    ...{ transport: 'text', address: 'text', secure: 'flag', headers: { list: 'text' } },
    ...{ url: 'text', time: 'stamp' },
  },
};

export { peer as peerShape };

/** Of the parts that every record has. */
const shapes: Readonly<Record<'identity' | 'counts' | 'left' | 'pending', Shape>> = {
  identity: {
    fields: {
      id: 'text',
      secret: 'bytes',
      token: 'bytes',
      listed: { list: 'text' },
      codec: 'text',
      client: 'text',
    },
  },
  counts: {
    fields: {
      received: 'count',
      settled: { list: 'count' },
      owed: { list: { tuple: ['count', 'count'] } },
      sent: 'count',
      confirmed: 'count',
      asked: 'count',
      generation: 'count',
      refusal: 'text',
      mail: {
        fields: {
          ...{ number: 'count', node: 'text', stamp: 'stamp', known: { list: 'text' } },
          floors: { list: { tuple: ['text', 'stamp'] } },
        },
      },
      forgotten: 'flag',
    },
  },
  left: { list: { fields: { id: 'text', namespace: 'text', memberships } } },
  pending: { list: { fields: { namespace: 'text', auth: 'frame', peer } } },
};
const frameShape: Shape = { tuple: ['frame', 'stamp'] };
/** A server that does not know `expiresAt` refuses a record that has it, as it has to: it would not enforce it. */
const socketShape: Shape = {
  fields: {
    ...{ id: 'text', namespace: 'text', auth: 'frame', peer, memberships },
    expiresAt: { optional: 'stamp' },
  },
};

/** Of the layout: a record of another one is refused. */
export const recordVersion = 7;

/** A record that is not what is written. */
export class RecordError extends Error {
  override readonly name = 'RecordError';
}

// The parts of a record, by name: one for each field of it that is no list of frames or sockets, and with these prefixes
// one for each of those. `data` is apart from its socket, because only the app knows when it changes.
export const framePart = (number: number): string => `frame ${number}`;
export const socketPart = (id: string): string => `socket ${id}`;
export const dataPart = (id: string): string => `data ${id}`;
/** What the store has written: where a log was. */
export const topPart = (id: number): string => `top ${id}`;

/** @throws RecordError that says what is wrong with it */
export function decodeRecord(parts: RecordParts, codec: Codec): SessionRecord {
  const version = read(parts, 'version', codec);
  if (version !== recordVersion) throw new RecordError(`a record of version ${String(version)}, not ${recordVersion}`);
  const checked = (name: string, shape: Shape): unknown => {
    const value = read(parts, name, codec);
    const fault = faultOf(value, shape, name);
    if (fault !== undefined) throw new RecordError(fault);
    return value;
  };
  const identity = checked('identity', shapes.identity) as IdentityRecord;
  const counts = checked('counts', shapes.counts) as CountsRecord;
  const left: LeftRecord[] = [];
  const pending = checked('pending', shapes.pending) as readonly PendingRecord[];
  const tops = new Set<string>();
  const placed = (membership: MembershipRecord): MembershipRecord => {
    const { begins, ends, ...span } = membership;
    const [epoch, from] = begins === '' ? [span.epoch, span.from] : readTop(parts, begins, tops);
    const read = Math.max(span.read, from);
    const [endEpoch, to] = ends === '' ? [epoch, span.to] : readTop(parts, ends, tops);
    // By then the store had lost some of the log: where in this epoch that was, nobody knows.
    if (endEpoch !== epoch) return { ...span, epoch, from, to: -1, read, begins: '', ends: '' };
    return { ...span, epoch, from, to, read, begins: '', ends: '' };
  };
  for (const record of checked('left', shapes.left) as readonly LeftRecord[]) {
    left.push({ ...record, memberships: record.memberships.map(placed) });
  }
  const frames: SessionRecord['frames'][number][] = [];
  for (let number = counts.confirmed + 1; number <= counts.sent; number++) {
    frames.push(checked(framePart(number), frameShape) as readonly [Frame, number]);
  }
  const presences: PresenceRecord[] = [];
  for (const name of parts.keys()) {
    if (!name.startsWith(socketPart(''))) continue;
    const socket = checked(name, socketShape) as Omit<PresenceRecord, 'data'>;
    const data = parts.get(dataPart(socket.id));
    if (name !== socketPart(socket.id) || data === undefined) throw new RecordError(`${name} has no data`);
    const [whole] = socket.memberships;
    if (whole?.room !== '' || whole.until >= 0) throw new RecordError(`socket ${socket.id} is not in its namespace`);
    for (const frame of [socket.auth, data]) decodeValue(frame, codec);
    presences.push({ ...socket, memberships: socket.memberships.map(placed), data });
  }
  for (const { auth } of pending) decodeValue(auth, codec);
  for (const { id, memberships } of left) {
    if (memberships.some(({ until }) => until < 0)) throw new RecordError(`socket ${id} has ended, and is in a room`);
  }
  // The version, a part for each shape, one for each frame, two for each socket, and what the store has written.
  const known = 1 + Object.keys(shapes).length + frames.length + presences.length * 2 + tops.size;
  if (parts.size > known) throw new RecordError(`${parts.size} parts, of which ${known} belong together`);
  return { identity, counts, frames, presences, left, pending };
}

function readTop(parts: RecordParts, name: string, known: Set<string>): readonly [epoch: string, offset: number] {
  const [, epoch, offset] = /^(\S+) (\d{1,15})$/.exec(String(parts.get(name))) ?? [];
  if (epoch === undefined) throw new RecordError(`${name} does not say where a log is`);
  known.add(name);
  return [epoch, Number(offset)];
}

function read(parts: RecordParts, name: string, codec: Codec): Value | undefined {
  const part = parts.get(name);
  if (part === undefined) throw new RecordError(`${name} is not there`);
  return decodeValue(part, codec);
}

export const noHash = new Uint8Array();

/** @returns SHA-256 of a secret text */
export function hashOf(text: string): Uint8Array {
  return new Uint8Array(createHash('sha256').update(text).digest());
}

/** A value by itself, as a reply would carry it. @throws LocalUsageError `ERR_NOT_ENCODABLE` with its path */
export function encodeValue(value: Value | undefined, codec: Codec): Frame {
  return codec.encode({ type: PacketType.Ack, ack: 1, value });
}

/** An event by itself, as a list of its name and arguments. @throws LocalUsageError `ERR_NOT_ENCODABLE` with the path that `emit` would tell */
export function encodeEvent(event: string, args: readonly Value[], codec: Codec): Frame {
  try {
    return encodeValue([event, ...args], codec);
  } catch (error) {
    codec.encode({ type: PacketType.Volatile, namespace: '/', event, args });
    throw error;
  }
}

/** Longer than a session that nobody comes back to, so that its own node ends it while that lives. */
const keptSlackMs = 30_000;

/** @returns how long a record is kept in the store while nobody writes it: that is done when its client has answered a PING, too */
export function keptMsOf({ recoveryWindowMs, heartbeatMs, heartbeatTimeoutMs }: SessionSettings): number {
  return recoveryWindowMs + heartbeatMs + heartbeatTimeoutMs + keptSlackMs;
}

/** @throws RecordError */
export function decodeValue(frame: Frame, codec: Codec): Value | undefined {
  try {
    const packet = codec.decode(frame);
    if (packet.type === PacketType.Ack) return packet.value;
  } catch (error) {
    throw new RecordError(error instanceof Error ? error.message : String(error));
  }
  throw new RecordError('not a value by itself');
}
