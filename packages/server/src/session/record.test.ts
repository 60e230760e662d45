import type { Codec } from '@halyard/codec';
import { json } from '@halyard/codec/json';
import { PacketType } from '@halyard/protocol';
import { describe, expect, it } from 'vitest';
import { decodeRecord, encodeRecord, encodeValue, hashOf, RecordError, type SessionRecord } from './record';

const codec: Codec = json();
const membership = { room: '', epoch: 'e1', from: 0, to: -1, since: 5, until: -1, newest: -1 };
const peer = { transport: 'websocket', address: '::1', secure: true, headers: ['host: a.example'] };
const record: SessionRecord = {
  id: 's1',
  secret: hashOf('secret'),
  token: hashOf('token'),
  listed: ['/'],
  codec: 'json',
  client: 'by hand',
  generation: 2,
  refusal: '',
  stream: {
    received: 3,
    settled: [5, 5, 7, 9],
    owed: [2],
    confirmed: 1,
    frames: [
      ['[14]', 7],
      [new Uint8Array([1]), 8],
    ],
    asked: 1,
    confirmedStamp: 6,
  },
  forgotten: -1,
  presences: [{ id: 'p1', namespace: '/', auth: '[3,1,{}]', data: '[3,1,{}]', peer, memberships: [membership] }],
  left: [{ id: 'p0', namespace: '/b', stamp: 9, memberships: [{ ...membership, to: 3, until: 9, newest: 8 }] }],
  pending: [{ namespace: '/c', auth: '[3,1,{}]', peer }],
};

/** A record with something changed. */
// biome-ignore lint/suspicious/noExplicitAny: what is wrong with it is the test.
function changed(change: (record: any) => void): ReturnType<typeof encodeValue> {
  const copy = structuredClone(record);
  change(copy);
  return encodeValue([1, copy as never], codec);
}

describe('a record', () => {
  it('comes out as it went in', () => {
    expect(decodeRecord(encodeRecord(record, codec), codec)).toEqual(record);
  });

  it.each<[string, () => ReturnType<typeof encodeValue>, RegExp]>([
    ['cut', () => String(encodeRecord(record, codec)).slice(0, -5), /not a packet/],
    ['another packet', () => codec.encode({ type: PacketType.Reset }), /not a value/],
    ['no version', () => encodeValue([record as never], codec), /its version and its fields/],
    ['another version', () => encodeValue([2, record as never], codec), /of version 2, not 1/],
    ['a field too much', () => changed((it) => Object.assign(it, { more: 1 })), /record\.more is a field too much/],
    ['a field too few', () => changed((it) => delete it.client), /record\.client is no text/],
    ['a wrong kind', () => changed((it) => Object.assign(it, { listed: 'all' })), /record\.listed is no list/],
    [
      'within a list',
      () => changed((it) => Object.assign(it.pending[0], { peer: 1 })),
      /pending\[0\]\.peer has no fields/,
    ],
    [
      'a pair of three',
      () => changed((it) => Object.assign(it.stream, { frames: [['', 1, 2]] })),
      /frames\[0\] is no list of 2/,
    ],
    [
      'a broken number',
      () => changed((it) => Object.assign(it, { generation: 1.5 })),
      /record\.generation is no count/,
    ],
    [
      'a socket that is nowhere',
      () => changed((it) => Object.assign(it.presences[0], { memberships: [] })),
      /p1 is not in its namespace/,
    ],
    [
      'an ended one that is somewhere',
      () => changed((it) => Object.assign(it.left[0], { memberships: [membership] })),
      /p0 has ended, and is in a room/,
    ],
  ])('is refused: %s', (_what, bytes, rule) => {
    let error: unknown;
    try {
      decodeRecord(bytes(), codec);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(RecordError);
    expect(String(error)).toMatch(rule);
  });
});
