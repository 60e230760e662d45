// The page: three files, read when the server starts.
import { readFileSync } from 'node:fs';

const headers = {
  'cache-control': 'no-cache',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
};

const files = new Map([
  ['/', file('index.html', 'text/html')],
  ['/chat.css', file('chat.css', 'text/css')],
  ['/chat.js', file('chat.js', 'text/javascript')],
]);

export function servePage(request: Request): Response {
  if (request.method !== 'GET') return new Response('Only GET.\n', { status: 405, headers: { allow: 'GET' } });
  const found = files.get(new URL(request.url).pathname);
  if (found === undefined) return new Response('Nothing here.\n', { status: 404 });
  return new Response(found.content, { headers: { ...headers, 'content-type': `${found.type}; charset=utf-8` } });
}

function file(name: string, type: string): { content: string; type: string } {
  return { content: readFileSync(new URL(`page/${name}`, import.meta.url), 'utf8'), type };
}
