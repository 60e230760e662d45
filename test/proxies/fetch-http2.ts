// `fetch` over one HTTP/2 connection at a time, as browsers ask: the streams of many clients are on it at a time.
import { type ClientHttp2Session, connect } from 'node:http2';
import { Readable } from 'node:stream';
import type { Fetch } from '@halyard/client/core';
import { cert } from '@halyard/harness/certificate';

export class Http2Fetch {
  readonly #url: string;
  #session: ClientHttp2Session | undefined;
  /** Most requests that were under way at a time. */
  most = 0;
  /** How many there were, one after the other. */
  connections = 0;
  #now = 0;

  constructor(url: string) {
    this.#url = url;
  }

  /** A proxy ends a connection after so many requests: nginx after 1,000. */
  #open(): ClientHttp2Session {
    if (this.#session === undefined || this.#session.closed || this.#session.destroyed) {
      this.#session = connect(this.#url, { ca: cert });
      this.#session.on('error', () => {});
      this.connections++;
    }
    return this.#session;
  }

  readonly fetch: Fetch = (url, { method, headers, body, signal }) =>
    new Promise((resolve, reject) => {
      const stream = this.#open().request(
        { ':method': method, ':path': new URL(url).pathname, ...headers },
        { signal },
      );
      this.most = Math.max(this.most, ++this.#now);
      stream.on('close', () => void this.#now--);
      stream.on('error', reject);
      stream.on('response', ({ ':status': status = 0, ...fields }) => {
        const given = Object.entries(fields).filter(([name]) => !name.startsWith(':')) as [string, string][];
        const isEmpty = status === 204;
        if (isEmpty) stream.resume();
        resolve(new Response(isEmpty ? null : (Readable.toWeb(stream) as ReadableStream), { status, headers: given }));
      });
      stream.end(body);
    });

  close(): void {
    this.#session?.destroy();
  }
}
