// A line: one connection as a case sees it, whichever transport and codec carry it, from either of its ends.
import { json } from '@halyard/codec/json';
import { msgpack } from '@halyard/codec-msgpack';
import { protobuf } from '@halyard/codec-protobuf';
import type { Inbox } from './inbox';

export type Transport = 'websocket' | 'sse' | 'polling';
export type CodecName = 'json' | 'msgpack' | 'protobuf';
export type Tuple = readonly unknown[];

/** What came over a line: a packet, or its end. */
export type Heard =
  | { readonly kind: 'frame'; readonly frame: Tuple; readonly size: number }
  | { readonly kind: 'closed'; readonly code: number; readonly reason: string };

/** MUST NOT throw once it is over. */
export interface Line {
  readonly heard: Inbox<Heard>;
  /** The subprotocol that the other end has named; empty if none. */
  readonly named: string;
  /** Its id, of a client's line over HTTP. */
  readonly connection?: string;
  send(frame: Tuple): void;
  /** Puts text or bytes on the wire as they are. */
  sendRaw(data: string | Uint8Array): void;
  close(code: number, reason?: string): void;
  /** The connection is gone without a word. */
  cut(): void;
}

/** A tuple of docs/PROTOCOL.md §4 as a frame, and back. */
export interface Writing {
  readonly name: CodecName;
  readonly binary: boolean;
  write(tuple: Tuple): string | Uint8Array;
  read(data: string | Uint8Array): Tuple;
}

export const codecNames: readonly CodecName[] = ['json', 'msgpack', 'protobuf'];

const jsonWriting: Writing = {
  name: 'json',
  binary: false,
  write: (tuple) => JSON.stringify(tuple),
  read: (data) => JSON.parse(data as string) as Tuple,
};

/** The binary codecs are those of this project, whose bytes are fixed by §4: cases are written in the notation of JSON. */
export function writingOf(name: CodecName): Writing {
  if (name === 'json') return jsonWriting;
  const codec = name === 'msgpack' ? msgpack() : protobuf();
  return {
    name,
    binary: true,
    write: (tuple) => codec.encode(json().decode(JSON.stringify(tuple))),
    read: (data) => JSON.parse(json().encode(codec.decode(data)) as string) as Tuple,
  };
}

/** @returns what came, as it is heard. @throws Error if it is no packet */
export function heardFrame(writing: Writing, data: string | Uint8Array): Heard {
  if ((typeof data === 'string') === writing.binary) throw new Error(`a frame of ${writing.name} of the wrong kind`);
  return { kind: 'frame', frame: writing.read(data), size: data.length };
}

/** As much of §7 as both of its ends need: frames in one body, and out of it. */
export function joined(frames: readonly (string | Uint8Array)[], binary: boolean): string | Buffer {
  if (!binary) return frames.join('\n');
  return Buffer.concat(
    frames.flatMap((frame) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(frame.length);
      return [length, Buffer.from(frame as Uint8Array)];
    }),
  );
}

export function split(body: Buffer, binary: boolean): (string | Uint8Array)[] {
  if (!binary)
    return body
      .toString()
      .split('\n')
      .filter((line) => line !== '');
  const frames: Uint8Array[] = [];
  for (let at = 0; at < body.length; ) {
    const end = at + 4 + body.readUInt32BE(at);
    if (end > body.length) throw new Error('a frame is longer than the body that holds it');
    frames.push(body.subarray(at + 4, end));
    at = end;
  }
  return frames;
}
