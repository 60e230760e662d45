// Whole clients in virtual time: over their own transports, with what these stand on in the test's hands.
import { json } from '@halyard/codec/json';
import { VirtualClock } from '@halyard/harness/clock';
import { PacketType } from '@halyard/protocol';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { brief, connected, settle, watch, welcome } from '../../testing/fake';
import { type ClientOptions, connect, type Fetch, polling, sse, websocket } from '../index';

const codec = json();

/** A client, and what it does to the world around it. */
function client(options: ClientOptions) {
  const clock = new VirtualClock();
  const socket = connect('https://app.example', {
    clock,
    random: () => 0.5,
    token: () => 'a token of the test',
    ...options,
  });
  const log: unknown[][] = [];
  watch(socket, log);
  const advance = async (ms: number) => {
    await settle();
    clock.advance(ms);
    await settle();
  };
  return { socket, log, advance };
}

/** A class of WebSockets whose other end is the test. */
function sockets() {
  const made: WebSocket[] = [];
  const said: string[] = [];
  class Fake {
    readonly url: string;
    readonly protocol: string;
    bufferedAmount = 0;
    onopen = () => {};
    onmessage = (_: object) => {};
    onclose = (_: object) => {};

    constructor(url: string, protocol: string) {
      this.url = url;
      this.protocol = protocol;
      made.push(this as never);
    }

    send(frame: string): void {
      said.push(brief(codec.decode(frame)));
    }

    close(): void {}
  }
  return { WebSocket: Fake as unknown as typeof WebSocket, made: made as unknown as Fake[], said };
}

describe('in virtual time', () => {
  const noTimer = () => {
    throw new Error('a timer of the platform');
  };

  afterEach(() => vi.unstubAllGlobals());

  test('over WebSockets: it connects, times out, is cut and resumes', async () => {
    vi.stubGlobal('setTimeout', noTimer);
    const { WebSocket, made, said } = sockets();
    const { socket, log, advance } = client({ transports: [websocket({ WebSocket })] });
    await settle();
    expect([made[0]!.url, made[0]!.protocol]).toEqual(['wss://app.example/halyard', 'halyard.v1+json']);
    made[0]!.onopen();
    await settle();
    for (const packet of [welcome(), connected()]) made[0]!.onmessage({ data: codec.encode(packet) });
    const reply = socket.timeout(5_000).emitWithAck('ask');
    reply.catch(() => {});
    await advance(5_000);
    await expect(reply).rejects.toMatchObject({ code: 'ERR_ACK_TIMEOUT' });
    made[0]!.onclose({ code: 1006, reason: '' });
    await advance(250);
    made[1]!.onopen();
    await settle();
    expect(said).toEqual(['HELLO /', 'EVENT / ask [] #1', 'SACK 1', 'HELLO / resume s1 1 0', 'EVENT / ask [] #1']);
    expect(log).toEqual([
      ['connect', { recovered: false, unconfirmed: 0 }],
      ['disconnect', 1006, 'network', true],
    ]);
  });

  test('over HTTP, where no WebSocket opens: it asks again, and says its token', async () => {
    vi.stubGlobal('setTimeout', noTimer);
    const { WebSocket, made } = sockets();
    const requests: string[] = [];
    const bodies: unknown[] = [];
    let failures = 2;
    const fetch: Fetch = async (url, { method, headers, body }) => {
      requests.push(`${method} ${url} ${headers['halyard-protocol'] ?? headers['halyard-seq'] ?? ''}`);
      if (body) bodies.push(codec.decode(body));
      if (method === 'GET') return new Promise(() => {});
      if (headers['halyard-protocol']) return new Response('', { headers: { 'halyard-connection': 'id' } });
      if (failures-- > 0) throw new Error('no network');
      return new Response(`${codec.encode(welcome())}\n${codec.encode(connected())}`, {
        headers: { 'halyard-seq': '1' },
      });
    };
    const { socket, log, advance } = client({ transports: [websocket({ WebSocket }), polling({ fetch })] });
    await advance(399);
    expect([made.length, requests]).toEqual([1, []]);
    await advance(1);
    await advance(300);
    await advance(600);
    const url = 'https://app.example/halyard';
    expect(requests).toEqual([`POST ${url} halyard.v1+json`, `GET ${url} `, ...Array(3).fill(`POST ${url} 1`)]);
    expect(bodies[0]).toMatchObject({ type: PacketType.Hello, token: 'a token of the test' });
    expect([socket.connection.transport, log]).toEqual([
      'polling',
      [['connect', { recovered: false, unconfirmed: 0 }]],
    ]);
  });
});

test.each([
  [true, 'include'],
  [false, 'same-origin'],
  [undefined, 'same-origin'],
] as const)(
  'withCredentials %s: the requests of sse and polling carry cookies: %s',
  async (withCredentials, expected) => {
    for (const transport of [polling, sse]) {
      const seen: string[] = [];
      const fetch: Fetch = async (_url, { method, headers, credentials }) => {
        seen.push(`${method} ${credentials}`);
        if (!headers['halyard-connection']) return new Response('', { headers: { 'halyard-connection': 'id' } });
        return new Promise(() => {});
      };
      const { socket } = client({ transports: [transport({ fetch })], withCredentials });
      await settle();
      socket.disconnect();
      await settle();
      const [first] = seen;
      expect(first).toBe(`${transport === sse ? 'GET' : 'POST'} ${expected}`);
      expect(seen.every((request) => request.endsWith(` ${expected}`))).toBe(true);
    }
  },
);
