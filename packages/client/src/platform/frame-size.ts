// How long a frame is on the wire. More platforms have Blob than TextEncoder.
import type { Frame } from '@halyard/protocol';

/** @returns bytes, of UTF-8 if it is text */
export const bytesOf = (frame: Frame): number => new Blob([frame as BlobPart]).size;
