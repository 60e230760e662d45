// What is stored and told, as pieces: entries of logs, letters, results of commits, and what is said on channels.
import type { Position, Value } from '@halyard/protocol';
import type { CommitResult, NewEntry, StoredEntry, StoredLetter } from '@halyard/server';
import { Malformed, optional, type Piece, Pieces, pack, tagged } from './pieces';

/** What is of an entry before the store has given it its place: made once, stored and told as it is. */
export function packEntry({ except, bodies, latest }: NewEntry): Buffer {
  const keys = latest === undefined ? [] : [latest];
  return pack([except.length, ...except, bodies.length, ...bodies.map(tagged), keys.length, ...keys]);
}

/** @param spreadOf where a message to many rooms is, if that was said. @throws Malformed */
export function readEntry(
  message: Buffer,
  spreadOf: (name: string) => readonly Position[] | undefined,
): readonly [epoch: string, entry: StoredEntry] {
  const pieces = new Pieces(message);
  if (pieces.text() !== 'entry') throw new Malformed('no entry');
  const epoch = pieces.text();
  const offset = pieces.number();
  const [stamp, node] = [pieces.number(), pieces.text()];
  const after = [pieces.number(), pieces.text()] as const;
  const spread = pieces.text();
  const places = spread === '' ? readPlaces(pieces) : spreadOf(spread);
  const earlier = spread === '' ? (places?.length ?? 0) : pieces.number();
  if (places === undefined || places.length < earlier) throw new Malformed('nobody has said where else it is');
  const except = pieces.list(() => pieces.text());
  const bodies = pieces.list(() => optional(pieces.bytes()));
  const [latest] = pieces.list(() => pieces.text());
  if (!pieces.isAtEnd) throw new Malformed('more than an entry');
  return [epoch, { offset, stamp, node, after, places, earlier, except, bodies, latest }];
}

function readPlaces(pieces: Pieces): readonly Position[] {
  return pieces.list((): Position => [pieces.text(), pieces.number()]);
}

/** Where a message to many rooms is, said once before all its entries, of which each has its name and how many places of it come before. */
export interface Spread {
  readonly name: string;
  readonly places: readonly Position[];
}

/** @throws Malformed */
export function readSpread(message: Buffer): Spread {
  const pieces = new Pieces(message);
  return { name: pieces.text(), places: placesIn(pieces) };
}

/** @param stored what is under the name of a spread. @throws Malformed */
export function placesIn(stored: Buffer | Pieces): readonly Position[] {
  const pieces = stored instanceof Pieces ? stored : new Pieces(stored);
  const places = readPlaces(pieces);
  if (!pieces.isAtEnd) throw new Malformed('more than a spread');
  return places;
}

/** An entry that cannot be read is nobody's, and those behind it keep their places. */
export function hollowEntry(offset: number): StoredEntry {
  return { offset, stamp: 0, node: '', after: [0, ''], places: [], earlier: 0, except: [], bodies: [] };
}

/** @param pieces number, node, stamp and body. @throws Malformed */
export function readLetter(pieces: Pieces): StoredLetter {
  return { number: pieces.number(), node: pieces.text(), stamp: pieces.number(), body: pieces.frame() };
}

/** @throws Malformed */
export function readResult(bytes: Buffer): CommitResult {
  const pieces = new Pieces(bytes);
  return {
    positions: pieces.list((): Position => [pieces.text(), pieces.number()]),
    repeated: pieces.list(() => pieces.number()),
    fenced: pieces.list(() => [pieces.text(), pieces.number()] as const),
    missing: pieces.list(() => pieces.text()),
    mailed: pieces.list(() => pieces.text()),
  };
}

/** What one node says to another. */
export type Said =
  | { readonly kind: 'ask'; readonly from: string; readonly id: number; readonly message: Buffer }
  | { readonly kind: 'answer'; readonly id: number; readonly message: Buffer }
  | { readonly kind: 'failure'; readonly id: number; readonly code: string; readonly text: string }
  | { readonly kind: 'letter'; readonly session: string; readonly letter: StoredLetter }
  | { readonly kind: 'marker'; readonly id: number };

/** What this side says itself: letters and markers are said by scripts. */
export function packSaid(said: Exclude<Said, { kind: 'letter' | 'marker' }>): Buffer {
  const pieces: Piece[] = [said.kind];
  if (said.kind === 'ask') pieces.push(said.from, said.id, said.message);
  else if (said.kind === 'answer') pieces.push(said.id, said.message);
  else pieces.push(said.id, said.code, said.text);
  return pack(pieces);
}

/** @throws Malformed */
export function readSaid(message: Buffer): Said {
  const pieces = new Pieces(message);
  const kind = pieces.text();
  switch (kind) {
    case 'ask':
      return { kind, from: pieces.text(), id: pieces.number(), message: pieces.bytes() };
    case 'answer':
      return { kind, id: pieces.number(), message: pieces.bytes() };
    case 'failure':
      return { kind, id: pieces.number(), code: pieces.text(), text: pieces.text() };
    case 'letter':
      return { kind, session: pieces.text(), letter: readLetter(pieces) };
    case 'marker':
      return { kind, id: pieces.number() };
    default:
      throw new Malformed('nothing that nodes say');
  }
}

/** A value of the app as bytes of its own. */
export type ValueCodec = { encode(value: Value): Buffer; decode(bytes: Buffer): Value };
