// What to do, in the words of those who have to do it: lines for nginx, for HAProxy and for a program.
import type { Visit } from './visit';

/** @returns lines of nginx, each with where they belong */
export function nginx({ path }: Visit, ...lines: readonly string[]): string[] {
  return [`nginx, in "location ${path} {":`, ...lines.map((line) => `  ${line}`)];
}

export function program(...lines: readonly string[]): string[] {
  return ['The server:', ...lines.map((line) => `  ${line}`)];
}

/** nginx asks by HTTP/1.0 unless it is told otherwise, which uWebSockets.js refuses. */
export const httpVersion = 'proxy_http_version 1.1;';

/** What nginx does not pass on by itself. */
export function upgradeLines(visit: Visit): string[] {
  return [
    ...nginx(
      visit,
      httpVersion,
      'proxy_set_header Upgrade $http_upgrade;',
      'proxy_set_header Connection $halyard_connection;',
    ),
    'and outside of "server {":',
    "  map $http_upgrade $halyard_connection { default upgrade; '' ''; }",
  ];
}

export function bufferingLines(visit: Visit): string[] {
  return [
    ...nginx(visit, 'proxy_buffering off;'),
    'It obeys "x-accel-buffering: no", which the server says, unless "proxy_ignore_headers" has it, or another nginx stands in front.',
    'HAProxy: no "http-response wait-for-body" for this path. Others: no compression, no scanning of "text/event-stream".',
  ];
}
