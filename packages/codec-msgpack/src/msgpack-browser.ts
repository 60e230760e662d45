// The codec `msgpack` for browsers: a packet's tuple as msgpack (docs/PROTOCOL.md §4), written by @msgpack/msgpack.
import type { Codec } from '@halyard/codec';
import { checkPacket, madePlain, Trait } from '@halyard/codec/internal';
import { toTuple } from '@halyard/protocol';
import { decodeMsgpack } from './msgpack-reader';
import { writeMsgpack } from './msgpack-writer';

const codec: Codec = {
  name: 'msgpack',
  binary: true,
  encode(packet) {
    const traits = checkPacket(packet);
    if (traits & Trait.Foreign) return codec.encode(madePlain(packet));
    return writeMsgpack(toTuple(packet), traits);
  },
  decode: decodeMsgpack,
};

/** The binary codec, as for Node and with the same bytes. */
export function msgpack(): Codec {
  return codec;
}
