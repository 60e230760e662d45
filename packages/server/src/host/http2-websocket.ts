// A WebSocket over HTTP/2 (RFC 8441), for what knows WebSockets over HTTP/1.1 alone: the handshake as a request for an upgrade, and the
// stream as a socket whose first lines, the answer in HTTP/1.1, become the answer of the stream.
import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse, OutgoingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { Duplex } from 'node:stream';

/** Fields of a connection, which HTTP/2 has not (RFC 9113 §8.2.2), and of a handshake that is not answered there (RFC 8441 §5). */
const hopByHop: readonly string[] = ['connection', 'upgrade', 'sec-websocket-accept'];

/** @returns whether it is the beginning of a WebSocket */
export function isWebSocket({ headers }: Http2ServerRequest): boolean {
  return headers[':protocol'] === 'websocket';
}

/** @returns what a handshake of HTTP/1.1 would have said, and where the answer goes */
export function handshakeOf(request: Http2ServerRequest, response: Http2ServerResponse): [IncomingMessage, Duplex] {
  const key = randomBytes(16).toString('base64');
  const added = { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-key': key };
  const handshake = {
    method: 'GET',
    url: request.headers[':path'],
    httpVersion: '1.1',
    headers: { ...request.headers, ...added },
    rawHeaders: [...request.rawHeaders, ...Object.entries(added).flat()],
    socket: request.socket,
  };
  return [handshake as unknown as IncomingMessage, new StreamSocket(response.stream)];
}

class StreamSocket extends Duplex {
  readonly #stream: ServerHttp2Stream;
  #isAnswered = false;

  constructor(stream: ServerHttp2Stream) {
    super();
    this.#stream = stream;
    stream.on('data', (chunk) => {
      if (!this.push(chunk)) stream.pause();
    });
    stream.on('end', () => this.push(null));
    stream.on('error', (error) => this.destroy(error));
    stream.on('close', () => this.destroy());
  }

  override _read(): void {
    this.#stream.resume();
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    const stream = this.#stream;
    if (stream.destroyed || stream.writableEnded) done();
    else if (this.#isAnswered) stream.write(chunk, done);
    else {
      this.#isAnswered = true;
      const end = chunk.indexOf('\r\n\r\n');
      stream.respond(answerOf(chunk.toString('latin1', 0, end)));
      if (end + 4 < chunk.length) stream.write(chunk.subarray(end + 4), done);
      else done();
    }
  }

  override _final(done: () => void): void {
    if (this.#stream.destroyed) done();
    else this.#stream.end(() => done());
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#stream.destroy();
    done(error);
  }
}

/** @param head status line and fields of an answer in HTTP/1.1 */
function answerOf(head: string): OutgoingHttpHeaders {
  const [line = '', ...fields] = head.split('\r\n');
  const status = Number(line.split(' ')[1]);
  const answer: OutgoingHttpHeaders = { ':status': status === 101 ? 200 : status };
  for (const field of fields) {
    const colon = field.indexOf(':');
    const name = field.slice(0, colon).toLowerCase();
    if (!hopByHop.includes(name)) answer[name] = field.slice(colon + 1).trim();
  }
  return answer;
}
