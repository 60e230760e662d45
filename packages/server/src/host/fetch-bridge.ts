// Requests that are not Halyard's, as the Fetch API has them: the app's own pages and endpoints on either host.
import type { HttpReply, RequestFacts } from './host';
import { jsonError, pathUnknown } from './json-error';

/** Answers requests to other paths: a Hono, itty or plain function of the Fetch API. */
export type FetchHandler = (request: Request) => Response | Promise<Response>;

/** How an answer is framed is the host's business. */
const framing: readonly string[] = ['content-length', 'transfer-encoding', 'connection'];

export function answerByFetch(
  handler: FetchHandler | undefined,
  facts: RequestFacts,
  body: Uint8Array,
  reply: HttpReply,
  report: (error: unknown, where: string) => void,
): void {
  if (handler === undefined) {
    reply.send(pathUnknown);
    return;
  }
  let request: Request;
  try {
    request = toRequest(facts, body);
  } catch {
    reply.send(jsonError(400, 'ERR_REQUEST', 'The Host or the path of this request makes no URL.'));
    return;
  }
  void (async () => {
    try {
      const response = await handler(request);
      const headers: Record<string, string | string[]> = {};
      response.headers.forEach((value, name) => {
        if (!framing.includes(name)) headers[name] = value;
      });
      const cookies = response.headers.getSetCookie();
      if (cookies.length > 0) headers['set-cookie'] = cookies;
      reply.send({
        status: response.status,
        headers,
        body: response.body === null ? undefined : new Uint8Array(await response.arrayBuffer()),
      });
    } catch (error) {
      report(error, `fetch, for ${facts.method} ${facts.path}`);
      reply.send(jsonError(500, 'ERR_FETCH', 'The server failed to answer.'));
    }
  })();
}

function toRequest(facts: RequestFacts, body: Uint8Array): Request {
  const headers = new globalThis.Headers();
  for (const [name, value] of facts.peer.headers) headers.append(name, value);
  const scheme = facts.peer.secure ? 'https' : 'http';
  const hasBody = body.length > 0 && facts.method !== 'GET' && facts.method !== 'HEAD';
  return new Request(`${scheme}://${facts.peer.headers.get('host') ?? 'localhost'}${facts.path}${facts.query}`, {
    method: facts.method,
    headers,
    body: hasBody ? new Uint8Array(body) : null,
  });
}
