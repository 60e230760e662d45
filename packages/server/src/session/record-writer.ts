// The one writer of a session's record: it writes the parts that have changed since it wrote last. What has changed is noted as
// it happens; frames and `data` are compared.
import type { Codec } from '@halyard/codec';
import type { Frame, Value } from '@halyard/protocol';
import type { RecordWrite } from '../store/store';
import type { Top } from '../store/turn';
import {
  type CountsRecord,
  dataPart,
  encodeValue,
  framePart,
  type IdentityRecord,
  type LeftRecord,
  type PendingRecord,
  type PresenceRecord,
  recordVersion,
  socketPart,
} from './record';

/** A socket whose record is written: its `data` may change at any time. */
export interface RecordedSocket {
  readonly id: string;
  /** @param tops where to put what is not known yet */
  record(codec: Codec, tops: Map<string, Top>): Omit<PresenceRecord, 'data'>;
  data(codec: Codec): Frame;
}

/** What a record is made of. */
export interface RecordSource {
  identity(): IdentityRecord;
  counts(): CountsRecord;
  /** Up to this stamp something is forgotten that it may not have read. */
  readonly forgottenStamp: number;
  /** What the client has not confirmed, from a number on. */
  framesAfter(number: number): Iterable<readonly [number: number, frame: Frame, stamp: number]>;
  sockets(): readonly RecordedSocket[];
  leftRecords(tops: Map<string, Top>): readonly LeftRecord[];
  pendingRecords(codec: Codec): readonly PendingRecord[];
}

/** What is noted as changed: one of these, or the id of a socket. */
export type Change = 'identity' | 'left' | 'pending' | (string & {});

/** What was written last, as far as it is compared. */
export interface Written {
  readonly confirmed: number;
  /** `forgottenStamp`, if the client had read on behind that. */
  readonly passed: number | undefined;
  /** Number of the last frame. */
  readonly frame: number;
  /** `data` of each socket, by id. */
  readonly data: ReadonlyMap<string, Frame>;
  /** Parts that the store has written, by what names them: a socket, or `left`. */
  readonly tops: ReadonlyMap<string, readonly string[]>;
}

/**
 * @param changed what is noted
 * @param before undefined: all parts are written
 * @returns the parts that have changed, an undefined one if it is no more
 */
export function writeRecord(
  source: RecordSource,
  changed: ReadonlySet<Change>,
  before: Written | undefined,
  codec: Codec,
): { readonly parts: RecordWrite['parts'] & {}; readonly tops: Map<string, Top>; readonly written: Written } {
  const parts = new Map<string, Frame | undefined>();
  const put = (name: string, value: unknown): void => {
    parts.set(name, encodeValue(value as Value, codec));
  };
  const counts = source.counts();
  const { forgottenStamp } = source;
  const passed = counts.forgotten ? undefined : forgottenStamp;
  // From here on all may be read again, so it has to be known from where.
  const isPassing = passed !== undefined && before !== undefined && before.passed !== passed;
  const has = (change: Change): boolean => before === undefined || changed.has(change);
  if (before === undefined) put('version', recordVersion);
  if (has('identity')) put('identity', source.identity());
  const tops = new Map<string, Top>();
  const topsOf = new Map(before?.tops ?? []);
  /** Of what is written anew, the tops before are no more. */
  const withTops = <Record>(owner: string, make: (its: Map<string, Top>) => Record): Record => {
    const its = new Map<string, Top>();
    const record = make(its);
    for (const part of topsOf.get(owner) ?? []) if (!its.has(part)) parts.set(part, undefined);
    for (const [part, top] of its) tops.set(part, top);
    if (its.size > 0) topsOf.set(owner, [...its.keys()]);
    else topsOf.delete(owner);
    return record;
  };
  if (has('left') || isPassing)
    put(
      'left',
      withTops('left', (its) => source.leftRecords(its)),
    );
  if (has('pending')) put('pending', source.pendingRecords(codec));
  put('counts', counts);
  let frame = Math.max(before?.frame ?? 0, counts.confirmed);
  for (const [number, its, stamp] of source.framesAfter(frame)) {
    put(framePart(number), [its, stamp]);
    frame = number;
  }
  const gone = Math.min(counts.confirmed, before?.frame ?? 0);
  for (let number = (before?.confirmed ?? 0) + 1; number <= gone; number++) parts.set(framePart(number), undefined);
  const data = new Map<string, Frame>();
  for (const socket of source.sockets()) {
    const { id } = socket;
    const its = socket.data(codec);
    const last = before?.data.get(id);
    data.set(id, its);
    if (last === undefined || !isSame(its, last)) parts.set(dataPart(id), its);
    if (last === undefined || changed.has(id) || isPassing)
      put(
        socketPart(id),
        withTops(id, (its) => socket.record(codec, its)),
      );
  }
  for (const id of before?.data.keys() ?? []) {
    if (data.has(id)) continue;
    parts.set(dataPart(id), undefined);
    parts.set(socketPart(id), undefined);
    withTops(id, () => undefined);
  }
  return { parts, tops, written: { confirmed: counts.confirmed, passed, frame, data, tops: topsOf } };
}

function isSame(a: Frame, b: Frame): boolean {
  return typeof a === 'string' || typeof b === 'string' ? a === b : Buffer.compare(a, b) === 0;
}
