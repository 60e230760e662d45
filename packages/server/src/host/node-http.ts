// HTTP as Node has it, 1.1 and 2: what a request says, its body, and where its answer goes. A peer may be gone at any
// time; nothing here throws because of it.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { constants, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2';
import type { Duplex } from 'node:stream';
import type { Platform } from '../base/platform';
import { addressOfText } from './address';
import type { Bodies } from './bodies';
import { Gathered } from './gathered';
import {
  bodyMsMax,
  type HostLimits,
  type HttpAnswer,
  type HttpStream,
  Peer,
  type RequestFacts,
  type StreamableReply,
} from './host';
import { bodiesFull, bodyTooBig, bodyTooLong, bodyTooSlow } from './json-error';
import { statusText } from './status';

export type NodeRequest = IncomingMessage | Http2ServerRequest;
export type NodeResponse = ServerResponse | Http2ServerResponse;

/** Who sends nothing for so long in the midst of a request is let go: what uWS does. */
export const idleMsMax = 10_000;
/** Who reads nothing of an answer for so long is cut. */
export const unreadMsMax = 30_000;

export function pathOf({ url = '/' }: NodeRequest): string {
  const query = url.indexOf('?');
  return query < 0 ? url : url.slice(0, query);
}

export function factsOf(request: NodeRequest): RequestFacts {
  const { rawHeaders, url = '/' } = request;
  const lines: string[] = [];
  // Fields of HTTP/2 itself come first, and `:authority` stands for `Host` (RFC 9113 §8.3.1).
  let authority = false;
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]?.toLowerCase();
    const value = rawHeaders[i + 1];
    if (name === ':authority') {
      authority = true;
      lines.push(`host: ${value}`);
    } else if (!name?.startsWith(':') && !(authority && name === 'host')) lines.push(`${name}: ${value}`);
  }
  const path = pathOf(request);
  const { socket } = request;
  return {
    method: request.method ?? 'GET',
    path,
    query: url.slice(path.length),
    peer: new Peer(addressOfText(socket.remoteAddress ?? ''), 'encrypted' in socket, lines, url),
  };
}

/**
 * Reads a body to its end and gives it to `whole`. One that is too big, stands still, or takes too long, goes to `refuse` instead; one that
 * the peer breaks off is forgotten.
 */
export function readBody(
  request: NodeRequest,
  refuse: (answer: HttpAnswer) => void,
  { httpBodyBytesMax, bodyTimeoutMs = bodyMsMax }: HostLimits,
  platform: Platform,
  bodies: Bodies,
  whole: (body: Uint8Array) => void,
): void {
  const held = bodies.begin();
  const gathered = new Gathered();
  let over = false;
  const stop = (answer?: HttpAnswer): void => {
    over = true;
    gathered.clear();
    held.end();
    cancel();
    if (answer !== undefined) refuse(answer);
  };
  let heardAt = platform.now();
  const endsAt = heardAt + bodyTimeoutMs;
  let cancel: () => void;
  const watch = (): void => {
    cancel = platform.after(Math.min(heardAt + idleMsMax, endsAt) - platform.now(), () => {
      const now = platform.now();
      if (now >= endsAt) stop(bodyTooLong(bodyTimeoutMs));
      else if (now - heardAt < idleMsMax) watch();
      else stop(bodyTooSlow(idleMsMax));
    });
  };
  watch();
  request.on('data', (chunk: Buffer) => {
    if (over) return;
    heardAt = platform.now();
    if (gathered.bytes + chunk.length > httpBodyBytesMax) stop(bodyTooBig(httpBodyBytesMax));
    else if (!held.add(chunk.length)) stop(bodiesFull(bodies.bytesMax));
    else gathered.add(chunk);
  });
  request.on('end', () => {
    // HTTP/2 ends a body that was broken off too, when its stream is closed.
    if (over || isGone(request)) return;
    const body = gathered.take();
    stop();
    whole(body);
  });
  request.on('error', () => {});
  request.on('close', () => stop());
}

/** Whether nobody waits for an answer any more. Of HTTP/2 even the socket may not be asked for then. */
export function isGone(message: NodeRequest | NodeResponse): boolean {
  return 'stream' in message ? message.stream.destroyed || message.stream.closed : message.destroyed;
}

export class NodeReply implements StreamableReply {
  onAbort: (() => void) | undefined;
  readonly #response: NodeResponse;

  constructor(response: NodeResponse) {
    this.#response = response;
    response.on('error', () => {});
    response.on('close', () => {
      if (!response.writableEnded) this.onAbort?.();
    });
  }

  stream({ status, headers = {} }: HttpAnswer): HttpStream | undefined {
    const response = this.#response;
    if (response.headersSent || isGone(response)) return undefined;
    // One text alone is never held back for the next one.
    if (!('stream' in response)) response.socket?.setNoDelay(true);
    response.writeHead(status, { ...headers });
    const stream = new NodeStream(response);
    this.onAbort = () => stream.onGone?.();
    return stream;
  }

  /** @param last whether nothing more is read: of the connection, or of the stream where it has several */
  send({ status, headers = {}, body }: HttpAnswer, last = false): void {
    const response = this.#response;
    if (response.headersSent || isGone(response)) return;
    // 204 and 304 have no body and no length (RFC 9110 §8.6).
    const bare = body === undefined && (status === 204 || status === 304);
    const fields: Record<string, string | string[]> = { ...headers };
    if (!bare) fields['content-length'] = String(Buffer.byteLength(body ?? ''));
    if ('stream' in response) {
      // HTTP/2 has no fields about the connection (RFC 9113 §8.2.2), and Node throws, or warns, if there are.
      for (const name of ['connection', 'upgrade']) delete fields[name];
      const { stream } = response;
      response.writeHead(status, fields).end(body ?? '', () => {
        if (last) stream.close();
      });
    } else {
      if (last) fields.connection = 'close';
      // Node lets one that is named alone pass, and then takes nothing more on a connection that the peer believes to be kept.
      else if (fields.connection !== undefined && !response.shouldKeepAlive) fields.connection += ', close';
      response.writeHead(status, fields).end(body);
      cutUnread(response);
    }
  }
}

class NodeStream implements HttpStream {
  onDrain: (() => void) | undefined;
  onGone: (() => void) | undefined;
  readonly #response: NodeResponse;

  constructor(response: NodeResponse) {
    this.#response = response;
    response.on('drain', () => this.onDrain?.());
  }

  get isWritable(): boolean {
    const response = this.#response;
    // The response of HTTP/2 does not say it, though it says when that is over.
    const { writableNeedDrain } = 'stream' in response ? response.stream : response;
    return !writableNeedDrain && !isGone(response);
  }

  write(content: string | Uint8Array): void {
    const response = this.#response;
    // Of the two kinds of responses each has its own overloads.
    if (!response.writableEnded && !isGone(response)) (response as ServerResponse).write(content);
  }

  cut(): void {
    const response = this.#response;
    if ('stream' in response) response.stream.close(constants.NGHTTP2_INTERNAL_ERROR);
    else response.destroy();
  }

  end(): void {
    if (this.#response.writableEnded) return;
    this.#response.end();
    if (!('stream' in this.#response)) cutUnread(this.#response);
  }
}

/** Cuts a connection of which nothing is read any more, though its answer is at its end: nothing else would end that. */
function cutUnread(response: ServerResponse): void {
  const { socket } = response;
  // What the system has taken is its own. Once the answer is out Node sets a time for the next request.
  if (socket !== null && socket.writableLength > 0) socket.setTimeout(unreadMsMax);
}

/** Answers a request whose socket Node has handed out, and ends it. @param method one of HEAD gets no body */
export function refuse(socket: Duplex, { status, headers = {}, body = '' }: HttpAnswer, method?: string): void {
  const lines = Object.entries({ ...headers, connection: 'close', 'content-length': String(Buffer.byteLength(body)) });
  // Nobody reads this socket any more, so nobody would notice that the peer closes its half.
  socket.once('finish', () => socket.destroy());
  // Of HTTP/2 the answer may wait for its stream's window, and be at no end before that.
  const cut = setTimeout(() => socket.destroy(), unreadMsMax).unref();
  socket.once('close', () => clearTimeout(cut));
  socket.write(
    `HTTP/1.1 ${statusText(status)}\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`,
  );
  socket.end(method === 'HEAD' ? '' : body);
}

/** From 'upgrade' on nobody but who takes the socket listens to its errors: unheard, the first one ends the process. */
export function hearErrors(socket: Duplex): void {
  socket.on('error', ignore);
}

function ignore(): void {}
