// A log of which the store has lost something: it has another epoch from then on, and all nodes tell each other how they knew the one
// before. Where all was that anybody has known of, it goes on; where some of it is missing, that is found out.
import { isPosition } from './answers';
import type { Before, Known } from './known';
import { Impatience, type Patience } from './patience';
import type { Store } from './store';

/** What a renewal needs of the server. */
export interface RenewalContext {
  readonly store: Store;
  readonly patience: Patience;
  /**
   * A log has another epoch: all nodes tell each other how they knew the one before.
   * @returns what the others have known; undefined if one does not answer
   */
  announce(log: string, epoch: string, known: Known): Promise<readonly Known[] | undefined>;
  /** Something else than was expected has come from the store. */
  report(error: unknown, where: string): void;
}

const epochsMax = 64;

export class Renewal {
  readonly #log: string;
  readonly #context: RenewalContext;
  /** Those that the log had before, the last ones. */
  readonly #epochs: string[] = [];
  /** The one that it has from then on, as long as it is not known who goes on with it. */
  #next = '';
  #before: Before | undefined;

  /** @param log its name */
  constructor(log: string, context: RenewalContext) {
    this.#log = log;
    this.#context = context;
  }

  /** What the log was until it was renewed last. */
  get before(): Before | undefined {
    return this.#before;
  }

  /** Whether the log had an epoch before: positions of that mean something else by now. */
  hasHad(epoch: string): boolean {
    return this.#epochs.includes(epoch);
  }

  /** The store has lost something of an epoch, and nobody has said so. @param renewed is told which one the log has then */
  ask(epoch: string, renewed: (epoch: string) => void): void {
    const { store, patience } = this.#context;
    const name = this.#log;
    patience
      .until(() => store.renew(name, epoch), isPosition)
      .then(
        ([epoch]) => renewed(epoch),
        (error: unknown) => this.#failed(error),
      );
  }

  /**
   * The log has another epoch.
   * @param settled is told which one it has once all nodes have told each other, and whether all was here that they have known
   */
  begin(epoch: string, before: Before, settled: (epoch: string, isWhole: boolean) => void): void {
    this.#settle(epoch, before, settled).catch((error: unknown) => this.#failed(error));
  }

  async #settle(epoch: string, before: Before, settled: (epoch: string, isWhole: boolean) => void): Promise<void> {
    this.#before = before;
    this.#epochs.push(before.epoch);
    if (this.#epochs.length > epochsMax) this.#epochs.shift();
    this.#next = epoch;
    const others = await this.#context.announce(this.#log, before.epoch, before.known);
    for (const known of others ?? []) before.add(known);
    // Who does not answer may have known more, and of an epoch that has come and gone meanwhile nobody has known anything.
    if (others === undefined || this.#next !== epoch) before.isWhole = false;
    settled(this.#next, before.isWhole);
  }

  /** The log has still another epoch, before it is settled. */
  again(epoch: string): void {
    this.#next = epoch;
  }

  /** The others are told how the log was known here until it was renewed: they may have gone on. */
  tell(): void {
    const before = this.#before;
    if (before !== undefined) this.#context.announce(this.#log, before.epoch, before.known).catch(() => {});
  }

  #failed(error: unknown): void {
    if (!(error instanceof Impatience)) this.#context.report(error, 'renewing a log');
  }
}
