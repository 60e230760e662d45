// Writes msgpack with @msgpack/msgpack: everything in browsers, in Node what msgpackr would write otherwise.
import { Trait } from '@halyard/codec/internal';
import type { Tuple } from '@halyard/protocol';
import { Encoder } from '@msgpack/msgpack';

// A bigint is always a 64-bit integer on the wire and a number never is: that is how they stay apart.
const options = { useBigInt64: true, ignoreUndefined: true };
const encoder = new Encoder(options);
// Negative zero would be written as the integer 0, so numbers next to one are written as floats.
const floatEncoder = new Encoder({ ...options, forceIntegerToFloat: true });

export function writeMsgpack(tuple: Tuple, traits: number): Uint8Array {
  return (traits & Trait.NegativeZero ? floatEncoder : encoder).encode(tuple);
}
