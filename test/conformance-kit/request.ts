// A request of polling, as who answers it has it.

export interface Request {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  answer(status: number, headers: Readonly<Record<string, string>>, body: string | Buffer): void;
  /** The connection breaks, and nobody hears the answer. */
  lose(): void;
}
