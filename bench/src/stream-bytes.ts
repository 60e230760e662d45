// What frames of a binary codec take in sse, which has them as base64 in events of text, and would take in a stream of bytes, each behind
// its length: bytes on the way, and processor time of both ends. `npm run bench:stream-bytes`. The two take turns.
import { bytesOfBase64 } from '@halyard/protocol';
import { spread } from './base/ratios';

const rounds = 9;
const framesPerRound = 20_000;
const sizes = [64, 1_024, 16_384];

interface Way {
  readonly name: string;
  write(frame: Uint8Array): Uint8Array;
  read(piece: Uint8Array): Uint8Array;
}

const prefix = 'data: ';
const decoder = new TextDecoder();

const ways: readonly Way[] = [
  {
    name: 'base64 in events (sse)',
    write: ({ buffer, byteOffset, length }) =>
      Buffer.from(`${prefix}${Buffer.from(buffer, byteOffset, length).toString('base64')}\n\n`, 'latin1'),
    // As the client does, which runs in browsers.
    read: (piece) => {
      const [, data = ''] = /^data: ([^\n]*)/.exec(decoder.decode(piece)) ?? [];
      return bytesOfBase64(data);
    },
  },
  {
    name: 'bytes behind their length',
    write: (frame) => {
      const piece = Buffer.allocUnsafe(4 + frame.length);
      piece.writeUInt32BE(frame.length);
      piece.set(frame, 4);
      return piece;
    },
    read: (piece) => {
      const view = new DataView(piece.buffer, piece.byteOffset);
      return piece.slice(4, 4 + view.getUint32(0));
    },
  },
];

/** @returns microseconds for each frame */
function timed(run: () => unknown): number {
  const before = process.cpuUsage();
  for (let i = 0; i < framesPerRound; i++) run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / framesPerRound;
}

function median(values: number[]): string {
  return spread(values).median.toFixed(2);
}

console.log('| frame | way | bytes on the way | written, µs | read, µs |\n| --: | --- | --: | --: | --: |');
for (const size of sizes) {
  const frame = Uint8Array.from({ length: size }, (_, i) => (i * 7_919) & 255);
  const costs = ways.map((way) => ({ way, piece: way.write(frame), written: [] as number[], read: [] as number[] }));
  for (let round = 0; round < rounds; round++) {
    for (const { way, piece, written, read } of costs) {
      if (!Buffer.from(way.read(piece)).equals(frame))
        throw new Error(`${way.name} does not bring back what it was given`);
      written.push(timed(() => way.write(frame)));
      read.push(timed(() => way.read(piece)));
    }
  }
  for (const { way, piece, written, read } of costs) {
    console.log(`| ${size} | ${way.name} | ${piece.length} | ${median(written)} | ${median(read)} |`);
  }
}
