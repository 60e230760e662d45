// What all outboxes of a server may hold together, and who is told when they hold more.

export class OutboxBudget {
  /** What they hold: bytes, or characters of text. */
  bytes = 0;
  readonly #bytesMax: number;
  readonly #exceeded: () => void;
  #isTold = false;

  /** @param exceeded is told once, until `settle` is called */
  constructor(bytesMax: number, exceeded: () => void) {
    this.#bytesMax = bytesMax;
    this.#exceeded = exceeded;
  }

  add(bytes: number): void {
    this.bytes += bytes;
    if (this.bytes <= this.#bytesMax || this.#isTold) return;
    this.#isTold = true;
    this.#exceeded();
  }

  /** Something was done about it. */
  settle(): void {
    this.#isTold = false;
  }
}
