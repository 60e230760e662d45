// The page as it is served: one file, of which the browser runs and shows what was built, and nothing else.
import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { body, script, style } from '#page';
import type { CheckedOptions } from './options';

/** Answers a `Request` of the Fetch API, or a request of Node's, Express's or Connect's. */
export interface AdminPage {
  /** @returns undefined if it is for another path than the page's */
  (request: Request): Response | undefined;
  /** For another path than the page's it calls `next`, or answers with 404 if there is none. */
  (request: IncomingMessage, response: ServerResponse, next?: () => void): void;
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** @param halyardPath of the server */
export function pageHandler({ path, guard }: CheckedOptions, halyardPath: string): AdminPage {
  // None of these holds anything that HTML would obey: they are checked to be paths.
  const facts = `data-path="${path}" data-halyard="${halyardPath}" data-door="${guard === undefined ? 'password' : 'guard'}"`;
  const head = `<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Halyard admin</title>`;
  const page = `<!doctype html><html lang="en" ${facts}><head>${head}<link rel="icon" href="data:,"><style>${style}</style></head>${body}<script>${script}</script></html>`;
  const headers = headersOf();
  const answerTo = (method: string | undefined, pathname: string): Answer | undefined => {
    if (pathname !== path && pathname !== `${path}/`) return undefined;
    if (method === 'GET' || method === 'HEAD') return { status: 200, headers, body: method === 'GET' ? page : '' };
    return { status: 405, headers: { allow: 'GET, HEAD' }, body: '' };
  };
  const handler = (request: Request | IncomingMessage, response?: ServerResponse, next?: () => void): unknown => {
    const answer = answerTo(request.method, pathOf(request));
    if (response === undefined) {
      return answer && new Response(answer.body, { status: answer.status, headers: answer.headers });
    }
    if (answer !== undefined) response.writeHead(answer.status, { ...answer.headers }).end(answer.body);
    else if (next !== undefined) next();
    else response.writeHead(404).end();
    return undefined;
  };
  return handler as AdminPage;
}

/** @returns the path as it was asked for: Express takes off what a handler is mounted at */
function pathOf(request: Request | IncomingMessage): string {
  const { url = '/', originalUrl = url } = request as { url?: string; originalUrl?: string };
  const [, path = '/'] = /^(?:https?:\/\/[^/?#]*)?([^?#]*)/.exec(originalUrl) ?? [];
  return path;
}

function headersOf(): Readonly<Record<string, string>> {
  const policy = [
    "default-src 'none'",
    `script-src '${hashOf(script)}'`,
    `style-src '${hashOf(style)}'`,
    "connect-src 'self'",
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ];
  return {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': policy.join('; '),
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'cross-origin-opener-policy': 'same-origin',
  };
}

function hashOf(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}
