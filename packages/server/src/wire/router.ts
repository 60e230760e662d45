// Where what a host accepts goes: a WebSocket handshake becomes a connection, a request of the path goes to the HTTP
// transports, any other to the app.
import type { Codec } from '@halyard/codec';
import { type Close, CloseCode, quoted } from '@halyard/protocol';
import { debugOf } from '../base/debug';
import type { Tell } from '../base/happenings';
import type { Meters } from '../base/meters';
import type { Platform } from '../base/platform';
import type { Compression } from '../host/compression';
import { answerByFetch, type FetchHandler } from '../host/fetch-bridge';
import type {
  Host,
  HostHandlers,
  HttpAnswer,
  HttpStream,
  RequestFacts,
  StreamableReply,
  UpgradeVerdict,
} from '../host/host';
import { TurnCount } from '../host/turn-count';
import {
  type AdmissionOptions,
  allowsCredentials,
  chooseProtocol,
  foreignOrigin,
  refuseHandshake,
  refuseMethod,
  refuseOrigin,
  stopping,
  transportOff,
} from './admission';
import { type Connection, nobody, type TransportName } from './connection';
import { preflight, ReadableReply, readable } from './cors';
import type { Entry } from './entry';
import type { Flusher } from './flusher';
import type { Gate } from './gate';
import type { HttpRequests } from './http/http-requests';
import { WebSocketConnection, type WebSocketSettings } from './websocket';

const debug = debugOf('halyard:server:transport');

export interface RouterOptions {
  readonly path: string;
  readonly transports: readonly TransportName[];
  readonly fetch: FetchHandler | undefined;
  readonly codecs: readonly Codec[];
  readonly frameBytesMax: number;
  readonly windowBytesMax: number;
  readonly compression: Compression;
  /** What may wait for a slow client: it changes with what the server has to do. */
  readonly patience: { readonly backpressureBytesMax: number };
  /** Whether the host may fan out by itself: not if a member may wait for what is stored elsewhere. */
  readonly fansOut: boolean;
  readonly admission: AdmissionOptions;
  readonly flusher: Flusher;
  readonly platform: Platform;
  readonly entry: Entry;
  readonly meters: Meters;
  readonly tell: Tell;
  /** A connection is over. */
  closed(connection: Connection, close: Close): void;
  readonly http: HttpRequests;
  /** Where the app decides who may connect, if it does. */
  readonly gate: Gate | undefined;
  /** Whether nobody is taken any more. */
  isStopping(): boolean;
  /** Takes a new connection and becomes, or names, its receiver. @returns false if the server takes no more */
  accept(connection: Connection): boolean;
  report(error: unknown, where: string): void;
  /** @param about what it is said of once a minute */
  warn(code: string, message: string, about: string): void;
}

export class Router implements HostHandlers {
  readonly #options: RouterOptions;
  /** By codec index. Empty until there is a host. */
  #webSockets: readonly WebSocketSettings[] = [];

  constructor(options: RouterOptions) {
    this.#options = options;
  }

  /** Requests come from this host from now on. */
  serve(host: Host): void {
    const { codecs, frameBytesMax, windowBytesMax, compression, patience, flusher, platform, fansOut } = this.#options;
    const { meters, closed } = this.#options;
    const compressedBytesMin = compression?.thresholdBytes ?? Number.POSITIVE_INFINITY;
    // Nobody has more under way than the window and one frame, but for what is volatile.
    const inflatedMax = 4 * (windowBytesMax + frameBytesMax);
    const inflated = compression && host.gathersInMessage ? new TurnCount(platform, inflatedMax) : undefined;
    this.#webSockets = codecs.map(({ binary }, codecIndex) => ({
      codecIndex,
      binary,
      frameBytesMax,
      compressedBytesMin,
      inflated,
      patience,
      flusher,
      platform,
      traffic: meters.traffic('websocket', codecIndex),
      closed,
      native: host.publish !== undefined && fansOut,
      gathersInMessage: host.gathersInMessage,
    }));
  }

  upgrade(request: RequestFacts): UpgradeVerdict | Promise<UpgradeVerdict> {
    const { gate, entry } = this.#options;
    const verdict = this.#judge(request);
    if ('refuse' in verdict) return this.#refusing(request, verdict.refuse);
    if (gate === undefined) return verdict;
    // Others have entered while the app was asked.
    return gate.ask(request, 'websocket').then((refusal) => {
      const refuse = refusal ?? entry.full(request.peer);
      return refuse === undefined ? verdict : this.#refusing(request, refuse);
    });
  }

  #judge(request: RequestFacts): UpgradeVerdict {
    const { admission, transports, accept, isStopping, entry, gate, platform } = this.#options;
    const refuse = this.#refuseOrigin(request) ?? refuseHandshake(request);
    if (refuse !== undefined) return { refuse };
    if (isStopping()) return { refuse: stopping };
    if (!transports.includes('websocket')) return { refuse: transportOff('websocket') };
    const choice = chooseProtocol(request.peer.headers.get('sec-websocket-protocol'), admission);
    if ('refuse' in choice) return choice;
    const settings = this.#webSockets[choice.codecIndex] as WebSocketSettings;
    const { peer } = request;
    const full = entry.ask(peer);
    if (full !== undefined) return { refuse: full };
    return {
      subprotocol: choice.subprotocol,
      open: (socket) => {
        debug?.(`a websocket of ${peer.address} is open, ${choice.subprotocol || 'unnamed'}`);
        const connection = new WebSocketConnection(socket, peer, settings);
        // Of those who the app lets in at one time each was told that there is room.
        const isFull = gate !== undefined && entry.full(peer) !== undefined;
        if (isFull || !accept(connection)) {
          connection.receiver = nobody;
          // Not from here: uWebSockets.js takes nothing in this call where the handshake has waited.
          platform.soon(() => connection.close(isFull ? noRoom : shutDown));
        }
        return connection;
      },
    };
  }

  request(request: RequestFacts, body: Uint8Array, reply: StreamableReply): void {
    const { path, fetch, admission, report } = this.#options;
    if (request.path !== path) {
      answerByFetch(fetch, request, body, reply, report);
      return;
    }
    const refusal = this.#refuseOrigin(request);
    const origin = request.peer.headers.get('origin');
    const credentials = refusal === undefined && allowsCredentials(admission);
    const heard = new ToldReply(reply, request, this.#refused);
    const said = origin === undefined ? heard : new ReadableReply(heard, origin, credentials);
    // A browser asks before it sends: a page that may not connect could not read so otherwise.
    if (request.method === 'OPTIONS') said.send(refuseMethod(request) ?? preflight(request));
    else if (refusal !== undefined) said.send(refusal);
    else this.#answer(request, body, said);
  }

  refusal(request: RequestFacts, answer: HttpAnswer): HttpAnswer {
    const { path, admission, warn } = this.#options;
    if (request.path === path) this.#refused(request, answer);
    const { code, message } = refusalIn(answer);
    const option = limitOf[code];
    if (option !== undefined) warn(option, `A request was refused: ${message}`, '');
    const origin = request.peer.headers.get('origin');
    if (origin === undefined || request.path !== path || refuseOrigin(request, admission) !== undefined) return answer;
    return readable(answer, origin, allowsCredentials(admission));
  }

  #answer(request: RequestFacts, body: Uint8Array, reply: StreamableReply): void {
    const refusal = refuseMethod(request);
    if (refusal !== undefined) reply.send(refusal);
    else this.#options.http.handle(request, body, reply);
  }

  #refusing(request: RequestFacts, refuse: HttpAnswer): UpgradeVerdict {
    this.#refused(request, refuse);
    return { refuse };
  }

  readonly #refused = ({ method, peer }: RequestFacts, answer: HttpAnswer): void => {
    const { code } = refusalIn(answer);
    debug?.(`${quoted(method)} of ${peer.address} was refused: ${answer.status} ${code}`);
    this.#options.tell('request refused', { code });
  };

  #refuseOrigin(request: RequestFacts): HttpAnswer | undefined {
    const { admission, warn } = this.#options;
    const refusal = refuseOrigin(request, admission);
    if (refusal !== undefined) {
      warn('ERR_ORIGIN', foreignOrigin(request, admission), request.peer.headers.get('origin') ?? '');
    }
    return refusal;
  }
}

/** The options that hosts refuse a request by. */
const limitOf: Readonly<Record<string, string>> = {
  ERR_BODY_TOO_BIG: 'httpBodyBytesMax',
  ERR_BODY_TIMEOUT: 'bodyTimeoutMs',
  ERR_BODIES_FULL: 'httpBodiesBytesMax',
};

function refusalIn({ body }: HttpAnswer): { readonly code: string; readonly message: string } {
  return typeof body === 'string' ? JSON.parse(body) : { code: '', message: '' };
}

/** Tells of the answer if it is a refusal. */
class ToldReply implements StreamableReply {
  readonly #reply: StreamableReply;
  readonly #request: RequestFacts;
  readonly #refused: (request: RequestFacts, answer: HttpAnswer) => void;

  constructor(
    reply: StreamableReply,
    request: RequestFacts,
    refused: (request: RequestFacts, answer: HttpAnswer) => void,
  ) {
    this.#reply = reply;
    this.#request = request;
    this.#refused = refused;
  }

  set onAbort(run: (() => void) | undefined) {
    this.#reply.onAbort = run;
  }

  send(answer: HttpAnswer): void {
    if (answer.status >= 400) this.#refused(this.#request, answer);
    this.#reply.send(answer);
  }

  stream(answer: HttpAnswer): HttpStream | undefined {
    return this.#reply.stream(answer);
  }
}

const noRoom: Close = {
  code: CloseCode.TryAgainLater,
  reason: 'the server, or your address, has as many connections as it may; retry-after: 5',
  by: 'server',
};

/** To every connection when the server stops. */
export const shutDown: Close = { code: CloseCode.GoingAway, reason: 'the server shuts down', by: 'server' };
