// Base64 (RFC 4648 §4) with whatever the program has: newer engines' own, Node's Buffer, or the browser's btoa and atob.

import { bytesOfBase64 } from '@halyard/protocol';

interface NativeBytes {
  toBase64(): string;
}
interface NativeClass {
  fromBase64?(text: string): Uint8Array;
}

export function toBase64(bytes: Uint8Array): string {
  // Not what a subclass may have under that name.
  const native = Uint8Array.prototype as Partial<NativeBytes>;
  if (native.toBase64) return native.toBase64.call(bytes);
  if (globalThis.Buffer) return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const sextets = new Int8Array(128).fill(-1);
for (let i = 0; i < 64; i++) sextets[alphabet.charCodeAt(i)] = i;
/** Up to here the way to the engine's own takes longer than to read by hand. */
const shortCharsMax = 256;

/** @returns bytes of their own, or undefined unless `text` is exactly what `toBase64` writes for them */
export function fromBase64(text: string): Uint8Array | undefined {
  const { length } = text;
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  const size = (length / 4) * 3 - padding;
  if (length % 4) return undefined;
  // The last bits, which are of no byte, are zero.
  if (padding && sextet(text, length - padding - 1) & (padding === 2 ? 15 : 3)) return undefined;
  return length <= shortCharsMax ? read(text, size) : readNative(text, size);
}

function read(text: string, size: number): Uint8Array | undefined {
  const bytes = new Uint8Array(size);
  let wrong = 0;
  for (let i = 0, at = 0; at < size; i += 4) {
    let bits = (sextet(text, i) << 18) | (sextet(text, i + 1) << 12);
    if (at + 1 < size) bits |= sextet(text, i + 2) << 6;
    if (at + 2 < size) bits |= sextet(text, i + 3);
    // Negative, if one of them was.
    wrong |= bits;
    // What goes beyond the end is not kept.
    bytes[at++] = bits >> 16;
    bytes[at++] = bits >> 8;
    bytes[at++] = bits;
  }
  return wrong < 0 ? undefined : bytes;
}

function sextet(text: string, at: number): number {
  return sextets[text.charCodeAt(at)] ?? -1;
}

/** All of them pass over what they do not know, or throw; so nothing was passed over if there are as many bytes as can be. */
function readNative(text: string, size: number): Uint8Array | undefined {
  // Buffer knows the alphabet for URLs too.
  if (text.includes('-') || text.includes('_')) return undefined;
  const bytes = nativeBytes(text, size);
  return bytes.length === size ? bytes : undefined;
}

function nativeBytes(text: string, size: number): Uint8Array {
  const native = (Uint8Array as NativeClass).fromBase64;
  if (native) return native.call(Uint8Array, text);
  if (!globalThis.Buffer) return bytesOfBase64(text);
  // Not from a pool, which it would share with others.
  const buffer = Buffer.allocUnsafeSlow(size);
  return new Uint8Array(buffer.buffer, 0, buffer.write(text, 'base64'));
}
