// Requests to the server's path that are not WebSocket handshakes: opens connections over HTTP, and finds the one that each other
// request is for.
import { CloseCode, pollingHeaders, pollingLimitHeaders, protocolHeader } from '@halyard/protocol';
import { debugOf } from '../../base/debug';
import type { HttpAnswer, HttpReply, RequestFacts, StreamableReply } from '../../host/host';
import { jsonError } from '../../host/json-error';
import {
  type AdmissionOptions,
  type Choice,
  chooseProtocol,
  methodUnknown,
  refuseHandshake,
  stopping,
  transportOff,
} from '../admission';
import type { Connection, TransportName } from '../connection';
import type { Entry } from '../entry';
import type { Gate } from '../gate';
import type { HttpRequest } from './forwarded';
import { connectionUnknown, type HttpConnection, type HttpSettings, noContent } from './http-connection';
import { PollingConnection } from './polling';
import { StreamConnection, streamAnswer } from './stream';

const debug = debugOf('halyard:server:transport');

export interface HttpRequestsOptions {
  readonly admission: AdmissionOptions;
  readonly transports: readonly TransportName[];
  readonly settings: HttpSettings;
  readonly httpBodyBytesMax: number;
  readonly connectionsMax: number;
  readonly entry: Entry;
  /** Where the app decides who may connect, if it does. */
  readonly gate: Gate | undefined;
  isBinary(codecIndex: number): boolean;
  /** Takes a new connection and becomes, or names, its receiver. @returns false if the server takes no more */
  accept(connection: Connection): boolean;
  /**
   * With a store that servers share: hands a request to the server that has the connection.
   * @returns false if that is none of the others
   */
  readonly forward: ((request: HttpRequest, reply: HttpReply) => boolean) | undefined;
}

/** Transports of which a connection begins with a request of its own. */
type Opening = Exclude<TransportName, 'websocket'>;

export class HttpRequests {
  readonly #options: HttpRequestsOptions;
  readonly #connections = new Map<string, HttpConnection>();
  /** Those of them that are over, and are known for a while so that their clients are told why: the oldest first. */
  readonly #over = new Set<string>();
  readonly #settings: HttpSettings;

  constructor(options: HttpRequestsOptions) {
    this.#options = options;
    const { settings, connectionsMax } = options;
    this.#settings = {
      ...settings,
      closed: (connection, close) => {
        const { id } = connection as HttpConnection;
        if (this.#connections.has(id)) this.#over.add(id);
        // No more of them than of connections.
        const [oldest] = this.#over.size > connectionsMax ? this.#over : [];
        if (oldest !== undefined) this.#forget(oldest);
        settings.closed(connection, close);
      },
    };
  }

  /** A request that may come: of no foreign page, and by a method that there is. */
  handle(request: RequestFacts, body: Uint8Array, reply: StreamableReply): void {
    const { transports, forward } = this.#options;
    const id = request.peer.headers.get(pollingHeaders.connection);
    if (id === undefined) {
      const opening = openingOf(request);
      if (opening === undefined)
        reply.send(refuseHandshake(request) ?? jsonError(400, 'ERR_HANDSHAKE', 'Not a WebSocket handshake.'));
      else if (transports.includes(opening)) this.#open(opening, request, reply);
      else reply.send(transportOff(opening));
      return;
    }
    const asked = new Asked(id, request, body);
    if (this.#connections.has(id)) this.answer(asked, reply);
    else if (isKnown(request.method) && forward?.(asked, reply)) return;
    else reply.send(connectionUnknown);
  }

  /** Answers a request for a connection that is here. It may have come to another server. */
  readonly answer = (request: HttpRequest, reply: HttpReply): void => {
    const { id } = request;
    const connection = this.#connections.get(id);
    if (connection === undefined) {
      reply.send(connectionUnknown);
      return;
    }
    const received = wholeNumber(request.received ?? '0');
    switch (request.method) {
      case 'POST':
        connection.receive(wholeNumber(request.sequence), received, request.body, reply);
        return;
      case 'GET':
        connection.poll(received, reply);
        return;
      case 'DELETE': {
        const code = wholeNumber(request.close ?? String(CloseCode.Normal));
        connection.leave(code >= 1000 && code <= 4999 ? code : CloseCode.Normal);
        this.#forget(id);
        reply.send(noContent(id));
        return;
      }
      default:
        reply.send(methodUnknown);
    }
  };

  #forget(id: string): void {
    this.#connections.delete(id);
    this.#over.delete(id);
  }

  #open(transport: Opening, request: RequestFacts, reply: StreamableReply): void {
    const { admission, entry, gate } = this.#options;
    const choice = chooseProtocol(request.peer.headers.get(protocolHeader), admission);
    const full = 'refuse' in choice ? choice.refuse : entry.ask(request.peer);
    if (full !== undefined || 'refuse' in choice) reply.send(full as HttpAnswer);
    else if (gate === undefined) this.#opened(transport, request, choice, reply);
    else {
      let isGone = false;
      reply.onAbort = () => {
        isGone = true;
      };
      void gate.ask(request, transport).then((refused) => {
        if (isGone) return;
        // Others have entered while the app was asked.
        const refusal = refused ?? entry.full(request.peer);
        if (refusal === undefined) this.#opened(transport, request, choice, reply);
        else reply.send(refusal);
      });
    }
  }

  #opened(transport: Opening, { peer }: RequestFacts, choice: Choice, reply: StreamableReply): void {
    const { httpBodyBytesMax, isBinary, accept } = this.#options;
    const settings = this.#settings;
    const { codecIndex, subprotocol } = choice;
    const Connection = transport === 'sse' ? StreamConnection : PollingConnection;
    const connection = new Connection(codecIndex, isBinary(codecIndex), peer, settings, (id) => this.#forget(id));
    if (!accept(connection)) {
      reply.send(stopping);
      return;
    }
    this.#connections.set(connection.id, connection);
    debug?.(`a connection of ${peer.address} by ${transport} is open, ${subprotocol || 'unnamed'}`);
    const headers = {
      [protocolHeader]: subprotocol || 'halyard.v1+json',
      [pollingHeaders.connection]: connection.id,
      [pollingLimitHeaders.httpBodyBytesMax]: String(httpBodyBytesMax),
    };
    if (connection instanceof StreamConnection) connection.begin(reply.stream(streamAnswer(headers)));
    else {
      const hold = { [pollingLimitHeaders.pollHoldMs]: String(settings.pollHoldMs), 'cache-control': 'no-store' };
      reply.send({ status: 200, headers: { ...headers, ...hold } });
    }
  }
}

/** @returns what a request without a connection opens: undefined if nothing */
function openingOf({ method, peer }: RequestFacts): Opening | undefined {
  if (method === 'POST') return 'polling';
  const isStream = method === 'GET' && peer.headers.get('accept')?.toLowerCase().includes('text/event-stream') === true;
  return isStream ? 'sse' : undefined;
}

/** A request that came here. Header fields are looked for when they are asked for. */
class Asked implements HttpRequest {
  readonly id: string;
  readonly body: Uint8Array;
  readonly #request: RequestFacts;

  constructor(id: string, request: RequestFacts, body: Uint8Array) {
    this.id = id;
    this.body = body;
    this.#request = request;
  }

  get method(): string {
    return this.#request.method;
  }

  get sequence(): string | undefined {
    return this.#request.peer.headers.get(pollingHeaders.sequence);
  }

  get received(): string | undefined {
    return this.#request.peer.headers.get(pollingHeaders.received);
  }

  get close(): string | undefined {
    return this.#request.peer.headers.get(pollingHeaders.close);
  }
}

function isKnown(method: string): boolean {
  return method === 'POST' || method === 'GET' || method === 'DELETE';
}

function wholeNumber(text: string | undefined): number {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
}
