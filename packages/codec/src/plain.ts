// A packet of which nothing only stands for what is of the data model.
import type { Packet } from '@halyard/protocol';
import { fieldDepthMax } from './data';
import { hasToJson, kindOf } from './foreign';
import { objectOf } from './indexed';

/** @returns a copy of a packet with what is of the data model in place of what stands for it, and all else as it is */
export function madePlain(packet: Packet): Packet {
  const room = fieldDepthMax(packet.type);
  return Object.fromEntries(Object.entries(packet).map(([name, value]) => [name, plainOf(value, name, room)])) as never;
}

/** @param key where it stands, which `toJSON` is told @param room how deep it may nest: what is deeper is left as it is */
function plainOf(value: unknown, key: string, room: number): unknown {
  if (typeof value !== 'object' || value === null || room < 0) return value;
  if (Array.isArray(value) && !hasToJson(value)) return itemsOf(value, room);
  const kind = kindOf(value);
  if (kind === 'Date') return new Date(Date.prototype.getTime.call(value));
  if (kind === 'ArrayBuffer') return bytesIn(value as ArrayBuffer | Uint8Array);
  if (kind === 'Object') return copyOf(value, room);
  if (kind === undefined) return value;
  const made = (value as { toJSON(key: string): unknown }).toJSON(key);
  if (Array.isArray(made)) return itemsOf(made, room);
  // What it returns is not asked again, as JSON.stringify does not.
  const isAsked = typeof made === 'object' && made !== null && kindOf(made) === 'toJSON';
  return isAsked ? copyOf(made, room) : plainOf(made, key, room);
}

function itemsOf(list: readonly unknown[], room: number): unknown[] {
  return Array.from(list, (item, i) => plainOf(item, `${i}`, room - 1));
}

function copyOf(value: object, room: number): object {
  const fields = Object.entries(value).filter(([name, item]) => name !== 'toJSON' || typeof item !== 'function');
  return objectOf(fields.map(([name, item]) => [name, plainOf(item, name, room - 1)]));
}

/** @returns all bytes of a buffer, or those that a view shows */
function bytesIn(value: ArrayBuffer | ArrayBufferView): Uint8Array {
  if (value instanceof Uint8Array) return value;
  const { buffer = value as ArrayBuffer, byteOffset, byteLength } = value as Partial<ArrayBufferView>;
  return new Uint8Array(buffer, byteOffset, byteLength);
}
