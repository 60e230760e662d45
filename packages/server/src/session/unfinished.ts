// Sessions that this server has let go, or is about to take, with events whose handlers are running elsewhere or here: whoever asks once
// more, for another connection or because the answer came too late, is to know of those too.
import type { OpenElsewhere } from './handover';

export class Unfinished {
  /** The oldest first. */
  readonly #bySession = new Map<string, { readonly at: number; readonly open: readonly OpenElsewhere[] }>();
  readonly #keptMs: number;

  /** @param keptMs for so long a session is kept that no server goes on with: nobody asks after that */
  constructor(keptMs: number) {
    this.#keptMs = keptMs;
  }

  get size(): number {
    return this.#bySession.size;
  }

  keep(session: string, open: readonly OpenElsewhere[], now: number): void {
    for (const [id, { at }] of this.#bySession) {
      if (now - at <= this.#keptMs) break;
      this.#bySession.delete(id);
    }
    this.#bySession.delete(session);
    if (open.some(([, numbers]) => numbers.length > 0)) this.#bySession.set(session, { at: now, open });
  }

  of(session: string): readonly OpenElsewhere[] {
    return this.#bySession.get(session)?.open ?? [];
  }

  /** A server goes on with it, which knows of them itself. */
  delete(session: string): void {
    this.#bySession.delete(session);
  }
}
