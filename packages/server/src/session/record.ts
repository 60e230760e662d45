// The whole state of a session as one plain value: what another server needs to go on with it. Timers, cursors, promises and
// the positions, which HELLO brings, are not in it; nor is when it ends, which the store knows.
import { createHash } from 'node:crypto';
import type { Codec } from '@halyard/codec';
import { type Frame, PacketType, type StreamState, type Value } from '@halyard/protocol';
import { faultOf, type Shape } from './record-shape';

/** A socket's time in a room. */
export interface MembershipRecord {
  readonly room: string;
  /** Id of the room's log. */
  readonly epoch: string;
  /** Offsets and stamps as in `Membership`; -1 in place of infinity. */
  readonly from: number;
  readonly to: number;
  readonly since: number;
  readonly until: number;
  readonly newest: number;
}

/** What is still to be read for a socket that the server has ended. */
export interface LeftRecord {
  readonly id: string;
  readonly namespace: string;
  /** When that was. */
  readonly stamp: number;
  readonly memberships: readonly MembershipRecord[];
}

/** The request that opened the connection a socket came over. */
export interface PeerRecord {
  readonly transport: string;
  readonly address: string;
  readonly secure: boolean;
  readonly headers: readonly string[];
}

export interface PresenceRecord {
  readonly id: string;
  readonly namespace: string;
  /** What the client presented, and the app's own `data`: each encoded by itself. */
  readonly auth: Frame;
  readonly data: Frame;
  readonly peer: PeerRecord;
  /** The namespace as a whole first, then its rooms, then those it has left and perhaps not read to the end. */
  readonly memberships: readonly MembershipRecord[];
}

/** A namespace that has not decided: it is asked again. */
export interface PendingRecord {
  readonly namespace: string;
  readonly peer: PeerRecord;
  readonly auth: Frame;
}

export interface SessionRecord {
  readonly id: string;
  /** SHA-256 of the secret; of the token, or empty once the client is known to have been told of the session. */
  readonly secret: Uint8Array;
  readonly token: Uint8Array;
  /** Namespaces that the HELLO with the token listed. */
  readonly listed: readonly string[];
  /** Name of its codec. */
  readonly codec: string;
  readonly client: string;
  readonly generation: number;
  readonly refusal: string;
  readonly stream: StreamState<Frame>;
  /** Stamp up to which memberships were forgotten. */
  readonly forgotten: number;
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
    since: 'stamp',
    until: 'stamp',
    newest: 'stamp',
  },
};
const memberships: Shape = { list: membership };
const peer: Shape = { fields: { transport: 'text', address: 'text', secure: 'flag', headers: { list: 'text' } } };

const shape: Shape = {
  fields: {
    id: 'text',
    secret: 'bytes',
    token: 'bytes',
    listed: { list: 'text' },
    codec: 'text',
    client: 'text',
    generation: 'count',
    refusal: 'text',
    stream: {
      fields: {
        received: 'count',
        settled: { list: 'count' },
        owed: { list: 'count' },
        confirmed: 'count',
        frames: { list: { tuple: ['frame', 'stamp'] } },
        asked: 'count',
        confirmedStamp: 'stamp',
      },
    },
    forgotten: 'stamp',
    presences: {
      list: {
        fields: { id: 'text', namespace: 'text', auth: 'frame', data: 'frame', peer, memberships },
      },
    },
    left: { list: { fields: { id: 'text', namespace: 'text', stamp: 'stamp', memberships } } },
    pending: { list: { fields: { namespace: 'text', auth: 'frame', peer } } },
  },
};

/** Of the layout: a record of another one is refused. */
export const recordVersion = 1;

/** A record that is not what `encodeRecord` writes. */
export class RecordError extends Error {
  override readonly name = 'RecordError';
}

/** @returns the record as bytes or text of a codec */
export function encodeRecord(record: SessionRecord, codec: Codec): Frame {
  return encodeValue([recordVersion, record as unknown as Value], codec);
}

/** @throws RecordError that says what is wrong with it */
export function decodeRecord(frame: Frame, codec: Codec): SessionRecord {
  const value = decodeValue(frame, codec);
  if (!Array.isArray(value) || value.length !== 2) throw new RecordError('a record is its version and its fields');
  const [version, fields] = value;
  if (version !== recordVersion) throw new RecordError(`a record of version ${String(version)}, not ${recordVersion}`);
  const fault = faultOf(fields, shape, 'record');
  if (fault !== undefined) throw new RecordError(fault);
  const record = fields as unknown as SessionRecord;
  for (const { id, memberships } of record.presences) {
    const [whole] = memberships;
    if (whole?.room !== '' || whole.until >= 0) throw new RecordError(`socket ${id} is not in its namespace`);
  }
  for (const { id, memberships } of record.left) {
    if (memberships.some(({ until }) => until < 0)) throw new RecordError(`socket ${id} has ended, and is in a room`);
  }
  return record;
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
