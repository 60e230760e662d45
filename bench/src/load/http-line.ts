// One keep-alive HTTP/1.1 connection on a raw socket: a request, then its response, then the next. Servers close one that
// is idle (node:http after 5 s): the next request opens another.
import { connect, type Socket } from 'node:net';

export interface HttpResponse {
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

/** An answer that does not end. */
interface Followed {
  /** Until it is told the head. */
  resolve: ((head: string) => void) | undefined;
  readonly part: (text: string) => void;
}

const headEnd = '\r\n\r\n';

export class HttpLine {
  readonly #port: number;
  readonly #failed: (reason: string) => void;
  #socket: Socket | undefined;
  #text = '';
  #done: ((response: HttpResponse) => void) | undefined;
  #follows: Followed | undefined;

  constructor(port: number, failed: (reason: string) => void) {
    this.#port = port;
    this.#failed = failed;
  }

  /** Whether there is no connection: the next request opens one. */
  get idle(): boolean {
    return this.#socket === undefined;
  }

  /** @param request all of it, as `httpRequest` builds it */
  send(request: string, done: (response: HttpResponse) => void): void {
    if (this.#done !== undefined) throw new Error('the last response has not come');
    this.#done = done;
    this.#socket ??= this.#open();
    this.#socket.write(request);
  }

  ask(request: string): Promise<HttpResponse> {
    return new Promise((resolve) => this.send(request, resolve));
  }

  /** @param part is told what comes of an answer that does not end, which is in chunks. @returns its head */
  follow(request: string, part: (text: string) => void): Promise<string> {
    return new Promise((resolve) => {
      this.#follows = { resolve, part };
      this.#socket ??= this.#open();
      this.#socket.write(request);
    });
  }

  #open(): Socket {
    const socket = connect({ host: '127.0.0.1', port: this.#port, noDelay: true });
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => this.#read(chunk));
    socket.on('error', (error) => this.#failed(error.message));
    socket.on('close', () => {
      this.#socket = undefined;
      if (this.#done !== undefined) this.#failed('closed by the server before it answered');
    });
    return socket;
  }

  #read(chunk: string): void {
    this.#text = this.#text === '' ? chunk : this.#text + chunk;
    if (this.#follows !== undefined) {
      this.#followed(this.#follows);
      return;
    }
    const end = this.#text.indexOf(headEnd);
    if (end < 0) return;
    const head = this.#text.slice(0, end);
    const status = Number(head.slice(9, 12));
    const found = status === 204 ? { body: '', next: end + headEnd.length } : bodyOf(this.#text, head);
    if (found === undefined) return;
    this.#text = this.#text.slice(found.next);
    const done = this.#done;
    this.#done = undefined;
    if (status >= 400) this.#failed(`${status} ${found.body}`);
    else done?.({ status, head, body: found.body });
  }

  #followed(follows: Followed): void {
    if (follows.resolve !== undefined) {
      const end = this.#text.indexOf(headEnd);
      if (end < 0) return;
      const head = this.#text.slice(0, end);
      this.#text = this.#text.slice(end + headEnd.length);
      if (head.slice(9, 12) === '200') follows.resolve(head);
      else this.#failed(head);
      follows.resolve = undefined;
    }
    for (;;) {
      // The end of a line behind a chunk: uWebSockets.js sends it with the next one.
      if (this.#text.startsWith('\r\n')) this.#text = this.#text.slice(2);
      const line = this.#text.indexOf('\r\n');
      if (line < 0) return;
      const size = Number.parseInt(this.#text.slice(0, line), 16);
      const next = line + 2 + size;
      if (next > this.#text.length) return;
      const part = this.#text.slice(line + 2, next);
      this.#text = this.#text.slice(next);
      if (size === 0) this.#failed('the stream has ended');
      else follows.part(part);
    }
  }
}

/** The body behind `head`, by its length or by its chunks, and where it ends; undefined if it has not all come. */
function bodyOf(text: string, head: string): { body: string; next: number } | undefined {
  let at = head.length + headEnd.length;
  const length = headerOf(head, 'content-length');
  if (length !== undefined) {
    const next = at + Number(length);
    return next > text.length ? undefined : { body: text.slice(at, next), next };
  }
  for (let body = ''; ; ) {
    const line = text.indexOf('\r\n', at);
    if (line < 0) return undefined;
    const size = Number.parseInt(text.slice(at, line), 16);
    const next = line + 2 + size + 2;
    if (next > text.length) return undefined;
    if (size === 0) return { body, next };
    body += text.slice(line + 2, next - 2);
    at = next;
  }
}

/** @param name in lower case */
export function headerOf(head: string, name: string): string | undefined {
  const at = head.toLowerCase().indexOf(`\r\n${name}: `);
  if (at < 0) return undefined;
  const from = at + name.length + 4;
  const end = head.indexOf('\r\n', from);
  return end < 0 ? head.slice(from) : head.slice(from, end);
}

/** @param body text of one byte per character */
export function httpRequest(method: string, path: string, headers: readonly string[], body = ''): string {
  const length = method === 'GET' ? [] : [`Content-Length: ${body.length}`];
  return `${[`${method} ${path} HTTP/1.1`, 'Host: 127.0.0.1', ...headers, ...length].join('\r\n')}${headEnd}${body}`;
}
