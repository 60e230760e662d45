// A number for a text: equal texts have the same, others hardly ever. What it stands for cannot be read from it.

/** FNV-1a, 32 bits. @param text or bytes */
export function checksum(text: string | Uint8Array): number {
  let sum = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    const unit = typeof text === 'string' ? text.charCodeAt(i) : text[i]!;
    sum = Math.imul(sum ^ unit, 0x01000193);
  }
  return sum >>> 0;
}
