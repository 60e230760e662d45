// How much of one client waits for the app, by number and by bytes: who holds the client back is told when it is as much as a limit lets.

export interface BacklogLimits {
  readonly waitingPacketsMax: number;
  readonly waitingBytesMax: number;
}

export class Backlog {
  readonly #limits: BacklogLimits;
  readonly #full: (isFull: boolean, limit: keyof BacklogLimits) => void;
  #packets = 0;
  #bytes = 0;
  #isFull = false;
  #isOver = false;

  /** @param full told when as much waits as a limit lets, and when no more as much does */
  constructor(limits: BacklogLimits, full: (isFull: boolean, limit: keyof BacklogLimits) => void) {
    this.#limits = limits;
    this.#full = full;
  }

  get packets(): number {
    return this.#packets;
  }

  /** So many more wait, or fewer. */
  move(packets: number, bytes: number): void {
    this.#packets += packets;
    this.#bytes += bytes;
    // It goes on, though not far enough: the time of who waits counts anew.
    if (packets < 0) this.#let();
    this.#tell();
  }

  /** Nobody is held back for what waits, or comes, from now on. */
  end(): void {
    this.#isOver = true;
    this.#tell();
  }

  #let(): void {
    if (!this.#isFull) return;
    this.#isFull = false;
    this.#full(false, 'waitingPacketsMax');
  }

  #tell(): void {
    const { waitingPacketsMax, waitingBytesMax } = this.#limits;
    const isByPackets = this.#packets >= waitingPacketsMax;
    const isFull = (isByPackets || this.#bytes >= waitingBytesMax) && !this.#isOver;
    if (isFull === this.#isFull) return;
    this.#isFull = isFull;
    this.#full(isFull, isByPackets ? 'waitingPacketsMax' : 'waitingBytesMax');
  }
}
