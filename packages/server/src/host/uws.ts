// The uws host: the only file that names uWebSockets.js. Native memory is copied before anything yields; `res`
// is not touched once it is gone, and `ws` is handed to a listener that keeps to the same (`HostSocket`). Longer than other files:
// no other one may name it.

import type uWS from 'uWebSockets.js';
import { CloseCode, type Frame, LocalUsageError } from '@halyard/protocol';
import type { Platform } from '../base/platform';
import { addressOfBytes } from './address';
import { Bodies } from './bodies';
import { refuseFraming, refuseHandshakeFraming } from './framing';
import {
  type Host,
  type HostFactory,
  type HostHandlers,
  type HostLimits,
  type HostSocket,
  type HostSocketListener,
  type HttpAnswer,
  type HttpStream,
  Peer,
  type RequestFacts,
  type StreamableReply,
  type UpgradeVerdict,
} from './host';
import { PartialBody } from './partial-body';
import { statusText } from './status';
import { readTls, type TlsOptions } from './tls';
import { TurnCount } from './turn-count';

type UwsModule = typeof uWS;
type App = ReturnType<UwsModule['App']>;

interface ListeningApp {
  listen(port: number, flags: number, done: (socket: uWS.us_listen_socket | false) => void): void;
  listen(address: string, port: number, flags: number, done: (socket: uWS.us_listen_socket | false) => void): void;
}

interface Place {
  readonly port: number;
  readonly address: string | undefined;
  readonly flags: number;
}

/** What is ours on a native socket: first what to do when it is open, then who listens to it. */
interface UserData {
  accept: ((socket: HostSocket) => HostSocketListener) | undefined;
  listener: HostSocketListener | undefined;
}

/**
 * The default host, on uWebSockets.js.
 * @returns a factory that rejects with `ERR_UWS_NOT_LOADED` where the native binary is not installed or does not load
 */
export function uws(): HostFactory {
  return async (path, handlers, limits, platform, tls) => {
    const module = await loadUws();
    return new UwsHost(module, path, handlers, limits, platform, tls);
  };
}

async function loadUws(): Promise<UwsModule> {
  let reason = 'what is imported by that name is something else, as bundlers put it in place of what is not installed';
  try {
    const module = (await import('uWebSockets.js')).default;
    if (typeof module?.App === 'function') return module;
  } catch (cause) {
    reason = (cause instanceof Error ? cause.message : String(cause)).replace(/\s+/g, ' ').slice(0, 1_000);
  }
  throw new LocalUsageError('ERR_UWS_NOT_LOADED', `uWebSockets.js does not load: ${reason}`);
}

/** The published types do not know the constant. */
const sharedDecompressor = 256;

/** Whose connections are older than so many reloads of certificates and one is cut, and resumes. */
const formerMax = 2;

/** So many free ports may be somebody else's before they are taken by their number. */
const freePortsMax = 5;

/** Without a flag uWS sets SO_REUSEPORT, on a port that is named. */
const shared = 0;

class UwsHost implements Host {
  readonly name = 'uws';
  readonly gathersInMessage = true;
  readonly #module: UwsModule;
  /** What takes connections, … */
  #app: App;
  /** … and what had taken them before certificates were read anew, the oldest first: those that are there stay. */
  readonly #former: App[] = [];
  readonly #path: string;
  readonly #handlers: HostHandlers;
  readonly #limits: HostLimits;
  readonly #platform: Platform;
  readonly #compressedBytesMin: number;
  readonly #requests: TurnCount;
  readonly #bodies: Bodies;
  readonly #tls: TlsOptions | undefined;
  readonly reloadTls: (() => void) | undefined;
  #listenSocket: uWS.us_listen_socket | undefined;
  /** Where it listens, or did. */
  #place: Place | undefined;

  constructor(
    module: UwsModule,
    path: string,
    handlers: HostHandlers,
    limits: HostLimits,
    platform: Platform,
    tls: TlsOptions | undefined,
  ) {
    this.#module = module;
    this.#path = path;
    this.#handlers = handlers;
    this.#limits = limits;
    this.#platform = platform;
    this.#bodies = new Bodies(limits.httpBodiesBytesMax);
    this.#requests = new TurnCount(platform);
    this.#compressedBytesMin = limits.compression?.thresholdBytes ?? Number.POSITIVE_INFINITY;
    this.#tls = tls;
    if (tls !== undefined) {
      readTls(tls);
      this.reloadTls = () => this.#reload(tls);
    }
    this.#app = this.#newApp();
  }

  #newApp(): App {
    const app = this.#tls === undefined ? this.#module.App() : this.#module.SSLApp(filesOf(this.#tls));
    this.#serve(app);
    return app;
  }

  /** Says what is answered. */
  #serve(app: App): void {
    app.ws<UserData>(this.#path, {
      // Our own limit answers with a clean 1009; the native one, that just cuts, is behind it.
      maxPayloadLength: this.#limits.frameBytesMax * 2 + 65_536,
      // None: past a limit of its own it drops a frame, and sends the next ones behind the hole once the peer reads again.
      maxBackpressure: 0,
      // Heartbeats are the protocol's: the native timer only sweeps what the session machine has given up.
      idleTimeout: 0,
      sendPingsAutomatically: false,
      compression: this.#compressors(),
      upgrade: (res, req, context) => this.#upgrade(res, req, context),
      open: (ws) => {
        const data = userDataOf(ws);
        const { accept } = data;
        data.accept = undefined;
        data.listener = accept?.(ws);
      },
      message: (ws, data, binary) => userDataOf(ws).listener?.onMessage(data, binary),
      drain: (ws) => userDataOf(ws).listener?.onDrain(),
      // There is none if it was ended before it was accepted to the end.
      close: (ws, code, message) => userDataOf(ws).listener?.onClose(...whyClosed(code, message)),
    });
    app.any('/*', (res, req) => this.#request(res, req));
  }

  #compressors(): number {
    const { compression } = this.#limits;
    const module = this.#module;
    if (compression === undefined) return module.DISABLED;
    // With a compressor of its own a connection keeps a window, of which the binary makes no use: seen.
    if (compression.contextTakeover) {
      throw new LocalUsageError(
        'ERR_OPTION',
        'uWebSockets.js compresses each message by itself: leave perMessageDeflate.contextTakeover out, or take the host node().',
        { option: 'perMessageDeflate.contextTakeover' },
      );
    }
    return module.SHARED_COMPRESSOR | sharedDecompressor;
  }

  /**
   * An app has its certificate for good: another one takes its place. (It has certificates of names, too, that can be changed; but to
   * take one of them out frees what its connections still use: seen, by valgrind and by processes that ended.)
   */
  #reload(tls: TlsOptions): void {
    readTls(tls);
    const app = this.#newApp();
    const before = this.#listenSocket;
    if (before !== undefined && this.#place !== undefined) {
      this.#listenSocket = this.#listenAt(app, this.#place);
      if (this.#listenSocket === undefined) {
        this.#listenSocket = before;
        app.close();
        throw portTaken(this.#place);
      }
      this.#module.us_listen_socket_close(before);
    }
    this.#former.push(this.#app);
    this.#app = app;
    if (this.#former.length > formerMax) this.#former.shift()?.close();
  }

  async listen(port: number, address: string | undefined, reusePort: boolean): Promise<number> {
    // So that the next app can listen before the one of now does not any more, those with TLS share a port, of which they make sure first
    // that nobody has it.
    const flags = reusePort || this.#tls !== undefined ? shared : this.#exclusive;
    if (port !== 0 && (reusePort || flags !== shared)) return this.#listen(port, address, flags);
    // What takes a free port uWS does not share, nor lets anybody have for a minute once connections of it are closed: so one is found,
    // left, and taken by its number.
    for (let tries = 1; ; tries++) {
      const free = this.#listen(port, address, this.#exclusive);
      this.stopListening();
      try {
        return this.#listen(free, address, flags);
      } catch (error) {
        if (port !== 0 || tries === freePortsMax) throw error;
      }
    }
  }

  /** At once: who asks for a connection meanwhile is refused, and leaves nothing behind at the port. */
  tryPort(port: number, address: string | undefined): void {
    this.#listen(port, address, this.#exclusive);
    this.stopListening();
  }

  publish(topic: string, frame: Frame, binary: boolean): void {
    const isCompressed = frame.length >= this.#compressedBytesMin;
    this.#app.publish(topic, frame, binary, isCompressed);
    for (const app of this.#former) app.publish(topic, frame, binary, isCompressed);
  }

  subscriberCount(topic: string): number {
    return this.#former.reduce((sum, app) => sum + app.numSubscribers(topic), this.#app.numSubscribers(topic));
  }

  stopListening(): void {
    if (this.#listenSocket === undefined) return;
    this.#module.us_listen_socket_close(this.#listenSocket);
    this.#listenSocket = undefined;
  }

  async close(): Promise<void> {
    this.stopListening();
    for (const app of [...this.#former, this.#app]) app.close();
  }

  get #exclusive(): number {
    // The published types do not know the constant, which is what exists at run time.
    return (this.#module as unknown as { LIBUS_LISTEN_EXCLUSIVE_PORT: number }).LIBUS_LISTEN_EXCLUSIVE_PORT;
  }

  #listen(port: number, address: string | undefined, flags: number): number {
    this.#listenSocket = this.#listenAt(this.#app, { port, address, flags });
    if (this.#listenSocket === undefined) throw portTaken({ port, address });
    const bound = this.#module.us_socket_local_port(this.#listenSocket);
    this.#place = { port: bound, address, flags };
    return bound;
  }

  #listenAt(app: App, { port, address, flags }: Place): uWS.us_listen_socket | undefined {
    let listening: uWS.us_listen_socket | undefined;
    const done = (socket: uWS.us_listen_socket | false): void => {
      listening = socket || undefined;
    };
    // The published types do not know the form with four arguments.
    const listener = app as unknown as ListeningApp;
    // With an empty address uWS takes any port there is.
    if (address === undefined) listener.listen(port, flags, done);
    else listener.listen(address, port, flags, done);
    return listening;
  }

  #upgrade(res: uWS.HttpResponse, req: uWS.HttpRequest, context: uWS.us_socket_context_t): void {
    const request = factsOf(res, req, this.#tls !== undefined);
    const refusal = refuseHandshakeFraming(request.peer.headers);
    if (refusal !== undefined) {
      const reply = new UwsReply(res, false, true);
      this.#platform.soon(() => reply.send(refusal));
      return;
    }
    const key = req.getHeader('sec-websocket-key');
    // An extension that is not offered back is not used (RFC 6455 §9.1).
    const offered = this.#limits.compression === undefined ? '' : req.getHeader('sec-websocket-extensions');
    const extensions = offered === '' ? '' : deflateIn(offered);
    const verdict = this.#handlers.upgrade(request);
    if (!(verdict instanceof Promise)) {
      if ('refuse' in verdict) answer(res, verdict.refuse);
      else accept(res, verdict, key, extensions, context);
      return;
    }
    let isGone = false;
    res.onAborted(() => {
      isGone = true;
    });
    void verdict.then((decided) => {
      if (isGone) return;
      if ('refuse' in decided) res.cork(() => answer(res, decided.refuse));
      // Not in `cork`: that looks at the response again when it is a WebSocket by now, at the same place in memory if there was
      // room, and cuts the connection by what it takes for its state. Seen: once in a few hundred.
      else accept(res, decided, key, extensions, context);
    });
  }

  #request(res: uWS.HttpResponse, req: uWS.HttpRequest): void {
    const request = factsOf(res, req, this.#tls !== undefined);
    const { headers } = request.peer;
    const chunked = headers.count('transfer-encoding') > 0;
    const refusal = refuseFraming(headers);
    // Once nobody new is taken, what comes next is to come over another connection, which a balancer leads elsewhere.
    const last = chunked || refusal !== undefined || this.#listenSocket === undefined;
    const reply = new UwsReply(res, request.method === 'HEAD', last);
    if (refusal !== undefined) {
      this.#platform.soon(() => reply.send(this.#handlers.refusal(request, refusal)));
      return;
    }
    // Whose they are the binary does not say. While one waits uWS cuts its connection if there is another one behind it, and
    // all that are alone are answered at the end of the turn.
    const isFull = this.#requests.isFull(this);
    if (!chunked && headers.count('content-length') === 0) {
      if (isFull) this.#platform.soon(() => this.#handlers.request(request, noBody, reply));
      else this.#handlers.request(request, noBody, reply);
      return;
    }
    const isLater = chunked || isFull;
    let partial: PartialBody | undefined;
    res.onData((chunk, last) => {
      let body: Uint8Array | undefined;
      // Most come in one part.
      if (last && partial === undefined && chunk.byteLength <= this.#limits.httpBodyBytesMax) {
        body = new Uint8Array(chunk.slice(0));
      } else {
        partial ??= this.#partial(request, reply);
        body = partial.add(chunk, last);
        if (body === undefined) {
          // uWS gives up a body of which less than 160 KB come in 10 s; this begins those anew. How long one may take `partial` knows.
          if (!reply.isOver) {
            res.pause();
            res.resume();
          }
          return;
        }
        reply.onAbort = undefined;
      }
      const whole = body;
      if (isLater) this.#platform.soon(() => this.#handlers.request(request, whole, reply));
      else this.#handlers.request(request, whole, reply);
    });
  }

  #partial(request: RequestFacts, reply: UwsReply): PartialBody {
    const partial = new PartialBody(this.#limits, this.#platform, this.#bodies, (answer, last) =>
      reply.send(this.#handlers.refusal(request, answer), last),
    );
    reply.onAbort = () => partial.end();
    return partial;
  }
}

function portTaken({
  port,
  address,
}: {
  readonly port: number;
  readonly address: string | undefined;
}): LocalUsageError {
  const where = `Port ${port}${address ? ` of ${address}` : ''}`;
  return new LocalUsageError('ERR_LISTEN', `${where} cannot be listened on: is it taken?`);
}

function accept(
  res: uWS.HttpResponse,
  { open, subprotocol }: Extract<UpgradeVerdict, { open: unknown }>,
  key: string,
  extensions: string,
  context: uWS.us_socket_context_t,
): void {
  res.upgrade<UserData>({ accept: open, listener: undefined }, key, subprotocol, extensions, context);
}

function filesOf({ keyFile, certFile, passphrase }: TlsOptions): uWS.AppOptions {
  return { key_file_name: keyFile, cert_file_name: certFile, ...(passphrase !== undefined && { passphrase }) };
}

/** uWS copies the user data's properties onto its object: read there they cost no call into native code. */
function userDataOf(ws: uWS.WebSocket<UserData>): UserData {
  return ws as unknown as UserData;
}

/** uWS cuts without a close frame where RFC 6455 has a code; what it says in its text is that code. */
function whyClosed(code: number, message: ArrayBuffer): [code: number, reason: string] {
  const reason = Buffer.from(message).toString('utf8');
  if (code !== CloseCode.Abnormal) return [code, reason];
  if (reason === 'Received invalid UTF-8') return [CloseCode.InvalidPayload, reason];
  // It goes on, where a message was compressed: ", or other inflation error".
  return [reason.startsWith('Received too big message') ? CloseCode.TooBig : code, reason];
}

/**
 * Nobody knows where a request begins that follows odd framing, or chunks, of which uWS takes ill-formed ones too. While one
 * waits for its answer uWS reads no other, and cuts the connection if there is one: so it is answered in a turn of its own,
 * as the last one.
 */
class UwsReply implements StreamableReply {
  onAbort: (() => void) | undefined;
  readonly #res: uWS.HttpResponse;
  readonly #head: boolean;
  readonly #last: boolean;
  #over = false;

  /**
   * @param head whether the request is a HEAD, which is answered without the body
   * @param last whether the connection ends with this answer
   */
  constructor(res: uWS.HttpResponse, head: boolean, last: boolean) {
    this.#res = res;
    this.#head = head;
    this.#last = last;
    res.onAborted(() => {
      if (this.#over) return;
      this.#over = true;
      this.onAbort?.();
    });
  }

  get isOver(): boolean {
    return this.#over;
  }

  send(content: HttpAnswer, last = this.#last): void {
    if (this.#over) return;
    this.#over = true;
    this.#res.cork(() => answer(this.#res, content, this.#head, last));
  }

  stream(begin: HttpAnswer): HttpStream | undefined {
    if (this.#over) return undefined;
    const stream = new UwsStream(
      this.#res,
      this.#last ? { ...begin, headers: { ...begin.headers, connection: 'close' } } : begin,
      this.#last,
      this.#head,
    );
    this.onAbort = () => stream.gone();
    return stream;
  }
}

class UwsStream implements HttpStream {
  onDrain: (() => void) | undefined;
  onGone: (() => void) | undefined;
  isWritable = true;
  readonly #res: uWS.HttpResponse;
  /** Until it is sent. */
  #begin: HttpAnswer | undefined;
  readonly #last: boolean;
  readonly #head: boolean;
  #isOver = false;

  /** @param last whether nothing more is read of the connection @param head whether its request was HEAD */
  constructor(res: uWS.HttpResponse, begin: HttpAnswer, last: boolean, head: boolean) {
    this.#res = res;
    this.#begin = begin;
    this.#last = last;
    this.#head = head;
    // Without it a timer stays armed after a write that had to wait, and cuts the stream ten seconds later.
    res.onWritable(() => {
      this.isWritable = true;
      // What waits in uWebSockets.js leaves, with such a handler, only as something is written behind it.
      if (!this.#isOver) this.onDrain?.();
      return true;
    });
  }

  write(content: string | Uint8Array): void {
    if (this.#isOver || this.#head) return;
    this.#res.cork(() => {
      this.#writeHead();
      this.isWritable = this.#res.write(content);
    });
  }

  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#res.cork(() => {
      this.#writeHead();
      if (this.#head) this.#res.endWithoutBody();
      else if (this.#last) this.#res.end('', true);
      else this.#res.end();
    });
  }

  cut(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#res.close();
  }

  #writeHead(): void {
    if (this.#begin !== undefined) writeHead(this.#res, this.#begin);
    this.#begin = undefined;
  }

  gone(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.isWritable = false;
    this.onGone?.();
  }
}

function writeHead(res: uWS.HttpResponse, { status, headers }: HttpAnswer): void {
  res.writeStatus(statusText(status));
  for (const name in headers) {
    const value = headers[name] ?? '';
    if (typeof value === 'string') res.writeHeader(name, value);
    else for (const one of value) res.writeHeader(name, one);
  }
}

function answer(res: uWS.HttpResponse, content: HttpAnswer, head = false, last = false): void {
  const { status, body } = content;
  writeHead(res, content);
  const text = body ?? '';
  // Only `end` ends the connection too, and always says a length.
  if (last) res.end(head ? '' : text, true);
  // 204 and 304 have no body and no length (RFC 9110 §8.6).
  else if (body === undefined && (status === 204 || status === 304)) res.endWithoutBody();
  else if (head) res.writeHeader('content-length', `${Buffer.byteLength(text)}`).endWithoutBody();
  else res.end(text);
}

function factsOf(res: uWS.HttpResponse, req: uWS.HttpRequest, secure: boolean): RequestFacts {
  const lines: string[] = [];
  req.forEach((name, value) => {
    lines.push(`${name}: ${value}`);
  });
  const path = req.getUrl();
  const query = req.getQuery();
  const address = addressOfBytes(new Uint8Array(res.getRemoteAddress()), () =>
    Buffer.from(res.getRemoteAddressAsText()).toString('latin1'),
  );
  return {
    method: req.getCaseSensitiveMethod(),
    path,
    query: query ? `?${query}` : '',
    peer: new Peer(address, secure, lines, query ? `${path}?${query}` : path),
  };
}

const noBody = new Uint8Array(0);

/** @returns what uWebSockets.js may take of what a client offers: it would take an older extension too, and leave a limit out of its answer */
function deflateIn(offered: string): string {
  const offers = offered.split(',').map((offer) => offer.trim());
  return offers
    .filter((offer) => /^permessage-deflate\b/.test(offer) && !/server_max_window_bits/.test(offer))
    .join(', ');
}
