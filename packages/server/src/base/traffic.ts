// What connections of one transport and one codec carry, summed up. Frames are counted from when somebody wants to know.
import type { Frame } from '@halyard/protocol';

export class Traffic {
  readonly transport: string;
  readonly codec: string;
  /** Whether frames are counted: the size of a text costs more than the rest. */
  isCounted = false;
  opened = 0;
  closed = 0;
  packetsIn = 0;
  packetsOut = 0;
  bytesIn = 0;
  bytesOut = 0;

  constructor(transport: string, codec: string) {
    this.transport = transport;
    this.codec = codec;
  }

  received(bytes: number): void {
    this.packetsIn++;
    this.bytesIn += bytes;
  }

  /** @param receivers how many got it */
  sent(frame: Frame, receivers = 1): void {
    this.packetsOut += receivers;
    this.bytesOut += sizeOf(frame) * receivers;
  }
}

/** @returns bytes */
export function sizeOf(frame: Frame): number {
  return typeof frame === 'string' ? Buffer.byteLength(frame) : frame.length;
}
