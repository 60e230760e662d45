// The loop: inputs made out of those that have reached something new, run in batches; what reaches something new is kept in its turn.
import type { Random } from '@halyard/harness/random';
import type { Coverage } from './coverage';
import { mutated } from './mutate';
import { bytesOf, type Target } from './target';

export interface Failure {
  readonly target: string;
  readonly input: Uint8Array;
  readonly what: string;
}

export interface Outcome {
  readonly executions: number;
  /** What was found that reaches something new, in the order in which it was found. */
  readonly found: readonly Uint8Array[];
  readonly failure: Failure | undefined;
  /** Milliseconds of the slowest one. */
  readonly slowest: number;
}

/** What an input may take: 20 ms, and as much as a frame of so many bytes of brackets takes in JSON.parse, with room. */
const allowedMs = (bytes: number): number => 20 + bytes / 250;

export class Loop {
  readonly #target: Target;
  readonly #random: Random;
  readonly #words: readonly Uint8Array[];
  readonly #corpus: Uint8Array[] = [];
  readonly #found: Uint8Array[] = [];
  #executions = 0;
  #slowest = 0;

  constructor(target: Target, random: Random) {
    this.#target = target;
    this.#random = random;
    this.#words = target.words.map((word) => (typeof word === 'string' ? bytesOf(word) : word));
  }

  /** Runs all of these, which are the first of the corpus. */
  async replay(inputs: readonly Uint8Array[]): Promise<Outcome> {
    for (const input of inputs) {
      this.#corpus.push(input);
      const what = await this.#run(input);
      if (what !== undefined) return this.#outcome({ target: this.#target.name, input, what });
    }
    return this.#outcome(undefined);
  }

  /** Runs others made out of them. @param isOver is asked between two batches. @param coverage undefined: nothing is learned */
  async go(isOver: (executions: number) => boolean, coverage: Coverage | undefined): Promise<Outcome> {
    coverage?.look();
    while (!isOver(this.#executions)) {
      const batch = Array.from({ length: this.#target.batch }, () => this.#made());
      for (const input of batch) {
        const what = await this.#run(input);
        if (what !== undefined) return this.#outcome({ target: this.#target.name, input, what });
      }
      if (coverage !== undefined && coverage.look() > 0) await this.#learn(batch, coverage);
    }
    return this.#outcome(undefined);
  }

  /** Some of the batch has reached something new: those that do again what few have done are it. */
  async #learn(batch: readonly Uint8Array[], coverage: Coverage): Promise<void> {
    const fresh = coverage.again();
    for (const input of batch) {
      if (fresh.size === 0) return;
      await this.#run(input);
      if (coverage.takeFrom(fresh)) {
        this.#corpus.push(input);
        this.#found.push(input);
      }
    }
  }

  #made(): Uint8Array {
    const random = this.#random;
    const { bytesMax } = this.#target;
    // What was found last is most worth to be gone on with.
    const { length } = this.#corpus;
    const at = random.chance(0.5) ? length - 1 - random.int(Math.min(length, 20)) : random.int(length);
    return mutated(this.#corpus[at] as Uint8Array, random.pick(this.#corpus), this.#words, bytesMax, random);
  }

  /** @returns what was wrong with it */
  async #run(input: Uint8Array): Promise<string | undefined> {
    this.#executions++;
    try {
      const took = await this.#timed(input);
      if (took > allowedMs(input.length)) {
        const least = Math.min(await this.#worked(input), await this.#worked(input), await this.#worked(input));
        if (least > allowedMs(input.length)) return `it takes ${least.toFixed(0)} ms for ${input.length} bytes`;
      }
      this.#slowest = Math.max(this.#slowest, took);
      return undefined;
    } catch (error) {
      return error instanceof Error ? (error.stack ?? error.message) : String(error);
    }
  }

  async #timed(input: Uint8Array): Promise<number> {
    const begun = performance.now();
    const running = this.#target.run(input);
    if (running !== undefined) await running;
    return performance.now() - begun;
  }

  /** @returns what it takes of the processor: on a machine that is busy all else takes long */
  async #worked(input: Uint8Array): Promise<number> {
    const begun = process.cpuUsage();
    const running = this.#target.run(input);
    if (running !== undefined) await running;
    const { user, system } = process.cpuUsage(begun);
    return (user + system) / 1_000;
  }

  #outcome(failure: Failure | undefined): Outcome {
    return { executions: this.#executions, found: this.#found, failure, slowest: this.#slowest };
  }
}
