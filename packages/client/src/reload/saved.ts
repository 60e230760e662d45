// A session as text, for the next page of its tab. What comes back may be anything: what is no session is none.
import type { Codec } from '@halyard/codec';
import { bytesOfBase64, type Frame, PacketType, type Position, packetLimits } from '@halyard/protocol';
import type { Presence } from '../session/presence';
import type { SessionName } from '../session/session';

/** A namespace, as the page has left it. */
export interface SavedSpace {
  readonly namespace: string;
  /** Undefined: it is not in the session. */
  readonly phase: Presence['phase'];
  readonly listed: boolean;
  readonly id: string;
  /** A checksum of what says who it was let in as. */
  readonly user: number;
  /** For how much longer what was presented is good. Null: it does not end. */
  readonly endsInMs: number | null;
  /** Of a RENEW that is not answered. */
  readonly renewAck?: number | undefined;
  readonly loss: Presence['loss'];
}

/** A frame that is not confirmed. */
export interface SavedFrame {
  readonly number: number;
  /** As in the outbox; of a frame that has left none that waits for a reply, because nobody does. */
  readonly mark: number;
  /** How much longer it may wait to leave, if it has not. Null: for ever. */
  readonly waitMs: number | null;
  readonly frame: Frame;
}

/** All that another page needs to go on. */
export interface Saved extends SessionName {
  readonly atMs: number;
  /** How long the server keeps it. */
  readonly keptMs: number;
  readonly received: number;
  readonly confirmed: number;
  readonly left: number;
  readonly lastAck: number;
  readonly positions: readonly Position[];
  readonly spaces: readonly SavedSpace[];
  readonly frames: readonly SavedFrame[];
}

/** As it is in the storage. */
export interface Stored extends Saved {
  /** Names it among all that were ever saved. */
  readonly once: string;
}

/** What is left of a session that could not be saved, for the next page to tell: how many events nobody knows of. */
export interface NotSaved {
  readonly lost: number;
}

/** More than any session is in, and those that were left meanwhile. */
const spacesMax = 1_024;

const packetTypes: readonly unknown[] = [
  PacketType.Event,
  PacketType.Ack,
  PacketType.Error,
  PacketType.Connect,
  PacketType.Disconnect,
  PacketType.Renew,
];

export function toText(saved: Stored | NotSaved): string {
  if ('lost' in saved) return JSON.stringify(saved);
  const frames = saved.frames.map((one) => ({
    ...one,
    frame: typeof one.frame === 'string' ? one.frame : base64Of(one.frame),
  }));
  return JSON.stringify({ ...saved, frames });
}

/** @returns undefined if the text is not what `toText` has written for a session of this codec */
export function fromText(text: string, codec: Codec): Stored | NotSaved | undefined {
  try {
    return checked(JSON.parse(text), codec);
  } catch {
    return undefined;
  }
}

/** How many events nobody will know of, if it is lost: its own, and those that it was to tell of. */
export function lostWith(saved: Saved | NotSaved): number {
  if ('lost' in saved) return saved.lost;
  const told = saved.spaces.map(({ loss }) => loss?.unconfirmed ?? 0);
  return saved.frames.filter(({ mark }) => mark >= 0).length + Math.max(0, ...told);
}

/** @param all anything: what is missing, or of another type, throws sooner or later */
function checked(all: Stored & NotSaved, codec: Codec): Stored | NotSaved {
  if (all.lost !== undefined) return { lost: count(all.lost) };
  const { key, confirmed, lastAck } = all;
  const left = count(all.left, confirmed);
  let last = confirmed;
  const frames = list(all.frames, Infinity).map(({ number, mark, waitMs, frame: text }): SavedFrame => {
    // What has not left is not confirmed.
    must(count(number, last + 1) <= left || number === Math.max(left, last) + 1);
    last = number;
    const frame = codec.binary ? bytesOfBase64(text as string) : text;
    const packet = codec.decode(frame);
    must(packetTypes.includes(packet.type));
    must(!('ack' in packet) || packet.type !== PacketType.Event || (packet.ack ?? 0) <= lastAck);
    must(Number.isSafeInteger(mark) && mark >= -2 && mark <= (number > left ? lastAck : 0));
    return { number, mark, waitMs: waitMs === null ? null : finite(waitMs), frame };
  });
  const spaces = list(all.spaces, spacesMax).map((space): SavedSpace => {
    const { namespace, phase, listed, id, user, endsInMs, renewAck, loss } = space;
    must(name(namespace)[0] === '/' && [undefined, 'joining', 'joined'].includes(phase));
    must(phase !== 'joined' || key);
    return {
      namespace,
      phase,
      listed: listed === true,
      id: name(id, 0),
      user: finite(user),
      endsInMs: endsInMs == null ? null : finite(endsInMs),
      renewAck: renewAck == null ? undefined : count(renewAck, 1, lastAck),
      loss: loss
        ? { reason: name(loss.reason, 0, packetLimits.reasonCharsMax), unconfirmed: count(loss.unconfirmed) }
        : undefined,
    };
  });
  return {
    atMs: finite(all.atMs),
    keptMs: finite(all.keptMs),
    once: name(all.once),
    key: key ? { session: name(key.session), secret: name(key.secret) } : undefined,
    token: all.token === '' ? '' : name(all.token, packetLimits.tokenCharsMin),
    // There is always a next one.
    generation: count(all.generation, 0, 2 ** 52),
    received: count(all.received),
    confirmed: count(confirmed),
    left,
    lastAck: count(lastAck),
    positions: list(all.positions, packetLimits.helloPositionsMax).map(([log, offset]) => [name(log), count(offset)]),
    spaces,
    frames,
  };
}

function must(holds: unknown): void {
  if (!holds) throw Error('not what was saved');
}

function count(value: number, min = 0, max = Number.MAX_SAFE_INTEGER): number {
  must(Number.isSafeInteger(value) && value >= min && value <= max);
  return value;
}

function finite(value: number): number {
  must(Number.isFinite(value));
  return value;
}

function name(value: string, min = 1, max: number = packetLimits.nameCharsMax): string {
  must(typeof value === 'string' && value.length >= min && value.length <= max);
  return value;
}

function list<Item>(value: readonly Item[], max: number): readonly Item[] {
  must(Array.isArray(value) && value.length <= max);
  return value;
}

function base64Of(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}
