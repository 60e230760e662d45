// A target as it goes from one server to another: a plain list, checked when it comes.
import type { Codec } from '@halyard/codec';
import { type Frame, RemoteProtocolError, type Value } from '@halyard/protocol';
import { decodeValue } from '../session/record';
import { faultOf, type Shape } from '../session/record-shape';
import { type TargetSpec, wholeNamespace } from './target-spec';

/** Rooms and ids that a target of another server may name. */
export const targetNamesMax = 65_536;

/** Namespace, whether all of it is meant, names of rooms and ids, and those that are left out. */
export const targetShape: Shape = { tuple: ['text', 'flag', { list: 'text' }, { list: 'text' }] };

export function targetMessage(namespace: string, { rooms, except }: TargetSpec): Value {
  return [namespace, rooms === undefined, [...(rooms ?? [])], [...except]];
}

/** @param message of `targetShape` @throws RemoteProtocolError `ERR_TARGET_NAMES` */
export function targetOf(message: unknown): { readonly namespace: string; readonly spec: TargetSpec } {
  const [namespace, isWhole, rooms, except] = message as [string, boolean, string[], string[]];
  if (rooms.length + except.length > targetNamesMax) {
    throw new RemoteProtocolError(
      'ERR_TARGET_NAMES',
      `a target of another server names at most ${targetNamesMax} rooms`,
    );
  }
  return { namespace, spec: { ...wholeNamespace, rooms: isWhole ? undefined : rooms, except, isLocal: true } };
}

/** @returns a value that was encoded by itself. @throws RemoteProtocolError `ERR_VALUE` */
export function decoded(frame: Frame, codec: Codec): Value | undefined {
  try {
    return decodeValue(frame, codec);
  } catch (error) {
    throw new RemoteProtocolError('ERR_VALUE', error instanceof Error ? error.message : String(error));
  }
}

/** @returns the value. @throws RemoteProtocolError `ERR_SHAPE` that says where it is not what it should be */
export function shaped<T>(value: Value, shape: Shape, what: string): T {
  const fault = faultOf(value, shape, what);
  if (fault !== undefined) throw new RemoteProtocolError('ERR_SHAPE', fault);
  return value as T;
}
