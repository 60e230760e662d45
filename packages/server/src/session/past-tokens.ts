// Which tokens named a session that is over, or that its client knows by now: the last ones, by a hash of 32 bits. One that is taken for
// another is taken for past, and what has left with it is given up.

const countMax = 1 << 16;

export class PastTokens {
  readonly #hashes = new Uint32Array(countMax);
  #next = 0;

  add(token: string): void {
    this.#hashes[this.#next] = hashOf(token);
    this.#next = (this.#next + 1) % countMax;
  }

  has(token: string): boolean {
    return this.#hashes.includes(hashOf(token));
  }
}

/** FNV-1a; never 0, which nothing is. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0 || 1;
}
