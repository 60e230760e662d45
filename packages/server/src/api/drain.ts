// How a server is left that is about to stop: its clients go one after the other to the servers that share its store, and what was begun
// is finished. A server alone has nobody to send them to: it waits until all is answered.
import type { Platform } from '../base/platform';
import type { Running } from '../namespace/handling';
import type { Session } from '../session/session';

export interface DrainContext {
  readonly platform: Platform;
  readonly sessions: Iterable<Session>;
  /** Whether other servers go on with them. */
  readonly isShared: boolean;
  readonly running: Running;
}

/** It is looked so often who is to go, and whether all is done, in milliseconds. */
const stepMs = 20;
/** They go within this part of the time: the rest is for what was begun. */
const leavingPart = 0.8;
/** No fewer go in a second, if there are so many. */
const leavingPerSecondMin = 100;

export class Drain {
  readonly #context: DrainContext;
  #isOver = false;

  constructor(context: DrainContext) {
    this.#context = context;
  }

  /** @returns once nothing is left to be done, or after `drainMs` milliseconds */
  async run(drainMs: number): Promise<void> {
    const { platform, sessions, isShared } = this.#context;
    const begunAt = platform.now();
    const leaving = isShared ? [...sessions] : [];
    const perMs = Math.max(leaving.length / (drainMs * leavingPart), leavingPerSecondMin / 1_000);
    let told = 0;
    while (!this.#isOver) {
      const passedMs = platform.now() - begunAt;
      for (const session of leaving.slice(told, (passedMs + stepMs) * perMs)) {
        session.goElsewhere();
        told++;
      }
      if (passedMs >= drainMs || (told === leaving.length && this.#isDone())) return;
      await new Promise<void>((resolve) => platform.after(stepMs, resolve));
    }
  }

  /** It is not waited for any longer. */
  end(): void {
    this.#isOver = true;
  }

  #isDone(): boolean {
    const { sessions, running } = this.#context;
    if (running.count > 0) return false;
    for (const session of sessions) if (!session.hasSaidAll) return false;
    return true;
  }
}
