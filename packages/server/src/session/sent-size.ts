// How large a frame may be that the server sends: a client is told, and may have no room for more.
import { type Frame, LocalUsageError } from '@halyard/protocol';

/** What the positions of a PUBLISH may take, in bytes: they are added later. */
const positionsBytesMax = 65_536;

/** @returns a frame of user code's. @throws LocalUsageError `ERR_FRAME_TOO_BIG` that names the option */
export function sized<Sent extends Frame>(frame: Sent, sentFrameBytesMax: number): Sent {
  const bytesMax = sentFrameBytesMax - positionsBytesMax;
  // No UTF-16 unit takes more than three bytes.
  if (frame.length <= bytesMax && (typeof frame !== 'string' || frame.length * 3 <= bytesMax)) return frame;
  const bytes = Buffer.byteLength(frame);
  if (bytes <= bytesMax) return frame;
  throw new LocalUsageError(
    'ERR_FRAME_TOO_BIG',
    `${bytes} bytes are more than the ${bytesMax} that an event may have (server option: sentFrameBytesMax)`,
    { option: 'sentFrameBytesMax', bytes },
  );
}
