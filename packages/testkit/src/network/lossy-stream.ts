// An answer that does not end, on its way from a server to a client's `fetch`, in virtual time: it keeps its order, and breaks where
// something of it is lost.
import { TextEncoder } from 'node:util';
import type { HttpStream } from '@halyard/server';

export interface Way {
  /** @returns how long the next text takes, in milliseconds */
  latencyMs(): number;
  /** Whether the next text is lost. */
  loses(): boolean;
  /** @returns where text of so many bytes is cut in two */
  cutsAt(bytes: number): number;
  /** Whether nobody tells the client of the loss. */
  isUnnoticed(): boolean;
  now(): number;
  after(delayMs: number, run: () => void): void;
}

interface Read {
  readonly done: boolean;
  readonly value: Uint8Array | undefined;
}

/** So much may be written that the client has not read, until no more is taken: what there is room for on the way. */
const wayBytesMax = 2_048;

export class LossyStream implements HttpStream {
  onDrain: (() => void) | undefined = undefined;
  onGone: (() => void) | undefined = undefined;
  isWritable = true;
  readonly #way: Way;
  /** Bytes that are written, and not read. */
  #unread = 0;
  /** When the last text is there. */
  #lastAt = 0;
  readonly #arrived: (Read | Error)[] = [];
  #reading: { resolve(read: Read): void; reject(error: unknown): void } | undefined;
  #isOver = false;

  constructor(way: Way) {
    this.#way = way;
  }

  write(text: string): void {
    if (this.#isOver) return;
    if (this.#way.loses()) this.break();
    else {
      const bytes = new TextEncoder().encode(text);
      const at = this.#way.cutsAt(bytes.length);
      for (const value of [bytes.subarray(0, at), bytes.subarray(at)])
        if (value.length) this.#send({ done: false, value });
      this.#unread += bytes.length;
      if (this.#unread >= wayBytesMax) this.isWritable = false;
    }
  }

  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#send({ done: true, value: undefined });
  }

  cut(): void {
    this.break();
  }

  /** It is lost: the server is told later, and so is the client, unless nobody tells it. */
  break(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (!this.#way.isUnnoticed()) this.#send(new TypeError('terminated'));
    this.#way.after(this.#way.latencyMs(), () => this.onGone?.());
  }

  /** The client reads no more. @param error what its read rejects with */
  abort(error: unknown): void {
    this.#reading?.reject(error);
    this.#reading = undefined;
    this.#arrived.push(new TypeError('aborted'));
    if (this.#isOver) return;
    this.#isOver = true;
    this.#way.after(this.#way.latencyMs(), () => this.onGone?.());
  }

  /** As that of a `Response`, as much of it as a transport needs. */
  readonly body = {
    getReader: () => ({
      read: (): Promise<Read> =>
        new Promise((resolve, reject) => {
          this.#reading = { resolve, reject };
          this.#next();
        }),
    }),
  };

  #send(what: Read | Error): void {
    this.#lastAt = Math.max(this.#lastAt, this.#way.now() + this.#way.latencyMs());
    this.#way.after(this.#lastAt - this.#way.now(), () => {
      this.#arrived.push(what);
      this.#next();
    });
  }

  #next(): void {
    if (this.#reading === undefined || this.#arrived.length === 0) return;
    const { resolve, reject } = this.#reading;
    this.#reading = undefined;
    const what = this.#arrived.shift() as Read | Error;
    if (what instanceof Error) reject(what);
    else {
      this.#unread -= what.value?.length ?? 0;
      if (!this.isWritable && this.#unread < wayBytesMax) this.#drain();
      resolve(what);
    }
  }

  /** There is room again, and the server hears of it. */
  #drain(): void {
    this.#way.after(this.#way.latencyMs(), () => {
      if (this.isWritable || this.#isOver || this.#unread >= wayBytesMax) return;
      this.isWritable = true;
      this.onDrain?.();
    });
  }
}
