import type { Codec } from '@halyard/codec';
import { json } from '@halyard/codec/json';
import { type Frame, PacketType, type Value } from '@halyard/protocol';
import { describe, expect, it } from 'vitest';
import { decodeRecord, decodeValue, encodeValue, hashOf, RecordError, type SessionRecord } from './record';
import { type RecordSource, type Written, writeRecord } from './record-writer';

const codec: Codec = json();
const membership = { room: '', epoch: 'e1', from: 0, to: -1, read: 0, since: 5, until: -1, begins: '', ends: '' };
const peer = {
  transport: 'websocket',
  address: '::1',
  secure: true,
  headers: ['host: a.example'],
  url: '/halyard?a=1',
  time: 9,
};
const record: SessionRecord = {
  identity: {
    id: 's1',
    secret: hashOf('secret'),
    token: hashOf('token'),
    listed: ['/'],
    codec: 'json',
    client: 'by hand',
  },
  counts: {
    received: 3,
    settled: [5, 5, 7, 9],
    owed: [[2, 1]],
    sent: 3,
    confirmed: 1,
    asked: 1,
    generation: 2,
    refusal: '',
    mail: { number: 4, node: 'n', stamp: 5, known: ['5 n'], floors: [['n', 3]] },
    forgotten: false,
  },
  frames: [
    ['[14]', 7],
    [new Uint8Array([1]), 8],
  ],
  presences: [{ id: 'p1', namespace: '/', auth: '[3,1,{}]', data: '[3,1,{}]', peer, memberships: [membership] }],
  left: [{ id: 'p0', namespace: '/b', memberships: [{ ...membership, to: 3, read: 2, until: 9 }] }],
  pending: [{ namespace: '/c', auth: '[3,1,{}]', peer }],
};

const source: RecordSource = {
  identity: () => record.identity,
  counts: () => record.counts,
  forgottenStamp: -1,
  framesAfter: (after) =>
    record.frames.map(([frame, stamp], i) => [2 + i, frame, stamp] as const).filter(([number]) => number > after),
  sockets: () => record.presences.map(({ data, ...its }) => ({ id: its.id, record: () => its, data: () => data })),
  leftRecords: () => record.left,
  pendingRecords: () => record.pending,
};

it('once its client has read past what was forgotten, where each socket has read to is written, and once', () => {
  const write = (forgotten: boolean, forgottenStamp: number, before?: Written) =>
    writeRecord(
      { ...source, counts: () => ({ ...record.counts, forgotten }), forgottenStamp },
      new Set(),
      before,
      codec,
    );
  const first = write(false, -1);
  const unread = write(true, 7, first.written);
  expect([...unread.parts.keys()]).toEqual(['counts']);
  const read = write(false, 7, unread.written);
  expect([...read.parts.keys()]).toEqual(['left', 'counts', 'socket p1']);
  expect([...write(false, 7, read.written).parts.keys()]).toEqual(['counts']);
  // It may have done so before anything was written.
  expect([...write(false, 8, read.written).parts.keys()]).toEqual(['left', 'counts', 'socket p1']);
});

const whole = (): Map<string, Frame> =>
  new Map(writeRecord(source, new Set(), undefined, codec).parts as Map<string, Frame>);

/** The parts of a record with something changed in one. */
// biome-ignore lint/suspicious/noExplicitAny: what is wrong with it is the test.
function changed(name: string, change: (value: any) => unknown): Map<string, Frame> {
  const parts = whole();
  const value = structuredClone(decodeValue(parts.get(name)!, codec));
  return parts.set(name, encodeValue((change(value) ?? value) as Value, codec));
}

function without(name: string): Map<string, Frame> {
  const parts = whole();
  parts.delete(name);
  return parts;
}

describe('a record', () => {
  it('comes out as it went in', () => {
    expect(decodeRecord(whole(), codec)).toEqual(record);
  });

  it.each<[string, () => Map<string, Frame>, RegExp]>([
    ['cut', () => whole().set('counts', String(whole().get('counts')).slice(0, -5)), /not a packet/],
    ['with data that is cut', () => whole().set('data p1', '[3,1'), /not a packet/],
    ['with auth that is cut', () => changed('pending', ([it]) => [{ ...it, auth: '[3,1' }]), /not a packet/],
    ['another packet', () => whole().set('left', codec.encode({ type: PacketType.Reset })), /not a value/],
    ['no version', () => without('version'), /version is not there/],
    ['another version', () => changed('version', () => 1), /of version 1, not 7/],
    ['a part too few', () => without('pending'), /pending is not there/],
    ['a part too much', () => whole().set('more', '[3,1,{}]'), /10 parts, of which 9 belong together/],
    ['a frame too much', () => whole().set('frame 5', whole().get('frame 2')!), /10 parts, of which 9/],
    ['a frame too few', () => without('frame 2'), /frame 2 is not there/],
    ['a field too much', () => changed('identity', (it) => ({ ...it, more: 1 })), /identity\.more is a field too much/],
    ['a field too few', () => changed('identity', (it) => void delete it.client), /identity\.client is no text/],
    ['a wrong kind', () => changed('identity', (it) => ({ ...it, listed: 'all' })), /identity\.listed is no list/],
    ['within a list', () => changed('pending', ([it]) => [{ ...it, peer: 1 }]), /pending\[0\]\.peer has no fields/],
    ['a pair of three', () => changed('frame 2', () => ['', 1, 2]), /frame 2 is no list of 2/],
    [
      'a broken number',
      () => changed('counts', (it) => ({ ...it, generation: 1.5 })),
      /counts\.generation is no count/,
    ],
    [
      'a socket that is nowhere',
      () => changed('socket p1', (it) => ({ ...it, memberships: [] })),
      /p1 is not in its namespace/,
    ],
    ['a socket of another name', () => changed('socket p1', (it) => ({ ...it, id: 'p2' })), /socket p1 has no data/],
    ['a socket without data', () => without('data p1'), /socket p1 has no data/],
    [
      'an ended one that is somewhere',
      () => changed('left', ([it]) => [{ ...it, memberships: [membership] }]),
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
