// How large a frame may be that the server sends: a client is told, and may have no room for more.
import type { Codec } from '@halyard/codec';
import { type Frame, LocalUsageError, type Packet, PacketType } from '@halyard/protocol';

/** What the positions of a PUBLISH may take, in bytes: they are added later. */
const positionsBytesMax = 65_536;

/** What types of packets differ in beside positions, at most, in bytes. */
const headBytesMax = 64;

/** Where user code has said it is deeper than a stack shows. */
const stackFramesMore = 20;

/**
 * Encodes what user code says. An event is measured without what it gets on its way, an ack or positions: so the same one is too large whoever
 * is there, and whichever way it goes.
 * @throws LocalUsageError `ERR_FRAME_TOO_BIG` that names the option
 */
export function encodeSized(codec: Codec, packet: Packet, sentFrameBytesMax: number): Frame {
  const frame = codec.encode(packet);
  const bytesMax = sentFrameBytesMax - positionsBytesMax;
  const almost = bytesMax - headBytesMax;
  // No UTF-16 unit takes more than three bytes.
  if (frame.length * 3 <= almost || Buffer.byteLength(frame) <= almost) return frame;
  const bytes = Buffer.byteLength('event' in packet ? codec.encode(asSaid(packet)) : frame);
  if (bytes <= bytesMax) return frame;
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = stackTraceLimit + stackFramesMore;
  try {
    throw new LocalUsageError(
      'ERR_FRAME_TOO_BIG',
      `${bytes} bytes are more than the ${bytesMax} that an event may have (server option: sentFrameBytesMax)`,
      { option: 'sentFrameBytesMax', bytes },
    );
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

function asSaid({ namespace, event, args }: Extract<Packet, { event: string }>): Packet {
  return { type: PacketType.Publish, namespace, positions: [], event, args };
}
