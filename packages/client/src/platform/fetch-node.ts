// As much of `fetch` as polling needs, on Node's own HTTP. The `fetch` of Node 20 misses the end of a connection that the
// other side closes at once while its parser is still being loaded, which is at the first call: nothing comes of that
// call until it is aborted. The errors of this one also say what went wrong, instead of `fetch failed`.
import http from 'node:http';
import https from 'node:https';

export { rootOf } from './root';

interface Init {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array | undefined;
  readonly signal: AbortSignal;
  /** Of no meaning here: no page goes away. */
  readonly keepalive?: boolean;
}

/**
 * The answer comes once its header is there, as that of `fetch` does. Redirects are answers like any other, as they are to a WebSocket.
 * Connections are kept by Node's global agents, and do not keep a program running while they are idle.
 */
export async function fetch(url: string, { method, headers, body, signal }: Init): Promise<Response> {
  const { request } = url.startsWith('https:') ? https : http;
  const type = typeof body === 'string' && { 'content-type': 'text/plain; charset=utf-8' };
  const ask = (resolve: (answer: http.IncomingMessage) => void, reject: (error: unknown) => void): void => {
    const sent = request(url, { method, headers: { ...type, ...headers } })
      .on('error', (error: NodeJS.ErrnoException) => {
        // A connection that was kept was closed just then: nothing of the request was looked at. One that opens a link has no other try; the others
        // are repeated there, with what they say by then.
        const isOpening = headers['halyard-connection'] === undefined;
        if (isOpening && sent.reusedSocket && error.code === 'ECONNRESET' && !signal.aborted) ask(resolve, reject);
        else reject(error);
      })
      .on('response', resolve);
    // Not as an option of the request, and without an error: Node gives either to the socket, whose error nobody hears once the
    // answer has ended, and the program would end.
    const stop = (): void => {
      reject(signal.reason);
      sent.destroy();
    };
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop);
    sent.on('close', () => signal.removeEventListener('abort', stop)).end(body);
  };
  const answer = await new Promise<http.IncomingMessage>(ask);
  const whole = async (): Promise<Buffer> => {
    const chunks: Buffer[] = [];
    for await (const chunk of answer) chunks.push(chunk);
    return Buffer.concat(chunks);
  };
  // Not a `Response`: it gives its body by `queueMicrotask`, which never comes where a test runner has replaced that.
  const response = {
    status: answer.statusCode!,
    headers: new Headers(answer.headers as Record<string, string>),
    text: async () => new TextDecoder().decode(await whole()),
    arrayBuffer: async () => Uint8Array.from(await whole()).buffer,
    get body() {
      const chunks = answer[Symbol.asyncIterator]();
      return { getReader: () => ({ read: () => chunks.next() }) };
    },
  };
  return response as unknown as Response;
}
