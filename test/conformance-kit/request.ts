// A request of polling or sse, as who answers it has it.

export interface Request {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  answer(status: number, headers: Readonly<Record<string, string>>, body: string | Buffer): void;
  /** Begins an answer that does not end. @param onGone the client is gone, or it was ended */
  begin(headers: Readonly<Record<string, string>>, onGone: () => void): Stream;
  /** The connection breaks, and nobody hears the answer. */
  lose(): void;
}

/** MUST NOT throw once it is over. */
export interface Stream {
  write(text: string): void;
  end(): void;
  /** The connection breaks. */
  lose(): void;
}
