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
  /** Number of the last answer with frames that came, one after another. */
  received = 0;
  #sent = 0;
  /** What answers have brought, and `packet` has not given. */
  #packets: unknown[][] = [];

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

  async post(
    number: number | string,
    body: string | Uint8Array,
    received: number | string = this.received,
  ): Promise<Answer> {
    const own = { [pollingHeaders.sequence]: String(number), [pollingHeaders.received]: String(received) };
    return this.#take(await this.request('POST', own, body));
  }

  /** Waits for frames. */
  async poll(received: number | string = this.received): Promise<Answer> {
    return this.#take(await this.request('GET', { [pollingHeaders.received]: String(received) }));
  }

  /** The first packet of this type that has come, or comes when it polls. What came before it is not given any more. */
  async packet(type: number): Promise<unknown[]> {
    for (;;) {
      const at = this.#packets.findIndex((packet) => packet[0] === type);
      const found = this.#packets.splice(0, at + 1).at(-1);
      if (found !== undefined) return found;
      const { status, body } = await this.poll();
      if (status !== 200) throw new Error(`no packet of type ${type}, but ${status} ${body}`);
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

  /** An answer that came before is looked at no more. */
  #take(answer: Answer): Answer {
    if (numberOf(answer) !== this.received + 1) return answer;
    this.received++;
    if (answer.headers.get('content-type')?.startsWith('text/plain')) this.#packets.push(...packetsOf(answer.body));
    return answer;
  }
}

/** @returns an answer's number; 0 if it has no frames */
export function numberOf({ headers }: Answer): number {
  return Number(headers.get(pollingHeaders.sequence));
}

export function packetsOf(body: string): unknown[][] {
  return body === '' ? [] : body.split('\n').map((line) => JSON.parse(line) as unknown[]);
}
