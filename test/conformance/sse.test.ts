// The sse transport (docs/PROTOCOL.md §7.1), by hand and with the client, on both hosts. Longer than other files: a case for each rule of it.
import { type IncomingMessage, request } from 'node:http';
import { connect, polling, sse } from '@halyard/client/core';
import { json } from '@halyard/codec/json';
import { msgpack } from '@halyard/codec-msgpack';
import { VirtualClock } from '@halyard/harness/clock';
import type { Server, ServerOptions } from '@halyard/server';
import { describe, expect, test } from 'vitest';
import { hosts } from '../kit/hosts';
import { served } from '../kit/served';

/** A stream by hand: what it has brought, and bodies for it. */
class Stream {
  text = '';
  status = 0;
  headers: Readonly<Record<string, unknown>> = {};
  isOver = false;
  #sent = 0;
  readonly #port: number;
  readonly #request: ReturnType<typeof request>;
  #response: IncomingMessage | undefined;

  constructor(port: number, headers: Record<string, string> = {}) {
    this.#port = port;
    this.#request = request({
      ...{ host: '127.0.0.1', port, path: '/halyard' },
      headers: { accept: 'text/event-stream', 'halyard-protocol': 'halyard.v1+json', ...headers },
    });
    this.#request.on('response', (response) => {
      this.#response = response;
      this.status = response.statusCode ?? 0;
      this.headers = response.headers;
      response.setEncoding('utf8').on('data', (chunk) => {
        this.text += chunk;
      });
      response
        .on('error', () => {})
        .on('close', () => {
          this.isOver = true;
        });
    });
    this.#request.on('error', () => {});
    this.#request.end();
  }

  get id(): string {
    return String(this.headers['halyard-connection']);
  }

  /** What came in events without a name. */
  get frames(): string[] {
    return [...this.text.matchAll(/(?<=\n\n)data: ([^\n]*)\n\n/g)].map(([, data]) => data as string);
  }

  get packets(): unknown[][] {
    return this.frames.map((frame) => JSON.parse(frame));
  }

  async opened(): Promise<this> {
    await expect.poll(() => this.text).not.toBe('');
    return this;
  }

  async packet(type: number): Promise<unknown[]> {
    await expect.poll(() => this.packets.find(([its]) => its === type)).toBeDefined();
    return this.packets.find(([its]) => its === type) as unknown[];
  }

  async ask(method: string, headers: Record<string, string>, body?: string): Promise<[status: number, body: string]> {
    const response = await fetch(`http://127.0.0.1:${this.#port}/halyard`, {
      method,
      headers: { 'halyard-connection': this.id, ...headers },
      body: body ?? null,
    });
    return [response.status, await response.text()];
  }

  send(...packets: unknown[]): Promise<[status: number, body: string]> {
    const body = packets.map((packet) => JSON.stringify(packet)).join('\n');
    return this.ask('POST', { 'halyard-seq': String(++this.#sent) }, body);
  }

  /** It reads no more. */
  pause(): void {
    this.#response?.pause();
  }

  cut(): void {
    this.#request.destroy();
  }
}

describe.each(hosts)('sse, on %s', (_name, host) => {
  const { serve, cleanUp } = served(host);

  async function app(options: ServerOptions = {}): Promise<Server> {
    return serve(options, (io) => {
      io.on('connection', (socket) => {
        socket.join('all');
        socket.on('echo', (...args) => args);
      });
    });
  }

  async function begun(io: Server, headers: Record<string, string> = {}): Promise<Stream> {
    const stream = await new Stream(io.port, headers).opened();
    cleanUp.push(() => stream.cut());
    return stream;
  }

  function dial(io: Server, options: Partial<Parameters<typeof connect>[1]> = {}) {
    const socket = connect(`http://127.0.0.1:${io.port}`, { transport: sse(), codec: json(), ...options });
    cleanUp.push(() => socket.connection.close());
    return socket;
  }

  test('one answer brings everything, and begins with enough to pass what holds back a little', async () => {
    const io = await app();
    const stream = await begun(io);
    expect(stream.status).toBe(200);
    expect(stream.headers).toMatchObject({
      'content-type': 'text/event-stream',
      'cache-control': 'no-store, no-transform',
      'x-accel-buffering': 'no',
      'halyard-protocol': 'halyard.v1+json',
      'halyard-body-bytes-max': '4194304',
    });
    expect(stream.text).toMatch(/^: {2048}\n\n$/);
    // A media type has no case (RFC 9110 §8.3.1).
    expect((await begun(io, { accept: '*/*, TEXT/Event-Stream' })).status).toBe(200);
    expect(await stream.send([0])).toEqual([204, '']);
    await stream.packet(11);
    expect(await stream.send([2, '/', 'echo', ['hi'], 1])).toEqual([204, '']);
    expect(await stream.packet(3)).toEqual([3, 1, ['hi']]);
    io.to('all').emit('news', 'x');
    expect((await stream.packet(5)).slice(3)).toEqual(['news', ['x']]);
  });

  test('a comment comes every 15 s, whatever else does: nothing on the way takes the stream for dead', async () => {
    const clock = new VirtualClock();
    const io = await app({ clock, helloTimeoutMs: 600_000, heartbeatMs: 3_600_000 });
    const stream = await begun(io);
    await stream.send([0]);
    await stream.packet(11);
    const comments = () => stream.text.match(/(?<=\n\n):\n\n/g)?.length ?? 0;
    for (let i = 0; i < 4; i++) {
      clock.advance(14_000);
      const [socket] = [...io.sockets.values()];
      socket?.emit('news', i);
      await expect.poll(() => stream.text).toContain(`"news",[${i}]`);
      expect(comments()).toBe(i);
      clock.advance(1_100);
      await expect.poll(comments).toBe(i + 1);
    }
    expect(stream.isOver).toBe(false);
  });

  test('a body that comes again is handled once, one out of turn ends the connection, and nothing confirms an answer', async () => {
    const stream = await begun(await app());
    await stream.send([0]);
    const body = JSON.stringify([2, '/', 'echo', ['once'], 1]);
    expect(await stream.ask('POST', { 'halyard-seq': '2' }, body)).toEqual([204, '']);
    expect(await stream.ask('POST', { 'halyard-seq': '2', 'halyard-ack': '0' }, body)).toEqual([204, '']);
    await stream.packet(3);
    expect(stream.packets.filter(([type]) => type === 3)).toHaveLength(1);
    const [status, said] = await stream.ask('POST', { 'halyard-seq': '3', 'halyard-ack': '1' }, body);
    expect([status, JSON.parse(said).code]).toEqual([400, 'ERR_SEQUENCE']);
    await expect.poll(() => stream.isOver).toBe(true);
    expect(stream.text).toMatch(/\n\nevent: close\ndata: 4400 ERR_SEQUENCE: [^\n]*\n\n$/);
    expect((await stream.ask('POST', { 'halyard-seq': '3' }, '[8]'))[0]).toBe(404);
  });

  test('a client closes by DELETE, and the session is over; by its end, and the session is kept', async () => {
    const io = await app();
    const stream = await begun(io);
    await stream.send([0]);
    await stream.packet(11);
    expect((await stream.ask('DELETE', { 'halyard-close': '1000' }))[0]).toBe(204);
    await expect.poll(() => stream.isOver).toBe(true);
    expect(io.sockets.size).toBe(0);
    const other = await begun(io);
    await other.send([0]);
    const [, session, secret] = await other.packet(1);
    await other.packet(11);
    const [socket] = [...io.sockets.values()];
    other.cut();
    await expect.poll(() => socket?.away).toBe(true);
    expect((await other.send([8]))[0]).toBe(404);
    const again = await begun(io);
    await again.send([0, [], '', [session, secret, 1, 0]]);
    expect((await again.packet(1)).slice(5, 6)).toEqual([true]);
  });

  test('a second stream of a session ends the first, which is told', async () => {
    const io = await app();
    const first = await begun(io);
    await first.send([0]);
    const [, session, secret] = await first.packet(1);
    await first.packet(11);
    const second = await begun(io);
    await second.send([0, [], '', [session, secret, 1, 0]]);
    await second.packet(1);
    await expect.poll(() => first.isOver).toBe(true);
    expect(first.text).toMatch(/\n\nevent: close\ndata: 4409 [^\n]*\n\n$/);
  });

  test('who is not known is not, a stream is not polled, and without the header there is none', async () => {
    const stream = await begun(await app());
    expect((await stream.ask('POST', { 'halyard-connection': 'x'.repeat(22), 'halyard-seq': '1' }, '[0]'))[0]).toBe(
      404,
    );
    expect((await stream.ask('GET', {}))[0]).toBe(404);
    expect(stream.isOver).toBe(false);
    expect((await stream.send([0]))[0]).toBe(204);
    const plain = await fetch(`http://127.0.0.1:${(await app()).port}/halyard`);
    expect(plain.status).toBe(426);
  });

  test('who says nothing is let go and told, and so is everybody when the server shuts down', async () => {
    const io = await app({ helloTimeoutMs: 200 });
    const stream = await begun(io);
    await expect.poll(() => stream.isOver).toBe(true);
    expect(stream.text).toContain('event: close\ndata: 4408');
    const other = await begun(io);
    await other.send([0]);
    await other.packet(11);
    await io.close();
    await expect.poll(() => other.isOver).toBe(true);
    expect(other.text).toContain('event: close\ndata: 1001');
  });

  test('it may be off, the app is asked, and a foreign page may not', async () => {
    const off = await new Stream((await app({ transports: ['websocket'] })).port).opened();
    expect([off.status, JSON.parse(off.text).code]).toEqual([400, 'ERR_TRANSPORT']);
    const asked: string[] = [];
    const asking = await app({ allowRequest: ({ transport }) => asked.push(transport) > 1 });
    const refused = await new Stream(asking.port).opened();
    expect([refused.status, asked]).toEqual([403, ['sse']]);
    await begun(asking);
    const foreign = await new Stream((await app()).port, { origin: 'https://evil.example' }).opened();
    expect([foreign.status, JSON.parse(foreign.text).code]).toEqual([403, 'ERR_ORIGIN']);
    const listed = await begun(await app({ origins: ['https://app.example'] }), { origin: 'https://app.example' });
    expect(listed.headers).toMatchObject({ 'access-control-allow-origin': 'https://app.example' });
    expect(listed.headers['access-control-expose-headers']).toContain('halyard-connection');
  });

  test('who does not read is cut at the limit, and the session is kept', async () => {
    const io = await app({ backpressureBytesMax: 1 << 20 });
    const stream = await begun(io);
    await stream.send([0]);
    await stream.packet(11);
    const [socket] = [...io.sockets.values()];
    stream.pause();
    for (let i = 0; !socket?.away && i < 4_000; i++) {
      io.to('all').emit('large', 'x'.repeat(50_000));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(socket?.away).toBe(true);
  });

  test.each([
    ['json', json()],
    ['msgpack', msgpack()],
  ])('the client: events both ways, replies, what is large, and what was missed, with %s', async (_codec, codec) => {
    const io = await app({ codecs: [json(), msgpack()] });
    const socket = dial(io, { codec, reconnect: { delayMinMs: 1, delayMaxMs: 50 } });
    const heard: unknown[] = [];
    socket.on('news', (value: unknown) => heard.push(value));
    expect(await socket.emitWithAck('echo', new Uint8Array([0, 255, 10]), 'ü𝄞')).toEqual([
      new Uint8Array([0, 255, 10]),
      'ü𝄞',
    ]);
    expect(socket.connection.transport).toBe('sse');
    const large = 'ü'.repeat(400_000);
    expect(await socket.emitWithAck('echo', large)).toEqual([large]);
    for (let i = 0; i < 300; i++) {
      io.to('all').emit('news', i);
    }
    await expect.poll(() => heard.length).toBe(300);
    expect(heard).toEqual(Array.from({ length: 300 }, (_, i) => i));
    socket.connection.close();
    await expect.poll(() => io.sockets.size).toBe(0);
  });

  test.each([
    ['sse', sse],
    ['polling', polling],
  ])('the client: characters that end a line in some languages end none, %s', async (_transport, transport) => {
    const io = await app();
    const socket = dial(io, { transport: transport() });
    const told: unknown[] = [];
    socket.on('error', (error) => told.push(error));
    socket.on('disconnect', (info) => told.push(info));
    const heard: unknown[] = [];
    socket.on('news', (value: unknown) => heard.push(value));
    // JSON escapes the first four, and no other.
    const texts = ['\n', '\r', '\v', '\f', '\u0085', '\u2028', '\u2029'].map((char) => `a${char}b${char}${char}`);
    expect(await socket.emitWithAck('echo', ...texts)).toEqual(texts);
    for (const text of texts) io.to('all').emit('news', text);
    await expect.poll(() => heard).toEqual(texts);
    expect(told).toEqual([]);
  });

  test('the client: a stream that ends is another one, and the session goes on', async () => {
    const io = await app();
    const cuts: AbortController[] = [];
    const own = async (url: string, { signal, ...init }: RequestInit) => {
      const cut = new AbortController();
      if (init.method === 'GET') cuts.push(cut);
      return fetch(url, { ...init, signal: AbortSignal.any([signal as AbortSignal, cut.signal]) });
    };
    const socket = dial(io, { transport: sse({ fetch: own as never }), reconnect: { delayMinMs: 1, delayMaxMs: 5 } });
    const heard: unknown[] = [];
    const recovered: boolean[] = [];
    socket.on('news', (value: unknown) => heard.push(value));
    socket.on('connect', (info) => recovered.push(info.recovered));
    await expect.poll(() => recovered).toEqual([false]);
    for (let round = 1; round <= 5; round++) {
      for (let i = 0; i < 20; i++) io.to('all').emit('news', i);
      cuts.at(-1)?.abort();
      for (let i = 20; i < 40; i++) io.to('all').emit('news', i);
      await expect.poll(() => recovered.length).toBe(round + 1);
      await expect.poll(() => heard.length).toBe(40 * round);
    }
    expect(recovered).toEqual([false, true, true, true, true, true]);
    expect(heard).toEqual(Array.from({ length: 200 }, (_, i) => i % 40));
  });

  test('the client: a stream that is half-open is given up once a body finds no connection', async () => {
    const io = await app();
    let isUnknown = false;
    const own = async (url: string, init: RequestInit) => {
      if (!isUnknown || init.method !== 'POST') return fetch(url, init);
      isUnknown = false;
      return new Response('{"code":"ERR_CONNECTION_UNKNOWN","message":"unknown"}', { status: 404 });
    };
    const socket = dial(io, { transport: sse({ fetch: own as never }), reconnect: { delayMinMs: 1, delayMaxMs: 5 } });
    expect(await socket.emitWithAck('echo', 1)).toEqual([1]);
    isUnknown = true;
    expect(await socket.timeout(8_000).emitWithAck('echo', 2)).toEqual([2]);
    expect(socket.recovered).toBe(true);
  });

  test('the client: what is no server of ours is not one', async () => {
    const io = await serve({ fetch: () => new Response('<html>please log in</html>', { status: 200 }) });
    const socket = dial(io, { path: '/portal' });
    const error = await new Promise<Error>((resolve) => socket.on('connect_error', resolve));
    expect(error.message).toBe('no Halyard server, but one that answers 200');
  });
});
