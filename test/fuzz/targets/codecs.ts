// Every codec, each implementation of it: what decodes is the same packet from all of them, and encodes to what decodes to it again.
import type { Codec } from '@halyard/codec';
import { json } from '@halyard/codec/json';
import { json as jsonOfBrowsers } from '@halyard/codec/json-browser';
import { msgpack } from '@halyard/codec-msgpack';
import { msgpack as msgpackOfBrowsers } from '@halyard/codec-msgpack/browser';
import { protobuf } from '@halyard/codec-protobuf';
import { difference } from '@halyard/harness/values';
import { type Frame, type Packet, RemoteProtocolError } from '@halyard/protocol';
import { Broken, bytesOf, type Target, textOf, unlessRefused } from '../target';
import { sampleTexts, words } from './packets';

function target(name: string, codecs: readonly Codec[]): Target {
  const [first] = codecs as readonly [Codec];
  const frameOf = (input: Uint8Array): Frame => (first.binary ? input : textOf(input));
  return {
    name,
    seeds() {
      return sampleTexts.flatMap((text) => {
        const packet = unlessRefused(() => json().decode(text), RemoteProtocolError);
        if (!first.binary) return [bytesOf(text)];
        return packet === undefined || packet.type === 'hint' ? [] : [first.encode(packet) as Uint8Array];
      });
    },
    words: first.binary ? [...words, ...heads] : words,
    bytesMax: 8_192,
    batch: 500,
    run(input) {
      const packets = codecs.map((codec) => unlessRefused(() => codec.decode(frameOf(input)), RemoteProtocolError));
      // A property that each object has from now on is of no object's own.
      for (const key in {}) throw new Broken(`Object.prototype has ${key}`);
      const [packet] = packets;
      for (const [i, other] of packets.entries()) {
        if ((packet === undefined) !== (other === undefined))
          throw new Broken(`implementation ${i} differs in whether it decodes`);
        const where = difference(other, packet);
        if (where !== undefined) throw new Broken(`implementation ${i} decodes another value at ${where}`);
      }
      // What is not known is said by nobody.
      if (packet === undefined || packet.type === 'hint') return;
      for (const codec of codecs) keeps(codec, packet);
    },
  };
}

/** What it decodes it encodes, to the same packet again. */
function keeps(codec: Codec, packet: Packet): void {
  const where = difference(codec.decode(codec.encode(packet)), packet);
  if (where !== undefined) throw new Broken(`another value at ${where} once it is encoded again`);
}

/** First bytes of MessagePack and of protobuf that say what follows. */
const heads = [
  ...[
    0xc0, 0xc1, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7, 0xc8, 0xc9, 0xca, 0xcb, 0xcc, 0xcd, 0xce, 0xcf, 0xd0, 0xd1, 0xd2,
    0xd3,
  ],
  ...[
    0xd4, 0xd5, 0xd6, 0xd7, 0xd8, 0xd9, 0xda, 0xdb, 0xdc, 0xdd, 0xde, 0xdf, 0x80, 0x81, 0x8f, 0x90, 0x91, 0x9f, 0xa0,
    0xbf,
  ],
  ...[0x08, 0x0a, 0x10, 0x12, 0x18, 0x1a, 0x21, 0x22, 0x29, 0x2a, 0x32, 0x3a, 0x42, 0x49, 0x52, 0x5a],
]
  .map((head) => Uint8Array.of(head))
  .concat([
    Uint8Array.of(0xdf, 0xff, 0xff, 0xff, 0xff),
    Uint8Array.of(0xdd, 0xff, 0xff, 0xff, 0xff),
    Uint8Array.of(0xdb, 0x7f, 0xff, 0xff, 0xff),
    Uint8Array.of(0xcb, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0),
    Uint8Array.of(0xcf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff),
    Uint8Array.of(0xd6, 0xff, 0, 0, 0, 0),
    Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01),
  ]);

export const codecTargets: readonly Target[] = [
  target('json', [json(), jsonOfBrowsers()]),
  target('msgpack', [msgpack(), msgpackOfBrowsers()]),
  target('protobuf', [protobuf()]),
];
