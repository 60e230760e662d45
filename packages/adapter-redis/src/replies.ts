// What scripts answer, as ioredis gives it: bytes, numbers, lists of such. What is something else is `Malformed`.
import { Malformed } from './pieces';

export function bytesOf(reply: unknown): Buffer {
  if (!Buffer.isBuffer(reply)) throw new Malformed('no bytes');
  return reply;
}

export function textOf(reply: unknown): string {
  return bytesOf(reply).toString();
}

/** A number, as an integer or as a text of digits. */
export function numberOf(reply: unknown): number {
  const number = typeof reply === 'number' ? reply : Number(textOf(reply));
  if (!Number.isSafeInteger(number)) throw new Malformed('no number');
  return number;
}

export function listOf(reply: unknown): readonly unknown[] {
  if (!Array.isArray(reply)) throw new Malformed('no list');
  return reply;
}
