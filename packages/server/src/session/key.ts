// By what a client names its session.
import { timingSafeEqual } from 'node:crypto';

export interface Key {
  readonly id: string;
  /** Its secret, or the token of a client that has perhaps not been told of it. */
  readonly text: string;
  readonly kind: 'secret' | 'token';
}

/** Compares in a time that says nothing about where they differ. */
export function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
