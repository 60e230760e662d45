// The time of one process among others in virtual time: it may stand still for a while, as a machine that sleeps, and what would have
// happened meanwhile happens when it goes on. The time of day may be set, too.
import type { Link, Transport } from '@halyard/client/core';
import type { VirtualClock } from '@halyard/harness/clock';
import { ServerClock } from '../kit/server-clock';

export class HaltingTime extends ServerClock {
  readonly #clock: VirtualClock;
  #haltedUntil = 0;
  #waiting: (() => void)[] = [];
  /** How far the time of day is from that of the others, in milliseconds. */
  aheadMs = 0;

  constructor(clock: VirtualClock) {
    super(clock);
    this.#clock = clock;
  }

  override wall(): number {
    // Nobody's time of day is before 1970.
    return Math.max(super.wall() + this.aheadMs, 0);
  }

  override after(delayMs: number, run: () => void): () => void {
    let isCancelled = false;
    const cancel = this.#clock.after(delayMs, () => this.gate(() => isCancelled || run()));
    return () => {
      isCancelled = true;
      cancel();
    };
  }

  override soon(run: () => void): void {
    setImmediate(() => this.gate(run));
  }

  /** Runs something, once it does not stand still. */
  gate(run: () => void): void {
    if (this.isGone) return;
    // In the moment in which it goes on, too, what came before is first.
    if (this.#clock.now() < this.#haltedUntil || this.#waiting.length > 0) this.#waiting.push(run);
    else run();
  }

  get isHalted(): boolean {
    return this.#clock.now() < this.#haltedUntil;
  }

  halt(ms: number): void {
    this.#haltedUntil = Math.max(this.#haltedUntil, this.#clock.now() + ms);
    this.#clock.after(ms, () => {
      if (this.#clock.now() < this.#haltedUntil) return;
      for (const run of this.#waiting.splice(0)) this.gate(run);
    });
  }
}

export interface GatedOptions {
  readonly time: HaltingTime;
  /** Whether a message of a room comes twice, which a client MUST ignore. */
  doubles(): boolean;
}

/** @returns a transport whose events wait as long as their process stands still */
export function gated(transport: Transport, { time, doubles }: GatedOptions): Transport {
  return {
    open(address, { onOpen, onFrame, onClose }) {
      let isClosed = false;
      const gate = (run: () => void): void => time.gate(() => isClosed || run());
      const link = transport.open(address, {
        onOpen: () => gate(onOpen),
        onFrame(frame) {
          gate(() => onFrame(frame));
          if (isPublish(frame) && doubles()) gate(() => onFrame(frame));
        },
        onClose: (close) => gate(() => onClose(close)),
      });
      const close = link.close.bind(link);
      link.close = (code, reason) => {
        isClosed = true;
        close(code, reason);
      };
      const better = Object.getOwnPropertyDescriptor(link, 'better')?.get;
      Object.defineProperty(link, 'better', {
        get() {
          const inner = better?.call(link) as Link['better'];
          return inner && { ...inner, ...gated(inner, { time, doubles }) };
        },
      });
      return link;
    },
  };
}

/** Whether a frame of JSON or of MessagePack is a PUBLISH: a list of five that begins with its type. */
function isPublish(frame: string | Uint8Array): boolean {
  return typeof frame === 'string' ? frame.startsWith('[5,') : frame[0] === 0x95 && frame[1] === 5;
}
