// What one node sends to a socket of another: an event, and by which of its rooms the socket may get it in another way.
import type { Codec } from '@halyard/codec';
import { type Frame, PacketType, type Value } from '@halyard/protocol';
import { decodeValue, encodeValue, RecordError } from './record';
import { faultOf, type Shape } from './record-shape';

export interface EventLetter {
  /** Id of the socket. */
  readonly socket: string;
  readonly namespace: string;
  readonly event: string;
  readonly args: readonly Value[];
  /** Who was in one of these rooms gets it by that room's log. */
  readonly rooms: readonly string[];
  /** Rooms and sockets that it is not for. */
  readonly except: readonly string[];
}

/** What the app says of a socket's rooms where it has been. */
export interface PlaceLetter {
  /** Id of the socket. */
  readonly socket: string;
  readonly namespace: string;
  /** Whether it joins them, or leaves them. */
  readonly isIn: boolean;
  readonly rooms: readonly string[];
}

/** The app has sent a socket out where it has been. */
export interface OutLetter {
  /** Id of the socket. */
  readonly socket: string;
  readonly namespace: string;
  readonly isOut: true;
}

const names: Shape = { list: 'text' };
const outShape: Shape = { tuple: ['text', 'text'] };
const placeShape: Shape = { tuple: ['text', 'text', 'flag', names] };
const shape: Shape = { tuple: ['text', 'text', 'text', { list: 'any' }, names, names] };

/** @throws LocalUsageError `ERR_NOT_ENCODABLE` with the path */
export function encodeLetter({ socket, namespace, event, args, rooms, except }: EventLetter, codec: Codec): Frame {
  try {
    return encodeValue([socket, namespace, event, args, rooms, except] as Value, codec);
  } catch (error) {
    // The app knows its arguments, and not where they are in a letter.
    codec.encode({ type: PacketType.Event, namespace, event, args, ack: undefined });
    throw error;
  }
}

export function encodePlace({ socket, namespace, isIn, rooms }: PlaceLetter, codec: Codec): Frame {
  return encodeValue([socket, namespace, isIn, rooms] as Value, codec);
}

export function encodeOut({ socket, namespace }: Omit<OutLetter, 'isOut'>, codec: Codec): Frame {
  return encodeValue([socket, namespace], codec);
}

/** @returns a letter that says: the app has ended the session where it has been */
export function encodeEnd(codec: Codec): Frame {
  return encodeValue('end', codec);
}

/** @returns a letter that says: the store has lost something of the session, and does not know it */
export function encodeLoss(codec: Codec): Frame {
  return encodeValue('loss', codec);
}

/** @throws RecordError */
export function decodeLetter(body: Frame, codec: Codec): EventLetter | PlaceLetter | OutLetter | 'loss' | 'end' {
  const value = decodeValue(body, codec);
  if (value === 'loss' || value === 'end') return value;
  if (Array.isArray(value) && faultOf(value, outShape, 'letter') === undefined) {
    const [socket, namespace] = value as [string, string];
    return { socket, namespace, isOut: true };
  }
  if (Array.isArray(value) && faultOf(value, placeShape, 'letter') === undefined) {
    const [socket, namespace, isIn, rooms] = value as [string, string, boolean, string[]];
    return { socket, namespace, isIn, rooms };
  }
  const fault = faultOf(value, shape, 'letter');
  if (fault !== undefined) throw new RecordError(fault);
  const [socket, namespace, event, args, rooms, except] = value as [
    string,
    string,
    string,
    Value[],
    string[],
    string[],
  ];
  return { socket, namespace, event, args, rooms, except };
}
