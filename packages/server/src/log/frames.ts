// A message as it is sent.

/** By codec index; undefined where no session uses the codec. */
export type Frames = readonly (Uint8Array | undefined)[];

/** @returns the sum of the lengths of frames */
export function lengthOf(frames: Frames): number {
  let bytes = 0;
  for (const frame of frames) if (frame !== undefined) bytes += frame.length;
  return bytes;
}
