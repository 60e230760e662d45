// The server that clients are played to: it does what the case says and nothing by itself, on a port of its own.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import { Inbox } from './inbox';
import type { Line, Writing } from './line';
import { PollingStage } from './polling-stage';
import type { Request } from './request';
import { StreamStage } from './stream-stage';
import { WebSocketLine } from './websocket-line';

export interface Refusal {
  readonly status: number;
  readonly code: string;
}

export class Stage {
  /** Connections of the client, each once. */
  readonly lines = new Inbox<Line>();
  /** Requests, if the case answers them itself. */
  readonly requests = new Inbox<Request>();
  /** The next attempts to open a connection are refused so. */
  readonly refusals: Refusal[] = [];
  readonly #writing: Writing;
  readonly #byHand: boolean;
  readonly #http: Server;
  readonly #webSockets: WebSocketServer;
  readonly #polling: PollingStage;
  readonly #streams: StreamStage;

  /** @param byHand requests of polling and sse are the case's to answer */
  constructor(writing: Writing, byHand: boolean) {
    this.#writing = writing;
    this.#byHand = byHand;
    const protocol = `halyard.v1+${writing.name}`;
    this.#polling = new PollingStage(writing, this.lines);
    this.#streams = new StreamStage(writing, this.lines);
    this.#http = createServer((request, response) => void this.#request(request, response));
    this.#webSockets = new WebSocketServer({
      noServer: true,
      handleProtocols: (offered) => offered.has(protocol) && protocol,
    });
    this.#http.on('upgrade', (request, socket, head) => {
      const refusal = this.refusals.shift();
      if (refusal !== undefined) {
        const body = JSON.stringify({ code: refusal.code, message: 'refused by the case' });
        const head = `HTTP/1.1 ${refusal.status} Refused\r\nContent-Type: application/json\r\nContent-Length: ${body.length}`;
        // A client that keeps its half would keep the stage open.
        socket.end(`${head}\r\nConnection: close\r\n\r\n${body}`, () => socket.destroy());
        return;
      }
      this.#webSockets.handleUpgrade(request, socket, head, (webSocket: WebSocket) =>
        this.lines.push(new WebSocketLine(webSocket, this.#writing)),
      );
    });
  }

  /** @returns the URL of its path */
  async open(): Promise<string> {
    await new Promise<void>((resolve) => this.#http.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#http.address() as AddressInfo).port}/halyard`;
  }

  async close(): Promise<void> {
    for (const socket of this.#webSockets.clients) socket.terminate();
    this.#polling.close();
    this.#streams.close();
    this.#http.closeAllConnections();
    await new Promise((resolve) => this.#http.close(resolve));
  }

  async #request(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of incoming) chunks.push(chunk as Buffer);
    } catch {
      return;
    }
    const request = requestOf(incoming, response, Buffer.concat(chunks));
    const refusal = request.headers['halyard-connection'] === undefined ? this.refusals.shift() : undefined;
    if (refusal !== undefined) {
      const body = JSON.stringify({ code: refusal.code, message: 'refused by the case' });
      request.answer(refusal.status, { 'content-type': 'application/json' }, body);
    } else if (this.#byHand) this.requests.push(request);
    else if (!this.#streams.handle(request)) this.#polling.handle(request);
  }
}

function requestOf(incoming: IncomingMessage, response: ServerResponse, body: Buffer): Request {
  return {
    method: incoming.method ?? '',
    headers: Object.fromEntries(Object.entries(incoming.headers).map(([name, value]) => [name, String(value)])),
    body,
    answer: (status, headers, content) => response.writeHead(status, headers).end(content),
    begin(headers, onGone) {
      response.writeHead(200, headers).on('close', onGone);
      return {
        write: (text) => void response.write(text),
        end: () => void response.end(),
        lose: () => incoming.socket.destroy(),
      };
    },
    lose: () => incoming.socket.destroy(),
  };
}
