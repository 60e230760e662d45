// The contract of a codec: packets to frames and back.
import type { Frame, Packet, Position } from '@halyard/protocol';

export interface Codec {
  /** Names the codec in the subprotocol `halyard.v1+NAME`. */
  readonly name: string;
  /** Whether frames are bytes (sent as binary messages) or text. */
  readonly binary: boolean;
  /**
   * Encodes a packet. MUST give the same bytes for the same packet, so that one frame serves every receiver.
   * @throws LocalUsageError `ERR_NOT_ENCODABLE` with `details.path` if a value is outside the data model
   */
  encode(packet: Packet): Frame;
  /**
   * Decodes and validates a frame. MUST copy what it keeps of the bytes: they are gone when the call returns. MUST
   * throw nothing but RemoteProtocolError, whatever comes in, and MUST NOT touch any prototype.
   */
  decode(frame: Frame): Packet;
  /**
   * Puts positions into the frame of a PUBLISH that was encoded without any: what servers of a cluster publish is encoded once,
   * before its place in a log is known. MUST give a frame that decodes as the packet with these positions. Without this
   * method such a frame is decoded and encoded again.
   */
  withPositions?(frame: Frame, positions: readonly Position[]): Frame;
}
