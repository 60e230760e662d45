// Base64 (RFC 4648 §4) with whatever the program has: newer engines' own, Node's Buffer, or the browser's btoa and atob.

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

/** @returns bytes of their own, or undefined unless `text` is exactly what `toBase64` writes for them */
export function fromBase64(text: string): Uint8Array | undefined {
  const native = (Uint8Array as NativeClass).fromBase64;
  const bytes = native
    ? native.call(Uint8Array, text)
    : globalThis.Buffer
      ? new Uint8Array(Buffer.from(text, 'base64'))
      : Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
  return toBase64(bytes) === text ? bytes : undefined;
}
