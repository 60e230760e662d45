// Requests that are not Halyard's, as the Fetch API has them: the app's own pages and endpoints on either host.
import type { HttpAnswer, RequestFacts, StreamableReply } from './host';
import { jsonError, pathUnknown } from './json-error';

/**
 * Answers requests to other paths: a Hono, itty or plain function of the Fetch API. A body that is a stream goes out as it comes, and no
 * faster than it is read; once who has asked is gone, or the server closed, it is cancelled, and the signal of the request aborts.
 */
export type FetchHandler = (request: Request) => Response | Promise<Response>;

/** How an answer is framed is the host's business. */
const framing: readonly string[] = ['content-length', 'transfer-encoding', 'connection'];

/** What is there at once, up to so many bytes, is answered with its length; more of it, and what comes later, as it comes. */
const wholeBytesMax = 1 << 20;

export function answerByFetch(
  handler: FetchHandler | undefined,
  facts: RequestFacts,
  body: Uint8Array,
  reply: StreamableReply,
  report: (error: unknown, where: string) => void,
): void {
  if (handler === undefined) {
    reply.send(pathUnknown);
    return;
  }
  const gone = new AbortController();
  let request: Request;
  try {
    request = toRequest(facts, body, gone.signal);
  } catch {
    reply.send(jsonError(400, 'ERR_REQUEST', 'The Host or the path of this request makes no URL.'));
    return;
  }
  reply.onAbort = () => gone.abort();
  const failed = (error: unknown): void => report(error, `fetch, for ${facts.method} ${facts.path}`);
  void (async () => {
    try {
      const response = await handler(request);
      const { status, body } = response;
      if (response.type === 'error') throw new Error('it has returned Response.error()');
      const headers: Record<string, string | string[]> = {};
      response.headers.forEach((value, name) => {
        if (!framing.includes(name)) headers[name] = value;
      });
      const cookies = response.headers.getSetCookie();
      if (cookies.length > 0) headers['set-cookie'] = cookies;
      if (body === null || facts.method === 'HEAD') {
        void body?.cancel();
        reply.send({ status, headers });
      } else await pipe(body, { status, headers }, reply, gone, failed);
    } catch (error) {
      // Who has gone away has ended what it asked for.
      if (gone.signal.aborted) return;
      failed(error);
      reply.send(jsonError(500, 'ERR_FETCH', 'The server failed to answer.'));
    }
  })();
}

/** @param failed told of what fails once the answer has begun. Rejects with what fails before */
async function pipe(
  body: ReadableStream<Uint8Array>,
  answer: HttpAnswer,
  reply: StreamableReply,
  gone: AbortController,
  failed: (error: unknown) => void,
): Promise<void> {
  const { signal } = gone;
  const reader = body.getReader();
  const cancel = (): void => void reader.cancel().catch(() => {});
  if (signal.aborted) return cancel();
  signal.addEventListener('abort', cancel);
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  let next = reader.read();
  while (bytes <= wholeBytesMax) {
    const read = await Promise.race([next, turn()]);
    if (read === undefined) break;
    if (read.done) {
      reply.send({ ...answer, body: chunks.length === 1 ? (chunks[0] as Uint8Array) : Buffer.concat(chunks) });
      return;
    }
    chunks.push(read.value);
    bytes += read.value.length;
    next = reader.read();
  }
  const stream = reply.stream(answer);
  if (stream === undefined) return cancel();
  let goOn = (): void => {};
  stream.onDrain = () => goOn();
  stream.onGone = () => {
    gone.abort();
    goOn();
  };
  for (const chunk of chunks) stream.write(chunk);
  try {
    for (let read = await next; !read.done; read = await reader.read()) {
      if (read.value.length > 0) stream.write(read.value);
      while (!stream.isWritable && !signal.aborted) await new Promise<void>((resolve) => (goOn = resolve));
    }
    stream.end();
  } catch (error) {
    if (!signal.aborted) failed(error);
    stream.cut();
  }
}

function turn(): Promise<undefined> {
  return new Promise((resolve) => setImmediate(resolve, undefined));
}

function toRequest(facts: RequestFacts, body: Uint8Array, signal: AbortSignal): Request {
  const headers = new globalThis.Headers();
  for (const [name, value] of facts.peer.headers) headers.append(name, value);
  const scheme = facts.peer.secure ? 'https' : 'http';
  const hasBody = body.length > 0 && facts.method !== 'GET' && facts.method !== 'HEAD';
  return new Request(`${scheme}://${facts.peer.headers.get('host') ?? 'localhost'}${facts.path}${facts.query}`, {
    method: facts.method,
    headers,
    body: hasBody ? new Uint8Array(body) : null,
    signal,
  });
}
