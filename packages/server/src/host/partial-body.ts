// A body that comes in parts, as uWebSockets.js hands them on: kept until it is whole, bounded like that of `readBody`.
import type { Platform } from '../base/platform';
import type { Bodies } from './bodies';
import { Gathered } from './gathered';
import { bodyMsMax, type HostLimits, type HttpAnswer } from './host';
import { bodiesFull, bodyTooBig, bodyTooLong } from './json-error';

export class PartialBody {
  readonly #limits: HostLimits;
  readonly #refuse: (answer: HttpAnswer, last?: boolean) => void;
  readonly #bodies: Bodies;
  readonly #held: ReturnType<Bodies['begin']>;
  readonly #cancel: () => void;
  readonly #gathered = new Gathered();
  #isOver = false;

  /** @param refuse answers in its place. @param refuse.last whether the connection ends with that */
  constructor(
    limits: HostLimits,
    platform: Platform,
    bodies: Bodies,
    refuse: (answer: HttpAnswer, last?: boolean) => void,
  ) {
    const { bodyTimeoutMs = bodyMsMax } = limits;
    this.#limits = limits;
    this.#refuse = refuse;
    this.#bodies = bodies;
    this.#held = bodies.begin();
    this.#cancel = platform.after(bodyTimeoutMs, () => this.#refused(bodyTooLong(bodyTimeoutMs), true));
  }

  /** @param part which is detached when this returns @returns the body, once it is whole */
  add(part: ArrayBuffer, last: boolean): Uint8Array | undefined {
    const { httpBodyBytesMax } = this.#limits;
    if (this.#isOver) return undefined;
    if (this.#gathered.bytes + part.byteLength > httpBodyBytesMax) this.#refused(bodyTooBig(httpBodyBytesMax));
    else if (!this.#held.add(part.byteLength)) this.#refused(bodiesFull(this.#bodies.bytesMax));
    else {
      this.#gathered.add(new Uint8Array(part));
      if (!last) return undefined;
      const whole = this.#gathered.take();
      this.end();
      return whole;
    }
    return undefined;
  }

  /** Nobody waits for it any more. */
  end(): void {
    this.#isOver = true;
    this.#gathered.clear();
    this.#held.end();
    this.#cancel();
  }

  #refused(answer: HttpAnswer, last?: boolean): void {
    this.end();
    this.#refuse(answer, last);
  }
}
