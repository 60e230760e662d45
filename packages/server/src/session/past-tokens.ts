// Which tokens named a session that is over, or that its client knows by now, and of which connection that was: the last ones, by a hash
// of 32 bits. One that is taken for another is taken for past, and what has left with it is given up.

/** At least so many are known, and at most twice as many. */
const countMin = 1 << 15;

export class PastTokens {
  #young = new Map<number, number>();
  #old = new Map<number, number>();

  /** @param generation of the last connection of its session */
  add(token: string, generation: number): void {
    if (this.#young.size >= countMin) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(hashOf(token), generation);
  }

  /** @returns the generation of the last connection of its session, as far as that was known; undefined if there was none */
  get(token: string): number | undefined {
    const hash = hashOf(token);
    return this.#young.get(hash) ?? this.#old.get(hash);
  }
}

/** FNV-1a. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash;
}
