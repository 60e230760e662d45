// What a visit of the doctor knows: where it goes, what it may do there, and what the checks have found so far.
import type { TransportName } from '@halyard/client';
import type { Codec } from '@halyard/codec';
import type { SessionSettings, Value } from '@halyard/protocol';
import type { Target } from '../base/target';
import { type Answer, Asker, type Question } from '../probe/http';
import type { Opening } from '../probe/line';
import { openLine } from '../probe/open-line';

export interface VisitOptions {
  readonly target: Target;
  readonly codec: Codec;
  /** Of the pages that are to connect; undefined if only the server's own. */
  readonly origin: string | undefined;
  readonly auth: Value | undefined;
  /** What each answer may take. */
  readonly waitMs: number;
  /** For how long connections are left silent; 0 for not at all. */
  readonly idleMs: number;
}

/** Of what the client sends no larger one by itself. */
const headersNone: Readonly<Record<string, string>> = {};

export class Visit {
  readonly options: VisitOptions;
  readonly asker = new Asker();
  /** Something accepts connections there. */
  isThere = false;
  /** The certificate is one that clients take; also where there is no TLS. */
  isTrusted = true;
  /** A Halyard server answers at `path`. */
  isServer = false;
  /** Where that is: another than was asked for, if that was wrong. */
  path: string;
  /** What is spoken: another than was asked for, if the server does not have that. */
  codec: Codec;
  /** Transports that carry packets both ways. */
  readonly transports = new Set<TransportName>();
  /** What WELCOME has said. */
  settings: SessionSettings | undefined;
  /** How large a body of polling may be, if that is open. */
  bodyBytesMax: number | undefined;
  /** An answer from there, with its `server` and its `date`. */
  answer: Answer | undefined;

  constructor(options: VisitOptions) {
    this.options = options;
    this.path = options.target.path;
    this.codec = options.codec;
  }

  get url(): string {
    return this.options.target.origin + this.path;
  }

  /** Nothing secret is told to whom nobody vouches for. */
  get headers(): Readonly<Record<string, string>> {
    return this.isTrusted ? this.options.target.headers : headersNone;
  }

  get auth(): Value | undefined {
    return this.isTrusted ? this.options.auth : undefined;
  }

  /** Rejects with `NoAnswer`. @param path another than the server's */
  async ask(question: Partial<Question>, path: string = this.path): Promise<Answer> {
    const { origin } = this.options.target;
    const headers = { ...this.headers, ...question.headers };
    const answer = await this.asker.ask(origin + path, {
      ...{ method: 'GET', waitMs: this.options.waitMs },
      ...question,
      headers,
    });
    this.answer = answer;
    return answer;
  }

  open(transport: TransportName): Promise<Opening> {
    const { url, codec, headers, asker } = this;
    return openLine(transport, { url, codec, headers, asker, waitMs: this.options.waitMs });
  }

  end(): void {
    this.asker.end();
  }
}
