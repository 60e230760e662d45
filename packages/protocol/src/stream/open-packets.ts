// What a peer has sent and its owner has not settled, in the order in which it was begun: what is put off comes last. It is a list, and
// no Map: one through which everything passes is built anew all the time, and V8 has each that is old already hold those after it, so
// that to collect what is young takes milliseconds.

export interface OpenPacket {
  readonly number: number;
  /** When it has come. */
  readonly comeAt: number;
  /** When its owner has begun with it, as far as is known; Infinity while that puts it off. */
  since: number;
  readonly size: number;
  /** What the peer waits for, until it is said. */
  ack: number | undefined;
}

export class OpenPackets {
  readonly #list: OpenPacket[] = [];
  /** The highest number that there has been. */
  #newest = 0;
  /** Sizes of all, together. */
  bytes = 0;

  get count(): number {
    return this.#list.length;
  }

  /** The one that was begun first. */
  get first(): OpenPacket | undefined {
    return this.#list[0];
  }

  has(number: number): boolean {
    // Mostly it comes for the first time.
    return number <= this.#newest && this.#list.some((open) => open.number === number);
  }

  /** What the peer waits for is said. */
  answered(ack: number): void {
    const open = this.#list.find((one) => one.ack === ack);
    if (open !== undefined) open.ack = undefined;
  }

  /** The owner begins with it. @param now not before it has begun with any other */
  begin(number: number, now: number): void {
    const last = this.#list.at(-1);
    // Mostly it has come just now.
    if (last?.number === number && last.since <= now) last.since = now;
    else this.move(number, now);
  }

  move(number: number, since: number): void {
    const open = this.take(number);
    if (open === undefined) return;
    open.since = since;
    this.add(open);
  }

  /** @param packet has a number that is not among them */
  add(packet: OpenPacket): void {
    const list = this.#list;
    let at = list.length;
    while (at > 0 && (list[at - 1] as OpenPacket).since > packet.since) at--;
    if (at === list.length) list.push(packet);
    else list.splice(at, 0, packet);
    this.#newest = Math.max(this.#newest, packet.number);
    this.bytes += packet.size;
  }

  /** @returns the one that had this number, which is not among them any more */
  take(number: number): OpenPacket | undefined {
    const list = this.#list;
    // Mostly they are settled in the order in which they were begun.
    const isFirst = list[0]?.number === number;
    const at = isFirst ? 0 : list.findIndex((open) => open.number === number);
    if (at < 0) return undefined;
    const open = (isFirst ? list.shift() : list.splice(at, 1)[0]) as OpenPacket;
    this.bytes -= open.size;
    return open;
  }
}
