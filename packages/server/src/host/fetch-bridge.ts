// Requests that are not Halyard's, as the Fetch API has them: the app's own pages and endpoints on either host.
import type { HttpAnswer, RequestFacts, StreamableReply } from './host';
import { isHost } from './host-name';
import { jsonError, pathUnknown } from './json-error';

/**
 * Answers requests to other paths: a Hono, itty or plain function of the Fetch API. A body that is a stream goes out as it comes, the head
 * with its first part, and no faster than it is read; once who has asked is gone, or the server closed, it is cancelled, and the signal of the request aborts.
 */
export type FetchHandler = (request: Request) => Response | Promise<Response>;

/** How an answer is framed, and what of it is about the connection (RFC 9110 §7.6.1), is the host's business. */
const framing: readonly string[] = [
  'content-length',
  'transfer-encoding',
  'connection',
  'keep-alive',
  'proxy-connection',
  'upgrade',
  'http2-settings',
];

/** What is there at once, up to so many bytes and parts, is answered with its length; more of it, and what comes later, as it comes. */
const wholeBytesMax = 1 << 20;
const wholePartsMax = 1_024;
/** So many parts go out in one turn. */
const turnPartsMax = 64;

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
      if (body === null) reply.send({ status, headers });
      else await pipe(body, { status, headers }, facts.method === 'HEAD', reply, gone, failed);
    } catch (error) {
      // Who has gone away has ended what it asked for.
      if (gone.signal.aborted) return;
      failed(error);
      try {
        reply.send(jsonError(500, 'ERR_FETCH', 'The server failed to answer.'));
      } catch (again) {
        failed(again);
      }
      // Nobody reads the rest of a body that cannot be sent.
      gone.abort();
    }
  })();
}

/** @param failed told of what fails once the answer has begun. Rejects with what fails before */
async function pipe(
  body: ReadableStream<Uint8Array>,
  answer: HttpAnswer,
  isHead: boolean,
  reply: StreamableReply,
  gone: AbortController,
  failed: (error: unknown) => void,
): Promise<void> {
  const { signal } = gone;
  const reader = body.getReader();
  const cancel = (): void => void reader.cancel().catch(() => {});
  if (signal.aborted) return cancel();
  signal.addEventListener('abort', cancel);
  const parts: Uint8Array[] = [];
  let bytes = 0;
  const turnIsOver = turn();
  let next = reader.read();
  while (bytes <= wholeBytesMax && parts.length < wholePartsMax) {
    // The head goes out with the first part: what fails before is told as an error.
    const read = await (parts.length === 0 ? next : Promise.race([next, turnIsOver]));
    if (read === undefined) break;
    if (read.done) {
      reply.send({ ...answer, body: parts.length === 1 ? (parts[0] as Uint8Array) : Buffer.concat(parts) });
      return;
    }
    const part = bytesOf(read.value);
    parts.push(part);
    bytes += part.length;
    next = reader.read();
  }
  const stream = reply.stream(answer);
  if (stream === undefined) return cancel();
  if (isHead) {
    stream.end();
    return cancel();
  }
  let goOn = (): void => {};
  stream.onDrain = () => goOn();
  stream.onGone = () => {
    gone.abort();
    goOn();
  };
  try {
    for (const part of parts) stream.write(part);
    let count = parts.length;
    for (let read = await next; !read.done; read = await reader.read()) {
      const part = bytesOf(read.value);
      if (part.length > 0) stream.write(part);
      while (!stream.isWritable && !signal.aborted) await new Promise<void>((resolve) => (goOn = resolve));
      if (++count % turnPartsMax === 0) await turn();
    }
    stream.end();
  } catch (error) {
    if (!signal.aborted) failed(error);
    stream.cut();
    cancel();
  }
}

/** @throws TypeError for what is neither bytes nor text */
function bytesOf(part: unknown): Uint8Array {
  if (part instanceof Uint8Array) return part;
  if (part instanceof ArrayBuffer) return new Uint8Array(part);
  if (ArrayBuffer.isView(part)) return new Uint8Array(part.buffer, part.byteOffset, part.byteLength);
  if (typeof part === 'string') return Buffer.from(part);
  throw new TypeError(`a part of its body is ${typeof part}, and not bytes`);
}

function turn(): Promise<undefined> {
  return new Promise((resolve) => setImmediate(resolve, undefined));
}

/** @throws TypeError if it makes no URL */
function toRequest(facts: RequestFacts, body: Uint8Array, signal: AbortSignal): Request {
  const headers = new globalThis.Headers();
  for (const [name, value] of facts.peer.headers) headers.append(name, value);
  const scheme = facts.peer.secure ? 'https' : 'http';
  const host = facts.peer.headers.get('host') ?? 'localhost';
  if (!isHost(host) || !facts.path.startsWith('/')) throw new TypeError('no host, or no path');
  const hasBody = body.length > 0 && facts.method !== 'GET' && facts.method !== 'HEAD';
  return new Request(`${scheme}://${host}${facts.path}${facts.query}`, {
    method: facts.method,
    headers,
    body: hasBody ? new Uint8Array(body) : null,
    signal,
  });
}
