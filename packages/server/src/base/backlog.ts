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
    this.#tell(packets < 0);
  }

  /** Nobody is held back for what waits, or comes, from now on. */
  end(): void {
    this.#isOver = true;
    this.#tell(true);
  }

  /** @param goesOn told also where as much waits as before: the time of who is held back counts anew */
  #tell(goesOn: boolean): void {
    const { waitingPacketsMax, waitingBytesMax } = this.#limits;
    const isByPackets = this.#packets >= waitingPacketsMax;
    const isFull = (isByPackets || this.#bytes >= waitingBytesMax) && !this.#isOver;
    const limit = isByPackets ? 'waitingPacketsMax' : 'waitingBytesMax';
    const isNews = goesOn || isFull !== this.#isFull;
    if (this.#isFull && isNews) this.#full(false, limit);
    if (isFull && isNews) this.#full(true, limit);
    this.#isFull = isFull;
  }
}
