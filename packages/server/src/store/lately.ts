// What this node has stored last in one partition: if the store loses it, nobody else may know of it.
import type { Position } from '@halyard/protocol';
import { Recent } from '../base/recent';
import type { Commit, CommitResult, Letter } from './store';

const lettersMax = 1_024;
const lettersBytesMax = 4 << 20;
const logsMax = 16_384;
const sessionsMax = 16_384;
/** Of one log in one epoch. */
const lossesMax = 16;

/** What this node has stored, and the store has lost. */
export interface Lost {
  readonly letters: readonly Letter[];
  /** Where logs were, as far as this node has written to them. */
  readonly logs: ReadonlyMap<string, Written>;
  /** Sessions whose records this node has written, whether or not it has them still. */
  readonly sessions: readonly string[];
}

/** An entry that this node has stored. */
export interface Written {
  /** Of the commit. */
  readonly number: number;
  readonly position: Position;
  readonly stamp: number;
  /** Those in the same epoch, up to this one, that the store has lost since: the log may have something else in their places. */
  readonly lost: readonly { readonly offset: number; readonly stamp: number }[];
  /** The last one in the epoch that the log had before: others may ask for that only now. */
  readonly before: Written | undefined;
}

export class Lately {
  #letters: { readonly number: number; readonly letter: Letter }[] = [];
  #letterBytes = 0;
  /** The last entry in each log. */
  readonly #logs = new Recent<Written>(logsMax);
  /** The last commit that has written each session. */
  readonly #sessions = new Recent<number>(sessionsMax);

  add({ number, steps, records }: Commit, { positions, repeated, fenced, missing }: CommitResult): void {
    for (const [i, step] of steps.entries()) {
      if (repeated.includes(i)) continue;
      if ('to' in step) {
        // Where there was no session it waits, and is sent again anyway.
        if (positions[i]?.[1] === 0) continue;
        this.#letters.push({ number, letter: step });
        this.#letterBytes += step.body.length;
      } else if ('log' in step) {
        const position = positions[i] as Position;
        const [epoch] = position;
        const last = this.#logs.get(step.log);
        // Others may ask only when the log has gone on behind it.
        const lost = last?.position[0] === epoch ? last.lost : [];
        const before = this.#beforeEpoch(step.log, epoch);
        this.#logs.set(step.log, { number, position, stamp: step.stamp, lost, before });
      }
    }
    this.#trim();
    const unwritten = new Set([...fenced.map(([session]) => session), ...missing]);
    for (const { session, parts } of records) {
      if (unwritten.has(session)) continue;
      if (parts !== undefined) this.#sessions.set(session, number);
      else this.#sessions.delete(session);
    }
  }

  /** What was stored after a commit is lost. Letters are forgotten: they are sent again. @returns what it was */
  loseAfter(last: number): Lost {
    const letters = this.#letters.filter(({ number }) => number > last).map(({ letter }) => letter);
    this.#letters = this.#letters.filter(({ number }) => number <= last);
    for (const { body } of letters) this.#letterBytes -= body.length;
    const logs = new Map<string, Written>();
    for (const [log, written] of [...this.#logs.entries()]) {
      const { number, position, stamp } = written;
      if (number <= last) continue;
      const isKnown = written.lost.length === lossesMax || written.lost.at(-1)?.stamp === stamp;
      const lost = isKnown ? written.lost : [...written.lost, { offset: position[1], stamp }];
      logs.set(log, { ...written, lost });
      this.#logs.set(log, { ...written, lost });
    }
    const sessions = [...this.#sessions.entries()].filter(([, number]) => number > last).map(([session]) => session);
    return { letters, logs, sessions };
  }

  #trim(): void {
    let count = 0;
    for (const { letter } of this.#letters) {
      if (this.#letters.length - count <= lettersMax && this.#letterBytes <= lettersBytesMax) break;
      this.#letterBytes -= letter.body.length;
      count++;
    }
    if (count > 0) this.#letters.splice(0, count);
  }

  writtenTo(log: string, epoch: string): Written | undefined {
    const written = this.#logs.get(log);
    if (written?.position[0] === epoch) return written;
    const before = written?.before;
    return before?.position[0] === epoch ? before : undefined;
  }

  /** @returns the last entry in the epoch before this one */
  #beforeEpoch(log: string, epoch: string): Written | undefined {
    const last = this.#logs.get(log);
    return last === undefined || last.position[0] === epoch ? last?.before : { ...last, before: undefined };
  }
}
