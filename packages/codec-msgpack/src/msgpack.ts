// The codec `msgpack` for Node: a packet's tuple as msgpack (docs/PROTOCOL.md §4), written by msgpackr.
import type { Codec } from '@halyard/codec';
import { checkPacket, Trait } from '@halyard/codec/internal';
import { toTupleFast } from '@halyard/protocol';
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
    const tuple = toTupleFast(packet);
    // msgpackr writes undefined as an extension, −0 as 0, and a bigint with another tag than @msgpack/msgpack does.
    if (traits & (Trait.Odd | Trait.NegativeZero)) return writeMsgpack(tuple, traits);
    // What it returns is a part of a buffer that it goes on to use.
    return new Uint8Array(packr.pack(tuple, RESET_BUFFER_MODE));
  },
  decode: decodeMsgpack,
};

/** The binary codec: smaller frames than JSON, and binary, dates and bigints as they are. */
export function msgpack(): Codec {
  return codec;
}
