// A stored entry as clients of this node are sent it: its place is put in front of what was encoded when it was emitted.
import type { Codec } from '@halyard/codec';
import { type Frame, PacketType, type Position } from '@halyard/protocol';
import { compactOf } from '../base/compact-list';
import { Earlier, type Except, Latest, Places } from '../log/except';
import type { Frames, OlderEntry } from '../log/log';
import type { StoredEntry } from './store';

/** @throws if it is not what a server writes */
export function placed(
  { offset, stamp, except, earlier, bodies, latest }: StoredEntry,
  epoch: string,
  codecs: readonly Codec[],
): OlderEntry {
  const positions: Position[] = [[epoch, offset]];
  // Servers may have different codecs while they are replaced one by one.
  const frames: Frames = codecs.map((codec, i) => {
    const body = bodies[i];
    return body === undefined ? undefined : placedFrame(codec, body, positions);
  });
  return { emitted: stamp, except: latest === undefined ? exceptOf(except, earlier) : new Latest(latest), frames };
}

function placedFrame(codec: Codec, body: Frame, positions: readonly Position[]): Uint8Array {
  let frame = codec.withPositions?.(body, positions);
  if (frame === undefined) {
    const packet = codec.decode(body);
    frame = packet.type === PacketType.Publish ? codec.encode({ ...packet, positions }) : body;
  }
  return typeof frame === 'string' ? Buffer.from(frame) : frame;
}

function exceptOf(names: readonly string[], earlier: readonly Position[]): Except {
  const except = compactOf(names);
  return earlier.length === 0 ? except : new Earlier(except, new Places(earlier), earlier.length);
}
