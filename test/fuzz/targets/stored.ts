// What comes out of a store: records of sessions, and what is kept and told by Redis. Whoever is at the store may have written anything.
import { json } from '@halyard/codec/json';
import type { Frame } from '@halyard/protocol';
import {
  packEntry,
  packSaid,
  readEntry,
  readLetter,
  readResult,
  readSaid,
  readSpread,
} from '../../../packages/adapter-redis/src/entries';
import { Malformed, Pieces, pack, tagged } from '../../../packages/adapter-redis/src/pieces';
import { decodeRecord, encodeValue, RecordError, recordVersion } from '../../../packages/server/src/session/record';
import { bytesOf, type Target, textOf, unlessRefused } from '../target';
import { words } from './packets';

const codec = json();

/** A record as one text: `name value` in each line. */
const sampleRecord = [
  `version ${encodeValue(recordVersion, codec)}`,
  `identity ${encodeValue({ id: 's', secret: new Uint8Array(3), token: new Uint8Array(), listed: ['/'], codec: 'json', client: '' }, codec)}`,
  `counts ${encodeValue(
    {
      ...{ received: 3, settled: [5, 5], owed: [[2, 1]], sent: 2, confirmed: 1, asked: 1, generation: 2, refusal: '' },
      ...{ mail: { number: 4, node: 'n', stamp: 5, known: ['5 n'], floors: [['n', 3]] }, forgotten: false },
    },
    codec,
  )}`,
  `left ${encodeValue([], codec)}`,
  `pending ${encodeValue([], codec)}`,
  `frame=2 ${encodeValue(['[14]', 7], codec)}`,
  `socket=p ${encodeValue(
    {
      ...{ id: 'p', namespace: '/', auth: '[3,1,{}]' },
      peer: { transport: 'websocket', address: '::1', secure: true, headers: [], url: '/', time: 9 },
      memberships: [{ room: '', epoch: 'e', from: 0, to: -1, read: 0, since: 5, until: -1, begins: 'top 1', ends: '' }],
    },
    codec,
  )}`,
  'data=p [3,1,{}]',
  'top=1 e1 12',
].join('\n');

const record: Target = {
  name: 'record',
  seeds: () => [bytesOf(sampleRecord)],
  words: ['\n', 'frame=3 ', 'socket=', 'data=', 'top=2 e 9\n', 'version [3,1,5]\n', '-1', ...words],
  bytesMax: 8_192,
  batch: 500,
  run(input) {
    const parts = new Map<string, Frame>();
    for (const line of textOf(input).split('\n')) {
      const at = line.indexOf(' ');
      if (at > 0) parts.set(line.slice(0, at).replace('=', ' '), line.slice(at + 1));
    }
    unlessRefused(() => decodeRecord(parts, codec), RecordError);
  },
};

const entry = packEntry({
  except: ['a', 'b'],
  bodies: ['[5,"/",[],"m",[]]', new Uint8Array([1])],
  latest: 'k',
} as never);

const redis: Target = {
  name: 'redis',
  seeds: () => [
    new Uint8Array(Buffer.concat([pack(['entry', 'e1', 7, 5, 'node', 6, 'other', 1, 'room', 3]), entry])),
    new Uint8Array(packSaid({ kind: 'ask', from: 'n', id: 3, message: Buffer.from('hi') })),
    new Uint8Array(packSaid({ kind: 'answer', id: 3, message: Buffer.from('hi') })),
    new Uint8Array(packSaid({ kind: 'failure', id: 3, code: 'ERR', text: 'no' })),
    new Uint8Array(pack(['letter', 's', 4, 'n', 5, tagged('body')])),
    new Uint8Array(pack(['marker', 9])),
    new Uint8Array(pack([1, 'room', 3, 1, 9, 1, 's', 2, 1, 'm', 1, 'x'])),
  ],
  words: [
    '0:',
    '1:0',
    '1:1',
    '1:9',
    '5:entry',
    '6:letter',
    '3:ask',
    '16:9007199254740992',
    '4294967295:',
    '9999999999:',
    ':',
    '1:t',
    '1:b',
  ],
  bytesMax: 8_192,
  batch: 500,
  run(input) {
    const bytes = Buffer.from(input);
    const entry = (all: Buffer) => readEntry(all, () => [['epoch', 1]]);
    const reads = [entry, readSpread, readSaid, readResult, (all: Buffer) => readLetter(new Pieces(all))];
    for (const read of reads) {
      unlessRefused(() => read(bytes), Malformed);
    }
  },
};

export const storedTargets: readonly Target[] = [record, redis];
