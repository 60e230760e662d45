// What is saved comes back as it was, whichever the codec.
import { json } from '@halyard/codec/json';
import { type Frame, type Packet, PacketType } from '@halyard/protocol';
import { expect, test } from 'vitest';
import { fromText, type Stored, toText } from './saved';

const text = json();

const bytes = {
  name: 'bytes',
  binary: true,
  encode: (packet: Packet) => new TextEncoder().encode(text.encode(packet) as string),
  decode: (frame: Frame) => text.decode(new TextDecoder().decode(frame as Uint8Array)),
};

test.each([text, bytes])('frames of $name', (codec) => {
  const frame = codec.encode({
    type: PacketType.Event,
    namespace: '/',
    event: 'x',
    args: ['ÿé→\u2028', new Uint8Array([0, 255])],
    ack: 2,
  });
  const saved: Stored = {
    atMs: 1,
    keptMs: 2,
    once: 'once',
    key: { session: 's', secret: 'k' },
    token: '',
    generation: 3,
    received: 4,
    confirmed: 5,
    left: 6,
    lastAck: 2,
    positions: [['log', 7]],
    spaces: [
      {
        namespace: '/',
        phase: 'joined',
        listed: true,
        id: 'id',
        user: 8,
        endsInMs: 10,
        renewAck: 2,
        loss: { reason: '', unconfirmed: 9 },
      },
    ],
    frames: [
      { number: 6, mark: -1, waitMs: null, frame },
      { number: 7, mark: 2, waitMs: 10.5, frame },
    ],
  };
  expect(fromText(toText(saved), codec)).toEqual(saved);
  // It would be counted, and is not.
  const ping = codec.encode({ type: PacketType.Ping, received: 0 });
  expect(fromText(toText({ ...saved, frames: [{ ...saved.frames[0]!, frame: ping }] }), codec)).toBeUndefined();
  // A hole among what has not left would be counted wrong.
  expect(fromText(toText({ ...saved, frames: [{ ...saved.frames[1]!, number: 8 }] }), codec)).toBeUndefined();
});
