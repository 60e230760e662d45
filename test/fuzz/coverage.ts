// Which blocks of our code have run since the last look, by the counters that V8 keeps by itself: no code has to be changed for it.
import { Session } from 'node:inspector';

export class Coverage {
  readonly #session = new Session();
  readonly #isOurs: (url: string) => boolean;
  readonly #seen = new Set<string>();
  /** What the last look has found. */
  #fresh = new Set<string>();

  /** @param isOurs whether a script is looked at */
  constructor(isOurs: (url: string) => boolean) {
    this.#isOurs = isOurs;
    this.#session.connect();
    this.#session.post('Profiler.enable');
    this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }

  /** How many blocks have run. */
  get blocks(): number {
    return this.#seen.size;
  }

  /** @returns how many blocks have run for the first time since the last look */
  look(): number {
    this.#fresh = new Set(this.#ran().filter((block) => !this.#seen.has(block)));
    for (const block of this.#fresh) this.#seen.add(block);
    return this.#fresh.size;
  }

  /** @returns what the last look has found, for `takeFrom` */
  again(): Set<string> {
    return new Set(this.#fresh);
  }

  /** Takes out of a set what has run since the last look. @returns whether that was anything */
  takeFrom(blocks: Set<string>): boolean {
    const { size } = blocks;
    for (const block of this.#ran()) {
      blocks.delete(block);
      this.#seen.add(block);
    }
    return blocks.size < size;
  }

  close(): void {
    this.#session.disconnect();
  }

  #ran(): string[] {
    const blocks: string[] = [];
    // It is called before `post` returns.
    this.#session.post('Profiler.takePreciseCoverage', (error, coverage) => {
      if (error !== null) return;
      for (const { scriptId, url, functions } of coverage.result) {
        if (!this.#isOurs(url)) continue;
        for (const { ranges } of functions) {
          for (const { startOffset, endOffset, count } of ranges) {
            if (count > 0) blocks.push(`${scriptId} ${startOffset} ${endOffset}`);
          }
        }
      }
    });
    return blocks;
  }
}
