// Answers of the app's own that come as they are made: what the option `fetch` returns as a stream, on both hosts.
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { get, type IncomingMessage } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { cert, key } from '@halyard/harness/certificate';
import { node, Server } from '@halyard/server';
import { afterEach, describe, expect, test } from 'vitest';
import { hosts } from '../kit/hosts';
import { untilHolds } from '../kit/until';

const text = (chunk: string): Uint8Array => new TextEncoder().encode(chunk);
const cleanUp: (() => unknown)[] = [];

afterEach(async () => {
  for (const end of cleanUp.splice(0).reverse()) await end();
});

describe.each(hosts)('on %s', (_name, host) => {
  async function serve(answer: (request: Request) => Response | Promise<Response>) {
    const errors: unknown[] = [];
    const io = new Server({ host: host(), fetch: answer });
    io.on('error', (error, { where }) => errors.push(`${where}: ${(error as Error).message}`));
    await io.listen(0, '127.0.0.1');
    cleanUp.push(() => io.close());
    const ask = async (path = '/page', method = 'GET'): Promise<IncomingMessage> => {
      const request = get({ host: '127.0.0.1', port: io.port, path, method, agent: false });
      request.on('error', () => {});
      cleanUp.push(() => request.destroy());
      const [response] = (await once(request, 'response')) as [IncomingMessage];
      return response;
    };
    return { io, ask, errors };
  }

  test('come as they are made', async () => {
    let push: ReadableStreamDefaultController<Uint8Array> | undefined;
    const { ask } = await serve(() => {
      const body = new ReadableStream<Uint8Array>({
        start(controller) {
          push = controller;
        },
      });
      return new Response(body, { status: 201, headers: { 'content-type': 'text/event-stream', 'x-own': 'yes' } });
    });
    const asked = ask();
    await untilHolds(() => expect(push).toBeDefined());
    push?.enqueue(text('one'));
    const response = await asked;
    expect([response.statusCode, response.headers['x-own'], response.headers['content-length']]).toEqual([
      201,
      'yes',
      undefined,
    ]);
    response.setEncoding('utf8');
    const reads = response[Symbol.asyncIterator]();
    expect((await reads.next()).value).toBe('one');
    push?.enqueue(text('two'));
    expect((await reads.next()).value).toBe('two');
    push?.close();
    expect((await reads.next()).done).toBe(true);
  });

  test('what is there at once has its length', async () => {
    const { ask } = await serve(({ url }) => new Response(url.endsWith('/empty') ? new Blob([]).stream() : 'whole'));
    const response = await ask();
    expect(response.headers['content-length']).toBe('5');
    expect(Buffer.concat(await response.toArray()).toString()).toBe('whole');
    expect(Buffer.concat(await (await ask('/empty')).toArray()).length).toBe(0);
  });

  test('more than fits comes whole, and no faster than it is read', async () => {
    let made = 0;
    const { ask } = await serve(
      () =>
        new Response(
          new ReadableStream<Uint8Array>({
            pull(controller) {
              if (made === 64) controller.close();
              else controller.enqueue(new Uint8Array(1 << 20).fill(++made));
            },
          }),
        ),
    );
    const response = await ask();
    response.pause();
    // What the system takes is its own; nobody makes the rest.
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(made).toBeLessThan(64);
    let bytes = 0;
    for await (const chunk of response) bytes += (chunk as Buffer).length;
    expect([made, bytes]).toEqual([64, 64 << 20]);
  });

  test('end when who has asked is gone, and with the server', async () => {
    const ends: string[] = [];
    let beat: NodeJS.Timeout | undefined;
    const { io, ask, errors } = await serve((request) => {
      const name = new URL(request.url).pathname;
      request.signal.addEventListener('abort', () => ends.push(`${name} aborted`));
      return new Response(
        new ReadableStream<Uint8Array>({
          start(controller) {
            beat = setInterval(() => controller.enqueue(text('x')), 5);
          },
          cancel() {
            clearInterval(beat);
            ends.push(`${name} cancelled`);
          },
        }),
      );
    });
    (await ask('/gone')).destroy();
    await untilHolds(() => expect(ends.toSorted()).toEqual(['/gone aborted', '/gone cancelled']));
    ends.splice(0);
    const kept = await ask('/closed');
    kept.on('error', () => {});
    await io.close();
    await untilHolds(() => expect(ends.toSorted()).toEqual(['/closed aborted', '/closed cancelled']));
    expect(errors).toEqual([]);
  });

  test('what fails on its way is cut, and reported; what fails before is 500', async () => {
    const { ask, errors } = await serve(({ url }) => {
      if (url.endsWith('/error')) return Response.error();
      return new Response(dryWell());
    });
    const response = await ask();
    await expect(response.toArray()).rejects.toThrow('aborted');
    expect((await ask('/error')).statusCode).toBe(500);
    expect(errors).toEqual([
      'fetch, for GET /page: the well is dry',
      'fetch, for GET /error: it has returned Response.error()',
    ]);
  });

  test.each<[what: string, answer: () => Response | Promise<Response>, status: number, errors: number]>([
    [
      'a body that is used already',
      async () => {
        const response = new Response('x');
        await response.text();
        return response;
      },
      500,
      1,
    ],
    ['a file that is not there', () => new Response(Readable.toWeb(createReadStream('/nothing')) as BodyInit), 500, 1],
    ['a part that is no bytes', () => new Response(new ReadableStream({ pull: (its) => its.enqueue(5) })), 500, 1],
    ['text in parts', () => new Response(partsOf('a', 'b')), 200, 0],
    ['buffers', () => new Response(partsOf(new ArrayBuffer(3), new Uint16Array(2))), 200, 0],
    ['fields about the connection', () => new Response('x', { headers: { 'keep-alive': 'timeout=5' } }), 200, 0],
  ])('%s is answered, to HEAD too, and nothing else is disturbed', async (_what, answer, status, count) => {
    const { ask, errors } = await serve(answer);
    for (const method of ['GET', 'HEAD'] as const) {
      const response = await ask('/page', method);
      await response.toArray();
      expect([method, response.statusCode]).toEqual([method, status]);
    }
    expect(errors.length).toBe(count * 2);
  });

  test('a body that is refused is cancelled, and buffers have their length', async () => {
    let isCancelled = false;
    const { ask } = await serve(({ url }) => {
      if (url.endsWith('/buffers')) return new Response(partsOf(new ArrayBuffer(3), new ArrayBuffer(2)));
      const cancel = (): void => {
        isCancelled = true;
      };
      return new Response(new ReadableStream({ pull: (its) => its.enqueue(5), cancel }));
    });
    expect((await ask('/buffers')).headers['content-length']).toBe('5');
    expect((await ask('/refused')).statusCode).toBe(500);
    await untilHolds(() => expect(isCancelled).toBe(true));
  });

  test('HEAD says how long it would be, and no more', async () => {
    let isCancelled = false;
    const { ask } = await serve(({ url }) => {
      if (url.endsWith('/whole')) return new Response('hello');
      const cancel = (): void => {
        isCancelled = true;
      };
      return new Response(new ReadableStream({ pull: (its) => its.enqueue(new Uint8Array(1 << 20)), cancel }));
    });
    const whole = await ask('/whole', 'HEAD');
    expect([whole.headers['content-length'], (await whole.toArray()).length]).toEqual(['5', 0]);
    const endless = await ask('/endless', 'HEAD');
    expect([endless.statusCode, endless.headers['content-length']]).toEqual([200, undefined]);
    expect((await endless.toArray()).length).toBe(0);
    await untilHolds(() => expect(isCancelled).toBe(true));
  });
});

/** @returns a stream that fails behind its first part */
function dryWell(): ReadableStream<Uint8Array> {
  let isFirst = true;
  return new ReadableStream({
    async pull(controller) {
      await new Promise((resolve) => setTimeout(resolve, 10));
      if (!isFirst) throw new Error('the well is dry');
      isFirst = false;
      controller.enqueue(text('some'));
    },
  });
}

function partsOf(...parts: unknown[]): ReadableStream {
  return new ReadableStream({
    start(controller) {
      for (const part of parts) controller.enqueue(part);
      controller.close();
    },
  });
}

test('over HTTP/2 what fails on its way is reset', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'halyard-streamed-'));
  cleanUp.push(() => rm(folder, { recursive: true }));
  const [keyFile, certFile] = [join(folder, 'key'), join(folder, 'crt')];
  await Promise.all([writeFile(keyFile, key), writeFile(certFile, cert)]);
  const io = new Server({
    host: node(),
    fetch: () => new Response(dryWell(), { headers: { 'keep-alive': 'timeout=5' } }),
  });
  io.on('error', () => {});
  await io.listen(0, { address: '127.0.0.1', tls: { keyFile, certFile } });
  cleanUp.push(() => io.close());
  const session = connectHttp2(`https://127.0.0.1:${io.port}`, { rejectUnauthorized: false });
  cleanUp.push(() => session.destroy());
  const request = session.request({ ':path': '/page' });
  request.resume();
  await expect(once(request, 'close')).rejects.toMatchObject({ code: 'ERR_HTTP2_STREAM_ERROR' });
});
