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
 * The answer comes once its whole body is there. Redirects are answers like any other, as they are to a WebSocket.
 * Connections are kept by Node's global agents, and do not keep a program running while they are idle.
 */
export async function fetch(url: string, { method, headers, body, signal }: Init): Promise<Response> {
  const { request } = url.startsWith('https:') ? https : http;
  const type = typeof body === 'string' && { 'content-type': 'text/plain; charset=utf-8' };
  const answer = await new Promise<http.IncomingMessage>((resolve, reject) => {
    request(url, { method, headers: { ...type, ...headers }, signal })
      .on('error', reject)
      .on('response', resolve)
      .end(body);
  });
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk);
  const content = Buffer.concat(chunks);
  // Not a `Response`: it gives its body by `queueMicrotask`, which never comes where a test runner has replaced that.
  const response: Pick<Response, 'status' | 'headers' | 'text' | 'arrayBuffer'> = {
    status: answer.statusCode!,
    headers: new Headers(answer.headers as Record<string, string>),
    text: async () => new TextDecoder().decode(content),
    arrayBuffer: async () => Uint8Array.from(content).buffer,
  };
  return response as Response;
}
