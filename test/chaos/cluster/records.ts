// What the processes of a run write down, each for itself and in a file of its own, one record a line: what a server had written
// when it was killed is there.
import { appendFileSync, closeSync, openSync, readFileSync, writeSync } from 'node:fs';

export type EventKind = 'echo' | 'say' | 'order' | 'direct' | 'slow' | 'join' | 'leave';

export type NodeRecord =
  | readonly ['up', node: string, at: number]
  /** Something for a room: in plain, with an id of the server's own, for which event; under a key, with that as its id. */
  | readonly ['said', room: string, id: string, event?: string]
  /** `emitDurable` has resolved. */
  | readonly ['stored', id: string]
  | readonly ['begun', client: string, number: number, redelivered: boolean]
  | readonly ['done', client: string, number: number]
  | readonly ['open', socket: string, client: string, recovered: boolean]
  | readonly ['moved', socket: string]
  | readonly ['over', socket: string, by: string, text: string]
  | readonly ['expired', socket: string]
  | readonly ['breach', text: string]
  /** Once a second: how late a timer was, and how much of a processor was used since the last one. */
  | readonly ['pulse', at: number, lateMs: number, cpuMs: number]
  /** Closed in order: it was not killed. */
  | readonly ['end'];

export type ClientRecord =
  | readonly ['connected', client: string, socket: string, recovered: boolean, reason: string | undefined, at: number]
  | readonly ['lost', client: string, reason: string, at: number]
  /** It goes on over another connection, and nobody was told of an end of the one before. */
  | readonly ['moved', client: string, at: number]
  /** An attempt to connect has failed. */
  | readonly ['failed', client: string, reason: string, at: number]
  | readonly ['sent', client: string, number: number, kind: EventKind, what: string]
  | readonly ['settled', client: string, number: number, outcome: string]
  /** Of a room, or an answer to `echo`, or from another client. */
  | readonly ['got', client: string, from: string, id: string]
  /** How long after a server was killed it had an answer from another. */
  | readonly ['back', client: string, kill: number, afterMs: number]
  | readonly ['breach', client: string, text: string];

export const own = 'own';
export const mail = 'mail';

/** Written at once: a process that is killed may be asked for nothing more. */
export class Book<Entry> {
  readonly #file: number;

  constructor(path: string) {
    this.#file = openSync(path, 'a');
  }

  readonly write = (...records: Entry[]): void => {
    writeSync(this.#file, records.map((record) => `${JSON.stringify(record)}\n`).join(''));
  };

  close(): void {
    closeSync(this.#file);
  }
}

/** Written when it is flushed, by a process that nobody kills. */
export class Pad<Entry> {
  readonly #path: string;
  #lines: string[] = [];

  constructor(path: string) {
    this.#path = path;
  }

  readonly write = (record: Entry): void => {
    this.#lines.push(JSON.stringify(record));
  };

  flush(): void {
    if (this.#lines.length === 0) return;
    appendFileSync(this.#path, this.#lines.map((line) => `${line}\n`).join(''));
    this.#lines = [];
  }
}

/** @returns what was written, without a last line that was cut */
export function readRecords<Entry>(path: string): Entry[] {
  const lines = readFileSync(path, 'utf8').split('\n');
  return lines.slice(0, -1).map((line) => JSON.parse(line) as Entry);
}
