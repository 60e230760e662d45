// How a server is left that is about to stop: its clients are told when, and go one after the other to the servers that share its store
// (docs/PROTOCOL.md §5.12); and what was begun is finished. A server alone has nobody to send them to: it waits until all is answered.
import type { Platform } from '../base/platform';
import type { Running } from '../namespace/handling';
import type { Sessions } from '../session/directory';
import type { Session } from '../session/session';

export interface DrainContext {
  readonly platform: Platform;
  readonly sessions: Iterable<Session> & Pick<Sessions, 'underWay'>;
  /** Whether other servers go on with them. */
  readonly isShared: boolean;
  readonly running: Running;
}

/** It is looked so often who is to go, and whether all is done, in milliseconds. */
const stepMs = 20;
/** Who comes in meanwhile is looked for so often, in milliseconds. */
const lookMs = 200;
/** They go within this part of the time: the rest is for what was begun. */
const leavingPart = 0.8;
/** Who was told to leave has so long for the way to another server, or this part of the time, before it is sent off, in milliseconds. */
const graceMsMax = 2_000;
const gracePart = 0.4;
/** So many are told in one step, and no fewer than are to leave in it: all of them at once would hold up the rest. */
const toldMax = 500;
/** No fewer go in a second, if there are so many. */
const leavingPerSecondMin = 100;

export class Drain {
  readonly #context: DrainContext;
  #isOver = false;
  #wake = (): void => {};

  constructor(context: DrainContext) {
    this.#context = context;
  }

  /** @returns once nothing is left to be done, or after `drainMs` milliseconds */
  async run(drainMs: number, url = ''): Promise<void> {
    const { platform, sessions, isShared } = this.#context;
    const begunAt = platform.now();
    const leaving = isShared ? [...sessions] : [];
    const graceMs = Math.min(graceMsMax, drainMs * gracePart);
    const perMs = Math.max(leaving.length / (drainMs * leavingPart - graceMs), leavingPerSecondMin / 1_000);
    let told = 0;
    let gone = 0;
    const known = new Set(leaving);
    /** Who was on the way in has come since. */
    const look = (): void => {
      if (!isShared) return;
      for (const session of sessions) {
        if (known.has(session)) continue;
        known.add(session);
        leaving.push(session);
      }
    };
    let lookAt = 0;
    while (!this.#isOver) {
      const passedMs = platform.now() - begunAt;
      if (passedMs >= lookAt) {
        lookAt = passedMs + lookMs;
        look();
      }
      const first = Math.max(told + toldMax, (passedMs + stepMs) * perMs);
      for (; told < Math.min(first, leaving.length); told++)
        leaving[told]?.sayDrain(Math.max(0, Math.round(told / perMs - passedMs)), url);
      for (; gone < told; gone++) {
        const session = leaving[gone];
        if (session?.isAway === false && gone / perMs + graceMs > passedMs) break;
        session?.goElsewhere();
      }
      if (passedMs >= drainMs) return;
      if (gone === leaving.length && this.#isDone()) {
        look();
        if (gone === leaving.length) return;
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        platform.after(stepMs, resolve);
      });
    }
  }

  /** It is not waited for any longer. */
  end(): void {
    this.#isOver = true;
    this.#wake();
  }

  #isDone(): boolean {
    const { sessions, running } = this.#context;
    if (running.count > 0 || sessions.underWay > 0) return false;
    for (const session of sessions) if (!session.isAtRest) return false;
    return true;
  }
}
