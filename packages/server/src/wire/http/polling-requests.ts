// Requests to the server's path that are not WebSocket handshakes: finds the polling connection each is for.
import { CloseCode, pollingHeaders, pollingLimitHeaders, protocolHeader } from '@halyard/protocol';
import { debugOf } from '../../base/debug';
import type { HttpAnswer, HttpReply, RequestFacts } from '../../host/host';
import { jsonError } from '../../host/json-error';
import { type AdmissionOptions, type Choice, chooseProtocol, methodUnknown, refuseHandshake } from '../admission';
import type { Connection } from '../connection';
import type { Gate } from '../gate';
import type { PollingRequest } from './forwarded';
import { connectionUnknown, noContent, PollingConnection, type PollingSettings } from './polling';

const debug = debugOf('halyard:server:transport');

export interface PollingRequestsOptions {
  readonly admission: AdmissionOptions;
  readonly settings: PollingSettings;
  readonly httpBodyBytesMax: number;
  readonly connectionsMax: number;
  /** Where the app decides who may connect, if it does. */
  readonly gate: Gate | undefined;
  /** A limit was met. @param code the option */
  warn(code: string, message: string): void;
  isBinary(codecIndex: number): boolean;
  /** Takes a new connection and becomes, or names, its receiver. @returns false if the server takes no more */
  accept(connection: Connection): boolean;
  /**
   * With a store that servers share: hands a request to the server that has the connection.
   * @returns false if that is none of the others
   */
  readonly forward: ((request: PollingRequest, reply: HttpReply) => boolean) | undefined;
}

export class PollingRequests {
  readonly #options: PollingRequestsOptions;
  readonly #connections = new Map<string, PollingConnection>();

  constructor(options: PollingRequestsOptions) {
    this.#options = options;
  }

  /** A request that may come: of no foreign page, and by a method that there is. */
  handle(request: RequestFacts, body: Uint8Array, reply: HttpReply): void {
    const id = request.peer.headers.get(pollingHeaders.connection);
    if (id === undefined) {
      if (request.method === 'POST') this.#open(request, reply);
      else reply.send(refuseHandshake(request) ?? jsonError(400, 'ERR_HANDSHAKE', 'Not a WebSocket handshake.'));
      return;
    }
    const asked = new Asked(id, request, body);
    if (this.#connections.has(id)) this.answer(asked, reply);
    else if (isKnown(request.method) && this.#options.forward?.(asked, reply)) return;
    else reply.send(connectionUnknown);
  }

  /** Answers a request for a connection that is here. It may have come to another server. */
  readonly answer = (request: PollingRequest, reply: HttpReply): void => {
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
        this.#connections.delete(id);
        reply.send(noContent);
        return;
      }
      default:
        reply.send(methodUnknown);
    }
  };

  #open(request: RequestFacts, reply: HttpReply): void {
    const { admission, gate } = this.#options;
    const choice = chooseProtocol(request.peer.headers.get(protocolHeader), admission);
    if ('refuse' in choice) reply.send(choice.refuse);
    else if (gate === undefined) reply.send(this.#opened(request, choice));
    else {
      let isGone = false;
      reply.onAbort = () => {
        isGone = true;
      };
      void gate.ask(request, 'polling').then((refusal) => {
        if (!isGone) reply.send(refusal ?? this.#opened(request, choice));
      });
    }
  }

  #opened({ peer }: RequestFacts, { codecIndex, subprotocol }: Choice): HttpAnswer {
    const { settings, httpBodyBytesMax, connectionsMax, warn, isBinary, accept } = this.#options;
    if (this.#connections.size >= connectionsMax) {
      warn(
        'connectionsMax',
        `There are ${connectionsMax} polling connections (connectionsMax): a client was turned away.`,
      );
      return tooMany;
    }
    const connection = new PollingConnection(codecIndex, isBinary(codecIndex), peer, settings, (id) =>
      this.#connections.delete(id),
    );
    if (!accept(connection)) return tooMany;
    this.#connections.set(connection.id, connection);
    debug?.(`a polling connection of ${peer.address} is open, ${subprotocol || 'unnamed'}`);
    return {
      status: 200,
      headers: {
        'cache-control': 'no-store',
        [protocolHeader]: subprotocol || 'halyard.v1+json',
        [pollingHeaders.connection]: connection.id,
        [pollingLimitHeaders.pollHoldMs]: String(settings.pollHoldMs),
        [pollingLimitHeaders.httpBodyBytesMax]: String(httpBodyBytesMax),
      },
    };
  }
}

const tooMany = jsonError(503, 'ERR_TOO_MANY_CONNECTIONS', 'The server is full (connectionsMax): try again later.');

/** A request that came here. Header fields are looked for when they are asked for. */
class Asked implements PollingRequest {
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
