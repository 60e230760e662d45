// Base64 (RFC 4648 §4) as browsers have it.

/**
 * @param text in the alphabet of RFC 4648 §4
 * @returns bytes of their own
 * @throws DOMException `InvalidCharacterError` if it is not base64
 */
export function bytesOfBase64(text: string): Uint8Array {
  const chars = atob(text);
  const bytes = new Uint8Array(chars.length);
  // Not `from` with a function, which takes many times as long.
  for (let i = 0; i < chars.length; i++) bytes[i] = chars.charCodeAt(i);
  return bytes;
}
