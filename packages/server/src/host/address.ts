// Addresses as people write them: IPv4 where it is one that IPv6 wraps (RFC 4291 §2.5.5.2); and what of them is one peer's.

import { isIPv6 } from 'node:net';

const wrapper = '::ffff:';

/** @param text what Node has, such as `::ffff:192.0.2.1`, or a proxy, which may write a port behind it, and brackets around IPv6 */
export function addressOfText(text: string): string {
  const [, v6, v4] = /^(?:\[(.*)\](?::\d+)?|(\d+\.\d+\.\d+\.\d+):\d+)$/.exec(text) ?? [];
  const address = v6 ?? v4 ?? text;
  return address.startsWith(wrapper) && address.includes('.') ? address.slice(wrapper.length) : address;
}

/** @param bytes 4 or 16 of them. @param text what to fall back on: called for an address that is not IPv4 */
export function addressOfBytes(bytes: Uint8Array, text: () => string): string {
  const start = bytes.length - 4;
  const wrapped =
    start === 12 && bytes[10] === 255 && bytes[11] === 255 && bytes.subarray(0, 10).every((byte) => byte === 0);
  if (start !== 0 && !wrapped) return text();
  return `${bytes[start]}.${bytes[start + 1]}.${bytes[start + 2]}.${bytes[start + 3]}`;
}

/** @returns what stands for one peer: an IPv4 address, or the first 64 bits of an IPv6 one, of which a peer has as many as it likes */
export function networkOf(address: string): string {
  if (!isIPv6(address)) return address;
  const [before = '', after] = address.split('::');
  const groups = before === '' ? [] : before.split(':');
  const behind = after ? after.split(':') : [];
  // Groups that `::` stands for are zero.
  while (after !== undefined && groups.length + behind.length < 8) groups.push('0');
  return [...groups, ...behind]
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':');
}
