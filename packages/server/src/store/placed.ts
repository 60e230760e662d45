// A stored entry as clients of this node are sent it: its place is put in front of what was encoded when it was emitted.
import type { Codec } from '@halyard/codec';
import { type Frame, PacketType, type Position } from '@halyard/protocol';
import { compactOf } from '../base/compact-list';
import { Earlier, type Except, Latest, Places } from '../log/except';
import type { Frames } from '../log/frames';
import type { OlderEntry } from '../log/log';
import type { StoredEntry } from './store';

/** @throws if it is not what a server writes */
export function placed(
  { offset, stamp, except, places, earlier, bodies, latest }: StoredEntry,
  epoch: string,
  codecs: readonly Codec[],
): OlderEntry {
  const positions: Position[] = [[epoch, offset]];
  // Servers may have different codecs while they are replaced one by one.
  const frames: Frames = codecs.map((codec, i) => {
    const body = bodies[i];
    return body === undefined ? undefined : placedFrame(codec, body, positions);
  });
  return {
    emitted: stamp,
    except: latest === undefined ? exceptOf(except, places, earlier) : new Latest(latest),
    frames,
  };
}

function placedFrame(codec: Codec, body: Frame, positions: readonly Position[]): Uint8Array {
  let frame = codec.withPositions?.(body, positions);
  if (frame === undefined) {
    const packet = codec.decode(body);
    frame = packet.type === PacketType.Publish ? codec.encode({ ...packet, positions }) : body;
  }
  return typeof frame === 'string' ? Buffer.from(frame) : frame;
}

/** Of lists of positions: who looks for one in them has the same index for all entries of a message. */
const known = new WeakMap<readonly Position[], Places>();

function exceptOf(names: readonly string[], positions: readonly Position[], earlier: number): Except {
  const except = compactOf(names);
  if (earlier === 0) return except;
  let places = known.get(positions);
  if (places === undefined) {
    places = new Places(positions);
    known.set(positions, places);
  }
  return new Earlier(except, places, earlier);
}
