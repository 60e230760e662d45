// What of a reason fits into a close frame. Reasons may quote what a client sent, so they may be anything.
import { TextEncoder } from 'node:util';

/** RFC 6455 §5.5: 125 bytes, of which the code takes two. */
const reasonBytesMax = 123;
// Of Node itself: the environment jsdom of test runners has no global one.
const encoder = new TextEncoder();

/** @returns the longest beginning of `reason` that fits, in whole characters */
export function closeReason(reason: string): string {
  // No UTF-16 unit takes more than three bytes.
  if (reason.length * 3 <= reasonBytesMax) return reason;
  return reason.slice(0, encoder.encodeInto(reason, new Uint8Array(reasonBytesMax)).read);
}
