// Who plays a case: it opens connections by hand, and cuts what it has opened when the case is over.
import { type HttpResponse, RawSocket, RawWebSocket, request } from '../conformance/raw';
import { type Line, PollingLine, SseLine, WebSocketLine } from './line';

export type HostName = 'uws' | 'node';
export type Way = 'websocket' | 'polling' | 'sse';

/** Whether everybody may have an address of their own: elsewhere there is 127.0.0.1 alone. */
export const hasAddresses = process.platform === 'linux';
let addresses = 0;

/** @returns an address that nobody has had, of those that are this machine's: so that nobody meets the limits of an address by chance */
export function nextAddress(): string | undefined {
  if (!hasAddresses) return undefined;
  const number = ++addresses;
  return `127.${1 + ((number >> 16) & 127)}.${(number >> 8) & 255}.${number & 255}`;
}

export class Attacker {
  readonly port: number;
  readonly host: HostName;
  readonly way: Way;
  readonly #opened: { cut(): void }[] = [];

  /** @param way the transport of `line` */
  constructor(port: number, host: HostName, way: Way) {
    this.port = port;
    this.host = host;
    this.way = way;
  }

  /** @param stays keeps its half open when the server has closed the other. @param address another one than of its own */
  async tcp(stays = false, address = nextAddress()): Promise<RawSocket> {
    return this.#kept(await RawSocket.open(this.port, stays, address));
  }

  /** @returns the answer to the text of a request, on a connection of its own */
  async ask(text: string | Uint8Array, address?: string): Promise<HttpResponse> {
    const socket = await this.tcp(false, address);
    socket.write(text);
    const answer = await socket.response();
    socket.cut();
    return answer;
  }

  /** @returns the answer to a request for the path of the server */
  at(method: string, headers: Record<string, string | undefined> = {}, body = ''): Promise<HttpResponse> {
    const length = method === 'POST' && body === '' ? { 'Content-Length': '0' } : {};
    const own = body === '' ? length : { 'Content-Length': String(Buffer.byteLength(body)) };
    return this.ask(request(`${method} /halyard`, { ...own, ...headers }, body));
  }

  async websocket(headers: Record<string, string | undefined> = {}): Promise<RawWebSocket> {
    return this.#kept(await RawWebSocket.connect(this.port, headers, undefined, nextAddress()));
  }

  /** @param way another transport than its own */
  async line(way = this.way): Promise<Line> {
    switch (way) {
      case 'websocket':
        return new WebSocketLine(await this.websocket());
      case 'polling':
        return this.#kept(await PollingLine.open(this));
      case 'sse':
        return this.#kept(await SseLine.open(this));
    }
  }

  leave(): void {
    for (const one of this.#opened) one.cut();
  }

  #kept<T extends { cut(): void }>(one: T): T {
    this.#opened.push(one);
    return one;
  }
}
