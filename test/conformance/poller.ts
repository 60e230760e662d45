// The polling transport by hand: every request as the test says, nothing repeated, nothing hidden.
import { pollingHeaders, protocolHeader } from '@halyard/protocol';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
}

export class Poller {
  readonly #url: string;
  connection = '';
  /** Number of the last response that came. */
  received = 0;
  #sent = 0;

  constructor(port: number) {
    this.#url = `http://127.0.0.1:${port}/halyard`;
  }

  /** Opens a connection. */
  static async open(port: number, protocol = 'halyard.v1+json'): Promise<Poller> {
    const poller = new Poller(port);
    const { headers } = await poller.request('POST', { [protocolHeader]: protocol });
    poller.connection = headers.get(pollingHeaders.connection) ?? '';
    return poller;
  }

  async request(method: string, headers: Record<string, string> = {}, body?: string | Uint8Array): Promise<Answer> {
    const own: Record<string, string> = this.connection === '' ? {} : { [pollingHeaders.connection]: this.connection };
    const response = await fetch(this.#url, {
      method,
      headers: { ...own, ...headers },
      body: (body ?? null) as string | Uint8Array<ArrayBuffer> | null,
    });
    return { status: response.status, headers: response.headers, body: await response.text() };
  }

  /** Sends packets in the next body. */
  send(...packets: unknown[][]): Promise<Answer> {
    return this.post(++this.#sent, packets.map((packet) => JSON.stringify(packet)).join('\n'));
  }

  post(number: number | string, body: string | Uint8Array): Promise<Answer> {
    return this.request('POST', { [pollingHeaders.sequence]: String(number) }, body);
  }

  /** Waits for frames. */
  async poll(received: number | string = this.received): Promise<Answer> {
    const answer = await this.request('GET', { [pollingHeaders.received]: String(received) });
    const number = answer.headers.get(pollingHeaders.sequence);
    if (number !== null) this.received = Number(number);
    return answer;
  }

  /** Polls until a packet of this type comes. */
  async packet(type: number): Promise<unknown[]> {
    for (;;) {
      const { status, body } = await this.poll();
      if (status !== 200) throw new Error(`no packet of type ${type}, but ${status} ${body}`);
      const found = packetsOf(body).find((packet) => packet[0] === type);
      if (found !== undefined) return found;
    }
  }

  /** Polls until the server says how it closed. */
  async close(): Promise<string> {
    for (;;) {
      const { status, headers, body } = await this.poll();
      const close = headers.get(pollingHeaders.close);
      if (close !== null) return close;
      if (status !== 200) throw new Error(`no close, but ${status} ${body}`);
    }
  }
}

export function packetsOf(body: string): unknown[][] {
  return body === '' ? [] : body.split('\n').map((line) => JSON.parse(line) as unknown[]);
}
