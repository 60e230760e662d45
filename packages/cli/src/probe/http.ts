// One request by hand and its answer: nothing repeated, nothing hidden, and no certificate refused, because who asks judges it.
import http, { type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import https from 'node:https';

export interface Answer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: IncomingHttpHeaders;
  /** At most `bodyBytesMax` of it. */
  readonly body: Buffer;
  /** Between the request and the first of the answer, in milliseconds. */
  readonly tookMs: number;
  /** When the answer began. */
  readonly at: number;
}

export interface Question {
  readonly method: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** For the whole answer. */
  readonly waitMs: number;
  readonly bodyBytesMax?: number;
}

/** What a request without an answer rejects with: `code` is the system's, or `ERR_SILENT`. */
export class NoAnswer extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

const bodyBytesDefault = 1 << 16;

/** Connections are kept as the client keeps its own, and let go of by `Asker.end`. */
export class Asker {
  readonly #plain = new http.Agent({ keepAlive: true });
  readonly #secure = new https.Agent({ keepAlive: true, rejectUnauthorized: false });

  /** Rejects with `NoAnswer`. */
  async ask(url: string, question: Question): Promise<Answer> {
    const { bodyBytesMax = bodyBytesDefault } = question;
    const begun = performance.now();
    const controller = new AbortController();
    const limit = setTimeout(() => controller.abort(), question.waitMs);
    try {
      const response = await this.begin(url, question, controller.signal);
      const tookMs = performance.now() - begun;
      const at = Date.now();
      const body = await read(response, bodyBytesMax);
      return { status: response.statusCode ?? 0, headers: response.headers, body, tookMs, at };
    } catch (error) {
      if (controller.signal.aborted)
        throw new NoAnswer('ERR_SILENT', `no answer within ${question.waitMs / 1_000} seconds`);
      throw noAnswerOf(error);
    } finally {
      clearTimeout(limit);
    }
  }

  /** @returns the answer once its header is there. Rejects with what the system says */
  begin(url: string, { method, headers, body }: Question, signal: AbortSignal): Promise<IncomingMessage> {
    const secure = url.startsWith('https:');
    return new Promise((resolve, reject) => {
      const length = body === undefined && method === 'POST' ? { 'content-length': '0' } : undefined;
      const sent = (secure ? https : http)
        .request(url, {
          method,
          headers: { ...length, ...headers },
          agent: secure ? this.#secure : this.#plain,
        })
        .on('error', reject)
        .on('response', (response) => {
          response.on('error', () => {});
          resolve(response);
        })
        // A handshake is asked for elsewhere; an answer of this kind here is one more that is not Halyard's.
        .on('upgrade', (response, socket) => {
          socket.destroy();
          resolve(response);
        });
      const stop = (): void => {
        reject(signal.reason);
        sent.destroy();
      };
      if (signal.aborted) stop();
      else signal.addEventListener('abort', stop, { once: true });
      sent.on('close', () => signal.removeEventListener('abort', stop));
      sent.end(body);
    });
  }

  end(): void {
    this.#plain.destroy();
    this.#secure.destroy();
  }
}

/** Reads a body, and no more of it than a bound. */
async function read(response: IncomingMessage, bytesMax: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes >= bytesMax) break;
  }
  return Buffer.concat(chunks).subarray(0, bytesMax);
}

/** @returns what the system says, by the error at the bottom: of several addresses, that of the last */
export function noAnswerOf(error: unknown): NoAnswer {
  if (error instanceof NoAnswer) return error;
  const { errors, code, message, reason } = error as {
    errors?: unknown[];
    code?: string;
    message?: string;
    reason?: string;
  };
  if (errors?.length) return noAnswerOf(errors.at(-1));
  return new NoAnswer(code ?? 'ERR_NETWORK', reason ?? message ?? String(error));
}
