// What connections of one transport and one codec carry, summed up. Frames are counted from when somebody wants to know.
import type { Frame } from '@halyard/protocol';
import type { Budget } from './budget';

export class Traffic {
  readonly transport: string;
  readonly codec: string;
  /** Whether frames are counted. */
  isCounted = false;
  opened = 0;
  closed = 0;
  packetsIn = 0;
  packetsOut = 0;
  bytesIn = 0;
  bytesOut = 0;
  readonly #budget: Budget;
  /** Of texts whose bytes were counted: those beyond the budget are taken to have as many for each character. */
  #chars = 0;
  #charBytes = 0;

  constructor(transport: string, codec: string, budget: Budget) {
    this.transport = transport;
    this.codec = codec;
    this.#budget = budget;
  }

  received(bytes: number): void {
    this.packetsIn++;
    this.bytesIn += bytes;
  }

  /** @param receivers how many got it */
  sent(frame: Frame, receivers = 1): void {
    this.packetsOut += receivers;
    this.bytesOut += (typeof frame === 'string' ? this.#bytesOf(frame) : frame.length) * receivers;
  }

  #bytesOf(text: string): number {
    if (this.#budget.weight() === 0 && this.#chars > 0)
      return Math.round((text.length * this.#charBytes) / this.#chars);
    const bytes = Buffer.byteLength(text);
    this.#chars += text.length;
    this.#charBytes += bytes;
    return bytes;
  }
}

/** @returns bytes */
export function sizeOf(frame: Frame): number {
  return typeof frame === 'string' ? Buffer.byteLength(frame) : frame.length;
}
