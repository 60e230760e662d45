// Codecs alone: encode and decode of one event, beside the library underneath on the same bytes. The difference is
// what validation, packets and the escapes of the data model cost.
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Codec } from '@halyard/codec';
import type { EventPacket, Frame } from '@halyard/protocol';
import type { LocalWorkload } from './workload';

type Direction = 'encode' | 'decode';

interface Contender {
  encode(): unknown;
  decode(): unknown;
}

const packet: EventPacket = {
  type: 2,
  namespace: '/',
  event: 'message',
  args: [
    { id: 123_456, from: 'somebody', text: 'abcdefgh'.repeat(8), at: 1_735_689_600_000, tags: ['a', 'b'], seen: true },
  ],
  ack: 1_001,
};

function halyard(codec: Codec): Contender {
  const frame = codec.encode(packet);
  return { encode: () => codec.encode(packet), decode: () => codec.decode(frame) };
}

const libraries = {
  json: async () => {
    const { json } = await import('@halyard/codec/json');
    const tuple = await tupleOf(packet);
    const text = JSON.stringify(tuple);
    return pair(json(), { encode: () => JSON.stringify(tuple), decode: () => JSON.parse(text) });
  },
  msgpack: async () => {
    const { msgpack } = await import('@halyard/codec-msgpack');
    const { Packr } = await import('msgpackr');
    const packr = new Packr({ useRecords: false });
    const tuple = await tupleOf(packet);
    const bytes = packr.pack(tuple);
    return pair(msgpack(), { encode: () => packr.pack(tuple), decode: () => packr.unpack(bytes) });
  },
  protobuf: async () => {
    const { protobuf } = await import('@halyard/codec-protobuf');
    const { parse } = await import('protobufjs');
    const schema = await readFile(fileURLToPath(import.meta.resolve('@halyard/codec-protobuf/halyard.proto')), 'utf8');
    const envelope = parse(schema).root.resolveAll().lookupType('Packet');
    const bytes = bytesOf(protobuf().encode(packet));
    const message = envelope.decode(bytes);
    return pair(protobuf(), {
      encode: () => envelope.encode(message).finish(),
      decode: () => envelope.decode(bytes),
    });
  },
} as const satisfies Record<string, () => Promise<Record<string, Contender>>>;

async function tupleOf(event: EventPacket): Promise<unknown> {
  const { toTuple } = await import('@halyard/protocol');
  return toTuple(event);
}

function pair(codec: Codec, library: Contender): Record<string, Contender> {
  return { library, halyard: halyard(codec) };
}

function bytesOf(frame: Frame): Uint8Array {
  if (typeof frame === 'string') throw new Error('a binary codec wrote text');
  return frame;
}

const callsPerLook = 500;

/** CPU time of one call, in nanoseconds. */
function measure(call: () => unknown, windowMs: number): number {
  const until = performance.now() + windowMs;
  const before = process.cpuUsage();
  let calls = 0;
  let last: unknown;
  do {
    for (let i = 0; i < callsPerLook; i++) last = call();
    calls += callsPerLook;
  } while (performance.now() < until);
  if (last === undefined) throw new Error('nothing came of it');
  const { user, system } = process.cpuUsage(before);
  return ((user + system) * 1_000) / calls;
}

export const codecWorkloads: readonly LocalWorkload[] = (['json', 'msgpack', 'protobuf'] as const).flatMap((name) =>
  (['encode', 'decode'] as const).map((direction: Direction) => ({
    kind: 'local' as const,
    name: `codec-${name}-${direction}`,
    title: `${name}: ${direction} an event alone`,
    unit: 'ns CPU per call',
    subjects: ['library', 'halyard'],
    async measure(subject: string, windowMs: number) {
      const contender = (await libraries[name]())[subject];
      if (contender === undefined) throw new Error(`no ${subject} here`);
      const call = () => contender[direction]();
      measure(call, windowMs / 4);
      return measure(call, windowMs / 2);
    },
  })),
);
