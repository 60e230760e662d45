// Inputs out of others: bits, bytes, pieces and words that are changed, doubled, left out, and put in from elsewhere.
import type { Random } from '@halyard/harness/random';

const odd = [0, 1, 9, 10, 13, 34, 36, 44, 58, 91, 93, 123, 125, 127, 128, 192, 193, 212, 220, 221, 222, 223, 254, 255];

/** @param other another input, of which pieces may be taken. @param words those of the target */
export function mutated(
  input: Uint8Array,
  other: Uint8Array,
  words: readonly Uint8Array[],
  bytesMax: number,
  random: Random,
): Uint8Array {
  let made: Buffer = Buffer.from(input);
  for (let i = 1 + random.int(4); i > 0; i--) made = changed(made, other, words, random);
  return new Uint8Array(made.subarray(0, bytesMax));
}

function changed(input: Buffer, other: Uint8Array, words: readonly Uint8Array[], random: Random): Buffer {
  const at = random.int(input.length + 1);
  const length = Math.min(1 + random.int(random.chance(0.2) ? 64 : 4), input.length - at);
  const [before, after] = [input.subarray(0, at), input.subarray(at)];
  switch (random.int(9)) {
    case 0: {
      const copy = Buffer.from(input);
      if (at < copy.length) copy[at] = (copy[at] as number) ^ (1 << random.int(8));
      return copy;
    }
    case 1: {
      const copy = Buffer.from(input);
      if (at < copy.length) copy[at] = random.chance(0.5) ? random.pick(odd) : random.int(256);
      return copy;
    }
    case 2:
      return Buffer.concat([before, after.subarray(length)]);
    case 3:
      return Buffer.concat([before, Buffer.from([random.chance(0.5) ? random.pick(odd) : random.int(256)]), after]);
    case 4:
      return Buffer.concat([before, random.pick(words), after]);
    case 5:
      return Buffer.concat([before, random.pick(words), after.subarray(length)]);
    case 6: {
      const piece = after.subarray(0, length);
      return Buffer.concat([before, ...Array<Buffer>(1 + random.int(random.chance(0.1) ? 200 : 4)).fill(piece), after]);
    }
    case 7: {
      const from = random.int(other.length + 1);
      return Buffer.concat([before, other.subarray(from, from + 1 + random.int(64)), after]);
    }
    default: {
      const from = random.int(other.length + 1);
      return Buffer.concat([before, other.subarray(from)]);
    }
  }
}
