// Something on the way puts its own words into an answer that has begun, or leaves the end of it out: that costs the connection at the
// most, never the session, and nothing that was said.
import { type AddressInfo, connect as connectTcp, createServer, type Socket } from 'node:net';
import { connect, type Fetch, polling, sse, type Transport } from '@halyard/client';
import { json } from '@halyard/codec/json';
import { msgpack } from '@halyard/codec-msgpack';
import type { Socket as ServerSocket } from '@halyard/server';
import { describe, expect, test } from 'vitest';
import { hosts } from '../kit/hosts';
import { served } from '../kit/served';

const page =
  '<!DOCTYPE html>\n<html><head><title>502 Bad Gateway</title></head>\n\n<body><h1>502</h1></body></html>\n\n';
const bytes = (text: string) => Buffer.from(text, 'latin1');

/** What becomes of the bytes of an answer; undefined for one that is left alone. */
type Change = (body: Buffer, isBinary: boolean) => { readonly body: Buffer; readonly isEnd: boolean } | undefined;

const lineFeed = 10;

/** Whether it has frames enough to lose one. */
const hasMany = (body: Buffer) => body.length > 60;

const changes: Readonly<Record<string, Record<string, Change>>> = {
  polling: {
    'ends behind a frame': (body, isBinary) => {
      const end = isBinary ? 4 + body.readUInt32BE(0) : body.indexOf(lineFeed) + 1;
      return end > 0 && end < body.length ? { body: body.subarray(0, end), isEnd: true } : undefined;
    },
    'ends within a frame': (body) =>
      hasMany(body) ? { body: body.subarray(0, body.length - 5), isEnd: true } : undefined,
    'goes on with a page': (body) =>
      hasMany(body)
        ? { body: Buffer.concat([body.subarray(0, body.length - 5), bytes(page)]), isEnd: true }
        : undefined,
  },
  sse: {
    'goes on with a page': (body) => ({ body: Buffer.concat([body.subarray(0, 20), bytes(page)]), isEnd: true }),
    'has a line of a script before an event': (body) => ({
      body: Buffer.concat([bytes('<script src=/ad.js></script>\n'), body]),
      isEnd: false,
    }),
    'has a line of a script behind an event': (body) => ({
      body: Buffer.concat([
        body.subarray(0, body.indexOf('\n\n')),
        bytes('\n<script src=/ad.js></script>'),
        body.subarray(body.indexOf('\n\n')),
      ]),
      isEnd: false,
    }),
    'has a page of its own': (body) => ({ body: Buffer.concat([bytes(page), body]), isEnd: false }),
  },
};

class Way {
  /** What becomes of the next answer that brings something, once. */
  change: Change | undefined;
  readonly #isBinary: boolean;

  constructor(isBinary: boolean) {
    this.#isBinary = isBinary;
  }

  readonly fetch: Fetch = async (url, init) => {
    const answer = await fetch(url, init as RequestInit);
    const { status, headers, body } = answer;
    if (headers.get('content-type') === 'text/event-stream') {
      return new Response(body!.pipeThrough(this.#changed()), { status, headers });
    }
    const whole = Buffer.from(await answer.arrayBuffer());
    if (!headers.has('halyard-seq')) return new Response(status === 204 ? null : whole, { status, headers });
    return new Response(new Uint8Array(this.#take(whole)?.body ?? whole), { status, headers });
  };

  #take(body: Buffer): ReturnType<Change> {
    const changed = this.change?.(body, this.#isBinary);
    if (changed) this.change = undefined;
    return changed;
  }

  #changed(): TransformStream<Uint8Array, Uint8Array> {
    return new TransformStream({
      transform: (chunk, controller) => {
        const changed = chunk[0] === ':'.charCodeAt(0) ? undefined : this.#take(Buffer.from(chunk));
        controller.enqueue(changed?.body ?? chunk);
        if (changed?.isEnd) controller.terminate();
      },
    });
  }
}

const transports: Readonly<Record<string, (fetch: Fetch) => Transport>> = {
  polling: (fetch) => polling({ fetch }),
  sse: (fetch) => sse({ fetch }),
};

const cases = Object.entries(changes).flatMap(([name, its]) =>
  Object.entries(its).flatMap(([what, change]) =>
    hosts.flatMap(([host, make]) =>
      [json(), msgpack()].map((codec) => ({ name, what, change, host, make, codec, codecName: codec.name })),
    ),
  ),
);

describe.each(cases)('an answer of $name on $host in $codecName that $what', ({ name, change, make, codec }) => {
  const { serve, cleanUp } = served(make);

  test('loses nothing, and not the session', async () => {
    const way = new Way(codec.binary);
    let socket: ServerSocket | undefined;
    const io = await serve({ codecs: [codec] }, (io) => {
      io.on('connection', (its) => {
        socket = its;
        its.join('room');
      });
    });
    const client = connect(`http://127.0.0.1:${io.port}`, {
      codec,
      transports: [transports[name]!(way.fetch)],
      reconnect: { delayMinMs: 1, delayMaxMs: 5 },
    });
    cleanUp.push(() => client.connection.close());
    const heard: number[] = [];
    client.on('m', (n: number) => void heard.push(n));
    const ends: unknown[] = [];
    client.on('disconnect', ({ willReconnect }) => void ends.push(willReconnect));
    await new Promise<void>((resolve) => client.once('connect', () => resolve()));
    const { id } = socket!;
    let said = 0;
    const say = () => {
      for (let i = 0; i < 5; i++) {
        if (said % 2) io.to('room').emit('m', said++);
        else socket!.emit('m', said++);
      }
    };
    way.change = change;
    say();
    await expect.poll(() => heard.length).toBe(said);
    say();
    const all = Array.from({ length: said }, (_, i) => i);
    await expect.poll(() => heard).toEqual(all);
    expect(way.change).toBeUndefined();
    expect([socket!.id, client.id]).toEqual([id, id]);
    expect(ends.every((willReconnect) => willReconnect)).toBe(true);
  });
});

describe.each(hosts)('a WebSocket on %s', (_host, make) => {
  const { serve, cleanUp } = served(make);

  test('into which something on the way writes an answer of HTTP is one that is lost, on both ends', async () => {
    const ends: number[] = [];
    let socket: ServerSocket | undefined;
    const io = await serve({}, (io) => {
      io.on('connection', (its) => {
        socket = its;
        its.on('disconnect', ({ code }) => void ends.push(code));
      });
    });
    const lines: Socket[] = [];
    const way = createServer((line) => {
      const inner = connectTcp(io.port, '127.0.0.1');
      lines.push(line);
      line.pipe(inner);
      // Whatever becomes of it, the other end hears of what the client says then.
      inner.on('data', (chunk) => line.writable && line.write(chunk));
      for (const end of [line, inner]) end.on('error', () => {});
      line.on('close', () => inner.destroy());
      inner.on('close', () => line.destroy());
    });
    await new Promise<void>((resolve) => way.listen(0, '127.0.0.1', resolve));
    cleanUp.push(() => way.close());
    const client = connect(`http://127.0.0.1:${(way.address() as AddressInfo).port}`, {
      transports: ['websocket'],
      reconnect: { delayMinMs: 1, delayMaxMs: 5 },
    });
    cleanUp.push(() => client.connection.close());
    const heard: number[] = [];
    client.on('m', (n: number) => void heard.push(n));
    const comes = () =>
      new Promise<boolean>((resolve) => client.once('connect', ({ recovered }) => resolve(recovered)));
    await comes();
    const back = comes();
    lines[0]!.write('HTTP/1.1 502 Bad Gateway\r\ncontent-type: text/html\r\n\r\n<html>nope</html>');
    for (let n = 0; n < 5; n++) socket!.emit('m', n);
    expect(await back).toBe(true);
    await expect.poll(() => heard).toEqual([0, 1, 2, 3, 4]);
    expect(ends).toEqual([]);
  });
});
