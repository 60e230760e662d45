// All the connections of one load process, and the pattern they follow. A connection that fails fails the swarm: a
// measurement with fewer peers than it says would be a lie.
import type { ConnectOrder, LoadOptions, LoadTally } from '../contract/operations';
import { payloadOf, roomsOf } from '../contract/plan';
import type { Dialect } from './dialect';
import { loadDialect } from './dialects';
import type { Pattern } from './pattern';
import { Peer, type PeerOwner } from './peer';

const openingMax = 128;
const openTimeoutMs = 30_000;
const confirmEveryMs = 1_000;
/** A turn of the event loop in which nothing comes takes no longer, unless something else has the processor. */
const idleTurnMsMax = 0.05;

export class Swarm implements PeerOwner {
  readonly tally: LoadTally = { replies: 0, deliveries: 0, heartbeats: 0 };
  readonly dialect: Dialect;
  readonly peers: Peer[] = [];
  readonly options: LoadOptions;
  readonly payload;
  /** How long it looked whether something had come, and nothing had, in milliseconds. */
  idleMs = 0;
  #hasRead = false;
  #pattern: Pattern | undefined;
  #failure: Error | undefined;
  #mayLose = false;
  #opened: ((peer: Peer) => void) | undefined;

  constructor(options: LoadOptions, dialect: Dialect) {
    this.options = options;
    this.dialect = dialect;
    this.payload = payloadOf(options.plan);
    setInterval(() => {
      for (const peer of this.peers) peer.confirm();
    }, confirmEveryMs).unref();
  }

  static async create(options: LoadOptions): Promise<Swarm> {
    return new Swarm(options, await loadDialect(options.dialect));
  }

  get port(): number {
    return this.options.port;
  }

  /** Opens so many peers more, and joins their rooms. @returns how long it took, in milliseconds */
  async connect({ count, port = this.port, isOutside = false }: ConnectOrder): Promise<number> {
    const first = this.peers.length;
    const start = performance.now();
    const fresh = Array.from({ length: count }, (_, i) => new Peer(this, first + i));
    for (const peer of fresh) peer.port = port;
    this.peers.push(...fresh);
    await this.open(fresh);
    if (!isOutside) await this.#join(fresh);
    return performance.now() - start;
  }

  /** Opens these peers, a bounded number at a time. */
  open(peers: readonly Peer[]): Promise<void> {
    return new Promise((resolve, reject) => {
      let started = 0;
      let opened = 0;
      if (peers.length === 0) return resolve();
      const next = () => {
        const peer = peers[started++];
        peer?.connect();
      };
      const timer = setTimeout(() => {
        reject(this.#failure ?? new Error(`${opened} of ${peers.length} opened within ${openTimeoutMs} ms`));
      }, openTimeoutMs);
      this.#opened = () => {
        opened++;
        if (opened < peers.length) return next();
        clearTimeout(timer);
        this.#opened = undefined;
        resolve();
      };
      for (let i = 0; i < Math.min(openingMax, peers.length); i++) next();
    });
  }

  start(pattern: Pattern): void {
    this.check();
    this.#pattern = pattern;
    pattern.start(this.peers);
    this.#watch(pattern, performance.now());
  }

  async stop(): Promise<void> {
    try {
      await this.#pattern?.stop();
    } finally {
      this.#pattern = undefined;
    }
    this.check();
  }

  /** @throws if a connection has failed */
  check(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Resolves once so many deliveries have been counted in all. */
  async until(deliveries: number, timeoutMs: number): Promise<void> {
    const end = performance.now() + timeoutMs;
    while (this.tally.deliveries < deliveries) {
      this.check();
      if (performance.now() > end) {
        throw new Error(`${deliveries - this.tally.deliveries} deliveries are missing after ${timeoutMs} ms`);
      }
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    if (this.tally.deliveries > deliveries) {
      throw new Error(`${this.tally.deliveries - deliveries} deliveries more than were sent`);
    }
  }

  opened(peer: Peer): void {
    this.#opened?.(peer);
  }

  arrived(peer: Peer, replies: number, deliveries: number): void {
    this.tally.replies += replies;
    this.tally.deliveries += deliveries;
    this.#pattern?.arrived(peer, replies, deliveries);
  }

  read(): void {
    this.#hasRead = true;
  }

  heartbeat(): void {
    this.tally.heartbeats++;
  }

  /** From now on connections may end by themselves. */
  expectLoss(): void {
    this.#mayLose = true;
  }

  failed(peer: Peer, reason: string): void {
    if (!this.#mayLose) this.#failure ??= new Error(`connection ${peer.index}: ${reason}`);
  }

  /**
   * Never sleeps while it follows a pattern: a server that sends to a sleeping peer on the same machine pays for waking it,
   * a slower server for more of its messages, and no server pays that for a peer on another machine.
   */
  #watch(pattern: Pattern, before: number): void {
    if (this.#pattern !== pattern || this.#failure !== undefined) return;
    const now = performance.now();
    if (!this.#hasRead) this.idleMs += Math.min(now - before, idleTurnMsMax);
    this.#hasRead = false;
    setImmediate(() => this.#watch(pattern, now));
  }

  async #join(peers: readonly Peer[]): Promise<void> {
    let expected = this.tally.replies;
    for (const peer of peers) {
      for (const [place, room] of roomsOf(this.options.plan, peer.index).entries()) {
        peer.write(this.dialect.event('join', [room], place + 1));
        expected++;
      }
    }
    const end = performance.now() + openTimeoutMs;
    while (this.tally.replies < expected) {
      this.check();
      if (performance.now() > end) throw new Error(`${expected - this.tally.replies} joins were not answered`);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }
}
