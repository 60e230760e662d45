// What servers have not answered that they were told to take from their sockets: they stood still, or were cut off. They are told again
// until they answer, and those that are gone once they are there again.
import type { HalyardError, Value } from '@halyard/protocol';
import type { Inbox } from '../store/inbox';

export interface UntoldContext {
  readonly inbox: Pick<Inbox, 'ask' | 'nodes'>;
  /** What they are asked: with a list of messages. */
  readonly kind: string;
  readonly ackTimeoutMs: number;
  /** Milliseconds of a clock that does not go back. */
  now(): number;
  later(delayMs: number, run: () => void): void;
}

/** A server that is gone for longer does not come back. */
export const goneMsMax = 600_000;
/** So many messages are kept for one that does not answer: the newest. */
export const untoldMax = 4_096;
/** It is told again after so many milliseconds. */
export const againMs = 1_000;

interface Waiting {
  readonly messages: Set<Value>;
  /** Whether it is being told, or will be in a moment. */
  isTold: boolean;
}

export class Untold {
  readonly #context: UntoldContext;
  /** Since when servers are gone that may come back. */
  readonly #gone = new Map<string, number>();
  readonly #waiting = new Map<string, Waiting>();

  constructor(context: UntoldContext) {
    this.#context = context;
  }

  left(node: string): void {
    const now = this.#context.now();
    for (const [one, at] of this.#gone) {
      if (now - at <= goneMsMax) continue;
      this.#gone.delete(one);
      this.#waiting.delete(one);
    }
    this.#gone.set(node, now);
  }

  joined(node: string): void {
    this.#gone.delete(node);
    this.#tell(node);
  }

  /** @param missing have not answered; who is gone was not asked */
  add(missing: readonly string[], message: Value): void {
    for (const node of new Set([...missing, ...this.#gone.keys()])) {
      // Nobody would hear of it if it came back.
      if (!this.#gone.has(node) && !this.#context.inbox.nodes.includes(node)) continue;
      const waiting = this.#waiting.get(node) ?? { messages: new Set(), isTold: false };
      this.#waiting.set(node, waiting);
      const { messages } = waiting;
      messages.add(message);
      const [oldest] = messages;
      if (messages.size > untoldMax) messages.delete(oldest as Value);
      this.#tell(node);
    }
  }

  /** Until it answers, or is gone. */
  #tell(node: string): void {
    const { inbox, kind, ackTimeoutMs, later } = this.#context;
    const waiting = this.#waiting.get(node);
    if (waiting === undefined || waiting.isTold || !inbox.nodes.includes(node)) return;
    waiting.isTold = true;
    const told = [...waiting.messages];
    inbox.ask(node, kind, told, ackTimeoutMs).then(
      () => {
        waiting.isTold = false;
        for (const message of told) waiting.messages.delete(message);
        if (waiting.messages.size > 0) this.#tell(node);
        else this.#waiting.delete(node);
      },
      (error) => {
        if ((error as HalyardError).code === 'ERR_INBOX_CLOSED') return;
        later(againMs, () => {
          waiting.isTold = false;
          this.#tell(node);
        });
      },
    );
  }
}
