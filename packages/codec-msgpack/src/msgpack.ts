// The codec `msgpack` for Node: a packet's tuple as msgpack (docs/PROTOCOL.md §4), written by msgpackr.
import type { Codec } from '@halyard/codec';
import { bytesOf, checkPacket, madePlain, Trait } from '@halyard/codec/internal';
import { type Frame, type Position, toTupleFast } from '@halyard/protocol';
import { Packr, RESET_BUFFER_MODE } from 'msgpackr/pack';
import { decodeMsgpack } from './msgpack-reader';
import { writeMsgpack } from './msgpack-writer';

// Plain msgpack: no records, the shortest header for every size, and no call of `toJSON`, which may be a key of the app.
const packr = new Packr({ useRecords: false, variableMapSize: true, useToJSON: false });

const codec: Codec = {
  name: 'msgpack',
  binary: true,
  encode(packet) {
    const traits = checkPacket(packet);
    if (traits & Trait.Foreign) return codec.encode(madePlain(packet));
    const tuple = toTupleFast(packet);
    // msgpackr writes undefined as an extension, −0 as 0, and a bigint with another tag than @msgpack/msgpack does.
    if (traits & (Trait.Odd | Trait.NegativeZero)) return writeMsgpack(tuple, traits);
    // What it returns is a part of a buffer that it goes on to use.
    return new Uint8Array(packr.pack(tuple, RESET_BUFFER_MODE));
  },
  decode: decodeMsgpack,
  withPositions,
};

/** Headers of texts, and how many bytes of such a header say the length. */
const lengthBytes = new Map([
  [0xd9, 1],
  [0xda, 2],
]);

function withPositions(frame: Frame, positions: readonly Position[]): Uint8Array {
  const bytes = bytesOf(frame);
  // The header of the tuple and its type are a byte each; then comes the namespace, whose name has a bound.
  const header = bytes[2] as number;
  const width = lengthBytes.get(header) ?? 0;
  let length = width > 0 ? 0 : header & 0x1f;
  for (let i = 0; i < width; i++) length = length * 256 + (bytes[3 + i] as number);
  const start = 3 + width + length;
  const list = packr.pack(positions.flat(), RESET_BUFFER_MODE);
  const made = new Uint8Array(bytes.length - 1 + list.length);
  made.set(bytes.subarray(0, start));
  made.set(list, start);
  made.set(bytes.subarray(start + 1), start + list.length);
  return made;
}

/** The binary codec: smaller frames than JSON, and binary, dates and bigints as they are. */
export function msgpack(): Codec {
  return codec;
}
