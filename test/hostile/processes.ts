// What the processes of the long run ask each other: the server that is attacked, and the honest clients, each in one of its own.
import { type ChildProcess, fork } from 'node:child_process';

export interface Memory {
  /** After a collection of garbage, in bytes: what JavaScript keeps. */
  readonly heap: number;
  /** What buffers outside of the heap keep, in bytes. */
  readonly external: number;
  /** The most that the process had of the machine since it was asked before, in bytes. */
  readonly peak: number;
  readonly sockets: number;
  /** What the server's `error` event has told of since then. */
  readonly errors: readonly string[];
}

export interface Noticed {
  readonly trips: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  readonly faults: readonly string[];
}

/** A process that answers one question at a time. */
export class Asked<Answer> {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** @returns it, and what it has said first */
  static async start<First, Answer>(program: string, ...args: string[]): Promise<[Asked<Answer>, First]> {
    const file = new URL(program, import.meta.url);
    const child = fork(file, args, { execArgv: ['--expose-gc'] });
    return [new Asked<Answer>(child), await heard<First>(child)];
  }

  ask(): Promise<Answer> {
    const answer = heard<Answer>(this.#child);
    this.#child.send('ask');
    return answer;
  }

  async end(): Promise<void> {
    const over = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.disconnect();
    await over;
  }
}

function heard<T>(child: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) => {
    const gone = (code: number | null): void => reject(new Error(`a process has ended with ${code}`));
    child.once('exit', gone);
    child.once('message', (message) => {
      child.off('exit', gone);
      resolve(message as T);
    });
  });
}

/** In a process that was started so: says something first, and answers what is asked. Ends with who has started it. */
export function answering<First, Answer>(first: First, answer: () => Promise<Answer>, end: () => Promise<void>): void {
  const send = (said: unknown): void => {
    if (process.send === undefined) throw new Error('this is started by the long run, in a process of its own');
    process.send(said);
  };
  process.on('message', () => {
    void answer().then(send);
  });
  process.on('disconnect', () => {
    void end().then(() => process.exit());
  });
  send(first);
}
