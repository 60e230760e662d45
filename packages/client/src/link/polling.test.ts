// Longer than other files: what one transport does with every answer that a server, or something between, may give.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { VirtualClock } from '@halyard/harness/clock';
import { type Clock, type Close, type Frame, joinFrames, splitFrames } from '@halyard/protocol';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { deferred, settle } from '../../testing/fake';
import * as browser from '../platform/fetch-browser';
import * as node from '../platform/fetch-node';
import { type Fetch, polling, sse } from './http';
import type { Link } from './transport';

/** What requests are made with. */
const platform: { fetch: Fetch } = { fetch: browser.fetch };

/** Real time, twenty times as fast: what takes 300 ms takes 15, and no busy machine is slower than a request may be. */
const clock: Clock = {
  now: () => performance.now() * 20,
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs / 20);
    return () => clearTimeout(timer);
  },
};

type Fault =
  | 'lost request'
  | 'lost response'
  | 'half a response'
  | 'cut response'
  | 'late response'
  | 'no answer'
  // A refusal of the server, or the page of something on the way.
  | number
  | `page ${number}`;

const refusal = '{"code":"ERR_FAULT","message":"on demand"}';

/** An answer with frames. */
interface Answer {
  readonly number: number;
  readonly headers: Record<string, string>;
  readonly body: string | Uint8Array;
}

/** The server's half of docs/PROTOCOL.md §7 for one connection, with faults on demand. */
class PollingServer {
  readonly frames: Frame[] = [];
  readonly bodies: number[] = [];
  readonly requests: string[] = [];
  /** What goes wrong with the next requests of a method. */
  readonly faults: Record<string, (Fault | undefined)[]> = {};
  /** What the answer to the next body brings. */
  readonly caused: Frame[] = [];
  /** Lets go a late response. */
  release = () => {};
  unknown = false;
  holdMs = 20_000;
  readonly #binary: boolean;
  #http: Server;
  #last = 0;
  #number = 0;
  #queue: Frame[] = [];
  #toBody: Answer | undefined;
  #toPoll: Answer | undefined;
  /** The last answer to a poll that has come. */
  #past: Answer | undefined;
  #close: string | undefined;
  #poll: ServerResponse | undefined;

  constructor(binary = false) {
    this.#binary = binary;
    this.#http = createServer((request, response) => this.#handle(request, response));
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#http.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#http.address() as AddressInfo).port}/halyard`;
  }

  stop(): void {
    this.#http.closeAllConnections();
    this.#http.close();
  }

  send(...frames: Frame[]): void {
    this.#queue.push(...frames);
    this.#answerPoll();
  }

  /** Answers the poll with what the last one had. */
  again(): void {
    const response = this.#poll;
    this.#poll = undefined;
    if (response) this.#send(response, this.#past!);
  }

  /** Forgets to send an answer. */
  skip(): void {
    this.#number++;
  }

  close(close: string): void {
    this.#close = close;
    this.#answerPoll();
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', headers } = request;
    const fault = this.faults[method]?.shift();
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    const { 'halyard-seq': sequence, 'halyard-ack': received, 'halyard-close': close } = headers;
    this.requests.push([method, close ?? sequence ?? received, fault].filter((part) => part !== undefined).join(' '));
    if (fault === 'lost request') return void request.socket.destroy();
    if (fault === 'no answer') return;
    if (fault?.toString().startsWith('page '))
      return void response.writeHead(Number(`${fault}`.slice(5))).end('<html>');
    if (typeof fault === 'number') return void response.writeHead(fault).end(refusal);
    if (fault) this.#spoil(response, fault as string);
    if (!headers['halyard-connection']) {
      const protocol = String(headers['halyard-protocol']);
      return void response.writeHead(200, { 'halyard-protocol': protocol, 'halyard-connection': 'secret' }).end();
    }
    if (headers['halyard-connection'] !== 'secret' || this.unknown) return void response.writeHead(404).end(refusal);
    const known = Number(received);
    if (!(known <= this.#number)) return void response.writeHead(400).end('{"code":"ERR_SEQUENCE"}');
    if (this.#toBody && this.#toBody.number <= known) this.#toBody = undefined;
    if (this.#toPoll && this.#toPoll.number <= known) {
      this.#past = this.#toPoll;
      this.#toPoll = undefined;
    }
    if (method === 'POST') this.#receive(Number(sequence), body, response);
    else if (method === 'GET') this.#hold(response);
    else response.writeHead(204, { 'halyard-connection': 'secret' }).end();
  }

  /** The answer, whenever it comes, is lost or kept on the way. */
  #spoil(response: ServerResponse, fault: string): void {
    const end = response.end.bind(response);
    response.end = ((content?: string | Uint8Array) => {
      if (fault === 'half a response' && content) {
        response.setHeader('content-length', content.length);
        response.write(content.slice(0, content.length / 2), () => response.socket?.destroy());
      } else if (fault === 'cut response' && content) end(content.slice(0, content.length - 1));
      else if (fault === 'late response') this.release = () => end(content);
      else response.socket?.destroy();
      return response;
    }) as ServerResponse['end'];
  }

  #receive(number: number, body: Buffer, response: ServerResponse): void {
    const next = number === this.#last + 1;
    if (number > this.#last && !(next && !this.#toBody)) {
      return void response.writeHead(400).end('{"code":"ERR_SEQUENCE"}');
    }
    if (next) {
      this.#last = number;
      this.bodies.push(body.length);
      this.frames.push(...splitFrames(this.#binary ? new Uint8Array(body) : body.toString()));
      if (this.caused.length > 0) this.#toBody = this.#answer(this.caused.splice(0));
    }
    if (number === this.#last && this.#toBody) this.#send(response, this.#toBody);
    else response.writeHead(204, { 'halyard-connection': 'secret' }).end();
  }

  #hold(response: ServerResponse): void {
    this.#poll?.writeHead(204, { 'halyard-connection': 'secret' }).end();
    this.#poll = response;
    clock.after(this.holdMs, () => {
      if (this.#poll !== response) return;
      this.#poll = undefined;
      response.writeHead(204, { 'halyard-connection': 'secret' }).end();
    });
    this.#answerPoll();
  }

  #answerPoll(): void {
    const response = this.#poll;
    if (!response || !(this.#toPoll || this.#queue.length || this.#close)) return;
    this.#poll = undefined;
    this.#toPoll ??= this.#answer(this.#queue.splice(0), this.#close);
    this.#send(response, this.#toPoll);
  }

  #answer(frames: Frame[], close?: string): Answer {
    const number = ++this.#number;
    const headers = { 'halyard-seq': `${number}`, ...(close && { 'halyard-close': close }) };
    return { number, headers, body: joinFrames(frames, this.#binary) };
  }

  #send(response: ServerResponse, { headers, body }: Answer): void {
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    response.end(body);
  }
}

describe.each([
  ['the fetch of the platform', browser.fetch],
  ['the HTTP of Node', node.fetch],
] satisfies [string, Fetch][])('polling by %s', (_, fetch) => {
  const servers: PollingServer[] = [];
  const links: Link[] = [];

  afterEach(() => {
    for (const link of links.splice(0)) link.close(1006, '');
    for (const server of servers.splice(0)) server.stop();
  });

  /** @param patienceMs longer than this no timer runs: what takes longer hangs */
  async function start({
    binary = false,
    batchMax = 1_000,
    faults = {} as PollingServer['faults'],
    patienceMs = Infinity,
  } = {}) {
    platform.fetch = fetch;
    /** How many timers of the link there are. Every request has one, and so has the wait for its next try. */
    let running = 0;
    const counting: Clock = {
      now: clock.now,
      after(delayMs, run) {
        running++;
        let over = () => {
          running--;
          over = () => {};
        };
        const cancel = clock.after(delayMs, () => {
          if (delayMs > patienceMs) return;
          over();
          run();
        });
        return () => {
          over();
          cancel();
        };
      },
    };
    const server = new PollingServer(binary);
    Object.assign(server.faults, faults);
    servers.push(server);
    const url = await server.listen();
    const frames: Frame[] = [];
    const heard: (() => void)[] = [];
    const closes: Close[] = [];
    const opened = deferred();
    const closed = deferred<Close>();
    const address = { url, protocol: 'halyard.v1+json', binary, batchMax: () => batchMax, clock: counting };
    const link = polling({ fetch: (url, init) => platform.fetch(url, init) }).open(address, {
      onOpen: opened.resolve,
      onFrame: (frame) => {
        frames.push(frame);
        for (const run of heard) run();
      },
      onClose: (close) => {
        closes.push(close);
        closed.resolve(close);
      },
    });
    links.push(link);
    const idle = () => running === 0;
    return { server, link, frames, heard, closes, idle, opened: opened.promise, closed: closed.promise };
  }

  async function until(condition: () => boolean): Promise<void> {
    await expect.poll(condition, { interval: 2 }).toBe(true);
  }

  test('what is sent in one turn goes in one body, what comes meanwhile in the next; frames keep their order', async () => {
    const { server, link, frames, opened } = await start();
    await opened;
    link.send('a');
    link.send('b');
    expect(link.bufferedBytes).toBe(2);
    server.send('1', '2');
    await until(() => server.frames.length === 2 && frames.length === 2);
    link.send('c');
    server.send('3');
    await until(() => server.frames.length === 3 && frames.length === 3);
    expect([server.frames, frames]).toEqual([
      ['a', 'b', 'c'],
      ['1', '2', '3'],
    ]);
    expect(server.bodies).toEqual([3, 1]);
    await until(() => link.bufferedBytes === 0);
  });

  test('bodies stay below the bound; a frame above it goes alone', async () => {
    const { server, link, opened } = await start({ batchMax: 10 });
    await opened;
    for (const size of [4, 4, 4, 20, 1, 1]) link.send('x'.repeat(size));
    await until(() => server.frames.length === 6);
    expect(server.bodies).toEqual([9, 4, 20, 3]);
  });

  test('binary frames', async () => {
    const { server, link, frames, opened } = await start({ binary: true });
    await opened;
    link.send(new Uint8Array([1, 10, 2]));
    link.send(new Uint8Array([3]));
    server.send(new Uint8Array([4, 5]), new Uint8Array([]));
    await until(() => server.frames.length === 2 && frames.length === 2);
    expect(server.frames).toEqual([new Uint8Array([1, 10, 2]), new Uint8Array([3])]);
    expect(frames).toEqual([new Uint8Array([4, 5]), new Uint8Array([])]);
  });

  test('lost requests and responses are repeated with their numbers, and nothing is lost or doubled', async () => {
    const { server, link, frames, opened } = await start({
      faults: {
        POST: [undefined, 'lost request', 'lost response', undefined, 'lost response', 503],
        GET: ['lost request', 'lost response', 'half a response', undefined, 502],
      },
    });
    await opened;
    link.send('a');
    server.send('one');
    await until(() => server.frames.length === 1 && frames.length === 1);
    link.send('b');
    server.send('two');
    await until(() => server.frames.length === 2 && frames.length === 2 && link.bufferedBytes === 0);
    expect([server.frames, frames]).toEqual([
      ['a', 'b'],
      ['one', 'two'],
    ]);
    expect(server.requests.filter((line) => line.startsWith('POST'))).toEqual([
      'POST 0',
      'POST 1 lost request',
      'POST 1 lost response',
      'POST 1',
      'POST 2 lost response',
      'POST 2 503',
      'POST 2',
    ]);
  });

  test('answers to bodies bring frames, and the poll goes on waiting', async () => {
    const { server, link, frames, opened } = await start();
    await opened;
    for (const name of ['a', 'b', 'c']) {
      server.caused.push(`${name} one`, `${name} two`);
      link.send(name);
      await until(() => server.frames.includes(name) && frames.includes(`${name} two`));
    }
    server.send('polled');
    await until(() => server.requests.includes('GET 4'));
    expect(frames).toEqual(['a one', 'a two', 'b one', 'b two', 'c one', 'c two', 'polled']);
    expect(server.requests.filter((line) => line.startsWith('GET'))).toEqual(['GET 0', 'GET 4']);
  });

  test('a binary answer to a body', async () => {
    const { server, link, frames, opened } = await start({ binary: true });
    await opened;
    server.caused.push(new Uint8Array([4, 5]), new Uint8Array([]));
    link.send(new Uint8Array([1]));
    await until(() => frames.length === 2);
    expect(frames).toEqual([new Uint8Array([4, 5]), new Uint8Array([])]);
  });

  test('an answer that is cut, and says so nowhere but in its frames, is asked for again', async () => {
    const { server, link, frames, opened } = await start({
      binary: true,
      faults: { POST: [undefined, 'cut response'], GET: ['cut response'] },
    });
    await opened;
    server.send(new Uint8Array([1, 2]));
    await until(() => frames.length === 1);
    server.caused.push(new Uint8Array([3, 4]));
    link.send(new Uint8Array([0]));
    await until(() => frames.length === 2);
    expect(frames).toEqual([new Uint8Array([1, 2]), new Uint8Array([3, 4])]);
  });

  test('an answer to a body with a number that cannot be ends the connection, and waits for nothing', async () => {
    const { server, link, opened, closed } = await start();
    await opened;
    server.caused.push('one');
    server.skip();
    link.send('a');
    expect(await closed).toMatchObject({ code: 1006, reason: 'Error: ERR_SEQUENCE' });
  });

  test.each(['lost response', 'half a response', 'no answer', 503] as const)(
    'an answer to a body that did not come (%s) comes with the next try, once',
    async (fault) => {
      const { server, link, frames, opened } = await start({ faults: { POST: [undefined, fault, fault] } });
      await opened;
      server.caused.push('one', 'two');
      link.send('a');
      await until(() => frames.length === 2 && link.bufferedBytes === 0);
      server.caused.push('three');
      link.send('b');
      await until(() => frames.length === 3);
      expect([server.frames, frames]).toEqual([
        ['a', 'b'],
        ['one', 'two', 'three'],
      ]);
    },
  );

  test('an answer to a poll that overtakes the one to a body is held back until that has come', async () => {
    const { server, link, frames, opened } = await start({ faults: { POST: [undefined, 'late response'] } });
    await opened;
    server.caused.push('first');
    link.send('a');
    await until(() => server.frames.length === 1);
    server.send('second');
    // Whoever takes what overtakes asks for more, or says something, before this one is there.
    const bystander = await start();
    await bystander.opened;
    expect(frames).toEqual([]);
    expect(server.requests.filter((line) => line.startsWith('GET'))).toEqual(['GET 0']);
    server.release();
    await until(() => server.requests.includes('GET 2'));
    expect(frames).toEqual(['first', 'second']);
    expect(server.requests.filter((line) => line.startsWith('GET'))).toEqual(['GET 0', 'GET 2']);
  });

  test('held back or not, an answer that was lost comes again', async () => {
    const { server, link, frames, opened } = await start({
      faults: { POST: [undefined, 'lost response', 'lost response'], GET: ['lost response', 'lost response'] },
    });
    await opened;
    server.caused.push('first');
    link.send('a');
    server.send('second');
    await until(() => frames.length === 2);
    await until(() => server.requests.includes('GET 2'));
    expect([server.frames, [...frames].sort()]).toEqual([['a'], ['first', 'second']]);
  });

  test('an answer that a cache gives again is not taken: the poll is tried again', async () => {
    const { server, frames, opened } = await start();
    await opened;
    server.send('once');
    await until(() => server.requests.includes('GET 1'));
    server.again();
    await until(() => server.requests.filter((line) => line === 'GET 1').length === 2);
    server.send('twice');
    await until(() => frames.length === 2);
    expect(frames).toEqual(['once', 'twice']);
  });

  test('a request without an answer is repeated after its timeout', async () => {
    const { server, link, frames, opened } = await start({
      faults: { POST: [undefined, 'no answer'], GET: ['no answer'] },
    });
    await opened;
    link.send('a');
    server.send('one');
    await until(() => server.frames.length === 1 && frames.length === 1);
  });

  test('polls that end with nothing go on', async () => {
    const { server, frames, opened } = await start();
    server.holdMs = 100;
    await opened;
    await until(() => server.requests.filter((line) => line === 'GET 0').length > 3);
    server.send('1');
    await until(() => frames.length === 1);
  });

  test('a network that stays away closes it as 1006, once', async () => {
    const lost: Fault[] = Array(8).fill('lost request');
    const { server, link, closes, opened, closed } = await start({
      faults: { POST: [undefined, ...lost], GET: [...lost] },
    });
    await opened;
    link.send('a');
    expect(await closed).toMatchObject({ code: 1006, by: 'network' });
    link.send('b');
    await new Promise((resolve) => clock.after(3_000, () => resolve(undefined)));
    expect(closes).toHaveLength(1);
    expect(server.requests.filter((line) => line.startsWith('POST 1')).length).toBeLessThanOrEqual(4);
  });

  test('an unknown connection closes with 4404', async () => {
    const { server, closed, opened, link } = await start();
    await opened;
    server.unknown = true;
    link.send('a');
    server.send('1');
    expect(await closed).toMatchObject({ code: 4404, by: 'server' });
  });

  test('a close by the server comes after the last frames', async () => {
    const { server, frames, closed, opened } = await start();
    await opened;
    server.send('last');
    server.close('4403 not you');
    expect(await closed).toEqual({ code: 4403, reason: 'not you', by: 'server' });
    expect(frames).toEqual(['last']);
  });

  test('a send to a closed connection leaves it to the poll to tell why', async () => {
    const { server, link, closed, opened } = await start({ faults: { POST: [undefined, 404] } });
    await opened;
    link.send('a');
    await until(() => server.requests.includes('POST 1 404'));
    server.close('4401 no token');
    expect(await closed).toEqual({ code: 4401, reason: 'no token', by: 'server' });
  });

  test('closed by what a frame brings, it brings no more', async () => {
    const { server, link, frames, opened, heard } = await start();
    await opened;
    heard.push(() => link.close(1000, ''));
    server.send('1', '2');
    await until(() => server.requests.includes('DELETE 1000'));
    expect(frames).toEqual(['1']);
  });

  test.each([200, 204, 302, 400, 403, 404, 502] as const)(
    'on an open link a page that is none of the server (%i) is an answer that is lost',
    async (status) => {
      const page = Array<Fault>(3).fill(`page ${status}`);
      const { server, link, frames, closes, opened } = await start({
        binary: true,
        // A poll opens another connection at once after 404.
        faults: { POST: [undefined, ...page], GET: status === 404 ? [] : [undefined, ...page] },
      });
      await opened;
      link.send(Uint8Array.of(1));
      server.send(Uint8Array.of(2));
      await until(() => frames.length === 1 && server.frames.length === 1);
      link.send(Uint8Array.of(3));
      server.send(Uint8Array.of(4));
      await until(() => frames.length === 2 && server.frames.length === 2);
      expect([frames, server.frames].flat().map((frame) => (frame as Uint8Array)[0])).toEqual([2, 4, 1, 3]);
      expect(Object.values(server.faults).flat()).toEqual([]);
      expect(closes).toEqual([]);
    },
  );

  test('one that meets nothing else is broken, and says what it has met', async () => {
    const { server, link, closed, opened } = await start({
      faults: { POST: [undefined, ...Array(4).fill('page 403')] },
    });
    await opened;
    link.send('a');
    expect(await closed).toEqual({
      code: 1006,
      reason: 'no Halyard server, but one that answers 403',
      by: 'network',
    });
    expect(server.frames).toEqual([]);
  });

  test('a poll that a proxy ends before the server does (504) is asked again, however often', async () => {
    const { server, frames, closes, opened } = await start({ faults: { GET: Array(9).fill('page 504') } });
    await opened;
    await until(() => server.faults.GET?.length === 0);
    server.send('1');
    await until(() => frames.length === 1);
    expect(closes).toEqual([]);
  });

  test('what cannot open fails at once', async () => {
    for (const [fault, code] of [
      [400, 4400],
      [403, 4403],
      [503, 1006],
      ['page 200', 1006],
      ['page 302', 1006],
      ['page 403', 1006],
      ['page 413', 1009],
      ['lost request', 1006],
    ] as const) {
      const { server, closed } = await start({ faults: { POST: [fault] } });
      expect(await closed).toMatchObject({ code });
      expect(server.requests).toHaveLength(1);
    }
  });

  test.each(['no answer', 'half a response'] as const)(
    'of a server that is silent is told how long it was (%s)',
    async (fault) => {
      const silent = createServer((_request, response) => {
        if (fault !== 'no answer') response.writeHead(403).write('{');
      });
      await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
      const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}/halyard`;
      const address = { url, protocol: 'halyard.v1+json', binary: false, batchMax: () => 100, clock };
      const close = await new Promise<Close>((resolve) => {
        polling(platform).open(address, { onOpen() {}, onFrame() {}, onClose: resolve });
      });
      silent.closeAllConnections();
      silent.close();
      expect(close.reason).toBe('no answer within 10000 ms');
    },
  );

  test('what the server asks to be waited stands behind the reason', async () => {
    const http = createServer((_request, response) =>
      response.writeHead(503, { 'retry-after': '7' }).end('{"code":"ERR_OVERLOADED","message":"too much"}'),
    );
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}/halyard`;
    const address = { url, protocol: 'halyard.v1+json', binary: false, batchMax: () => 100, clock };
    const close = await new Promise<Close>((resolve) => {
      polling(platform).open(address, { onOpen() {}, onFrame() {}, onClose: resolve });
    });
    http.close();
    expect(close).toEqual({ code: 1006, reason: 'ERR_OVERLOADED: too much; retry-after: 7', by: 'server' });
  });

  test('close(1000) sends what waits, then says goodbye; nothing is heard after it', async () => {
    const { server, link, frames, closes, opened } = await start({ faults: { POST: [undefined, 'lost response'] } });
    await opened;
    link.send('bye');
    link.close(1000, '');
    link.close(1000, '');
    server.send('late');
    await until(() => server.requests.includes('DELETE 1000'));
    expect(server.frames).toEqual(['bye']);
    expect(server.requests.at(-1)).toBe('DELETE 1000');
    expect([frames, closes]).toEqual([[], []]);
  });

  test('close with another code goes at once', async () => {
    const { server, link, opened } = await start({ faults: { POST: [undefined, 'no answer'] } });
    await opened;
    link.send('x');
    await until(() => server.requests.includes('POST 1 no answer'));
    link.close(4000, '');
    await until(() => server.requests.includes('DELETE 4000'));
    expect(server.requests.filter((line) => line.startsWith('POST 1'))).toEqual(['POST 1 no answer']);
  });

  test('the goodbye of a page that goes away is 1000, and leaves in the same turn whatever is under way', async () => {
    const { server, link, opened, idle } = await start({ faults: { POST: [undefined, 'no answer'] } });
    await opened;
    link.send('x');
    await until(() => server.requests.includes('POST 1 no answer'));
    const sent = vi.spyOn(platform, 'fetch');
    link.close(1001, '');
    expect(sent.mock.lastCall?.[1]).toMatchObject({
      method: 'DELETE',
      headers: { 'halyard-close': '1000', 'halyard-connection': 'secret' },
      keepalive: true,
    });
    sent.mockRestore();
    await until(idle);
    expect(server.requests.at(-1)).toBe('DELETE 1000');
  });

  test.each<[Fault, number]>([
    ['lost request', 4],
    ['lost response', 4],
    ['page 502', 4],
    ['page 200', 4],
    [403, 1],
    [404, 1],
    ['no answer', 1],
  ])('a goodbye that meets %s is tried a few times, and then nothing of the link is left', async (fault, tries) => {
    const { server, link, opened, idle, closes } = await start({ faults: { DELETE: Array(50).fill(fault) } });
    await opened;
    await until(() => server.requests.includes('GET 0'));
    link.close(1000, '');
    await until(idle);
    expect(server.requests.filter((line) => line.startsWith('DELETE'))).toHaveLength(tries);
    expect(closes).toEqual([]);
  });

  test.each<[Fault, string[]]>([
    ['no answer', ['POST 1 no answer']],
    [502, Array(4).fill('POST 1 502')],
    [403, ['POST 1 403']],
  ])(
    'closed while what was sent before does not arrive (%s), it says no more, and nothing is left',
    async (fault, bodies) => {
      const { server, link, opened, idle, closes } = await start({
        batchMax: 1,
        faults: { POST: [undefined, ...Array(50).fill(fault)] },
      });
      await opened;
      await until(() => server.requests.includes('GET 0'));
      for (const frame of ['a', 'b', 'c']) link.send(frame);
      link.close(1000, '');
      await until(idle);
      expect(server.requests.slice(1).filter((line) => !line.startsWith('GET'))).toEqual(bodies);
      expect(closes).toEqual([]);
    },
  );

  test('closed while an answer to a poll is held back for that to a body, it holds nothing', async () => {
    const { server, link, opened, idle } = await start({
      faults: { POST: [undefined, 'lost response', 'lost response', 'lost response'] },
      patienceMs: 20_000,
    });
    await opened;
    server.caused.push('first');
    link.send('a');
    await until(() => server.frames.length === 1);
    server.send('second');
    await until(() => server.requests.filter((line) => line === 'POST 1 lost response').length === 3);
    // The third was lost on its way back, or is about to be.
    await new Promise((resolve) => clock.after(100, () => resolve(undefined)));
    link.close(4000, '');
    await until(idle);
    expect(server.requests.at(-1)).toBe('DELETE 4000');
  });

  test('closed while it waits for the next try of a poll, or of a body, it waits no longer', async () => {
    const { server, link, opened, idle } = await start({ faults: { POST: [undefined, 503], GET: Array(4).fill(503) } });
    await opened;
    link.send('a');
    await until(() => server.requests.filter((line) => line === 'GET 0 503').length === 3);
    link.close(4000, '');
    await until(idle);
    expect(server.requests.at(-1)).toBe('DELETE 4000');
  });

  test('closed while it opens, it says goodbye once it has opened, and nothing is left', async () => {
    // What opens it is waited for no longer than a second, which a busy machine may take.
    const { server, link, idle, closes } = await start({ patienceMs: 999 });
    link.close(1000, '');
    await until(() => server.requests.includes('DELETE 1000'));
    await until(idle);
    expect([server.requests, closes]).toEqual([['POST 0', 'DELETE 1000'], []]);
  });

  test.each<Fault>(['lost request', 'no answer', 502, 403, 'page 200'])(
    'closed while it does not open (%s), nothing is left',
    async (fault) => {
      const { server, link, idle, closes } = await start({ faults: { POST: [fault] } });
      link.close(1000, '');
      await until(idle);
      expect([server.requests, closes]).toEqual([[`POST 0 ${fault}`], []]);
    },
  );
});

test.each([polling, sse])('where there is no fetch it is told so, once its link is there', async (transport) => {
  vi.stubGlobal('fetch', undefined);
  const closes: Close[] = [];
  const events = { onOpen: () => {}, onFrame: () => {}, onClose: (close: Close) => closes.push(close) };
  const address = { url: 'http://app.example', protocol: 'halyard.v1+json', binary: false, batchMax: () => 1_024 };
  // As a browser's file has it.
  transport({ fetch: browser.fetch }).open({ ...address, clock: new VirtualClock() }, events);
  expect(closes).toEqual([]);
  await settle();
  expect(closes).toEqual([{ code: 1006, reason: 'TypeError: globalThis.fetch is not a function', by: 'network' }]);
  vi.unstubAllGlobals();
});

test('closed in the turn in which it was opened, it asks for nothing', async () => {
  const fetch = vi.fn<Fetch>();
  const events = { onOpen: () => {}, onFrame: () => {}, onClose: () => {} };
  const address = { url: 'http://app.example', protocol: 'halyard.v1+json', binary: false, batchMax: () => 1_024 };
  const link = polling({ fetch }).open({ ...address, clock: new VirtualClock() }, events);
  link.close(1000, '');
  await settle();
  expect(fetch).not.toHaveBeenCalled();
});

test('closed while it does not open, it waits for a second, and no longer', async () => {
  const clock = new VirtualClock();
  let isAborted = false;
  const fetch: Fetch = (_url, { signal }) =>
    new Promise((_, reject) => {
      signal.addEventListener('abort', () => {
        isAborted = true;
        reject(signal.reason);
      });
    });
  const events = { onOpen: () => {}, onFrame: () => {}, onClose: () => {} };
  const address = { url: 'http://app.example', protocol: 'halyard.v1+json', binary: false, batchMax: () => 1_024 };
  const link = polling({ fetch }).open({ ...address, clock, extraHeaders: {}, withCredentials: false }, events);
  await settle();
  link.close(1000, '');
  clock.advance(999);
  expect(isAborted).toBe(false);
  clock.advance(1);
  expect(isAborted).toBe(true);
});

test('a server may tell how long it holds a poll, and how large a body may be', async () => {
  const waits: number[] = [];
  const fetch: Fetch = async (_url, { method }) => {
    if (method === 'GET') return new Promise(() => {});
    const headers = { 'halyard-poll-hold-ms': '60000', 'halyard-body-bytes-max': '1024' };
    return new Response('', { headers: { ...headers, 'halyard-connection': 'id' } });
  };
  const opened = deferred();
  const asked = deferred();
  const link = polling({ fetch }).open(
    {
      url: 'http://app.example',
      protocol: 'halyard.v1+json',
      binary: false,
      batchMax: () => 1_000,
      clock: {
        now: () => 0,
        after(delayMs) {
          waits.push(delayMs);
          if (waits.length === 3) asked.resolve();
          return () => {};
        },
      },
    },
    { onOpen: opened.resolve, onFrame() {}, onClose() {} },
  );
  await opened.promise;
  expect(link.frameBytesMax).toBe(1_020);
  await asked.promise;
  expect(waits).toEqual([10_000, 60_000, 70_000]);
});

const addressOn = (clock: Clock) => ({
  url: 'http://app.example',
  protocol: 'halyard.v1+json',
  binary: false,
  batchMax: () => 1_000,
  clock,
});

test.each([
  [4, 10_002],
  [20_000, 20_000],
  [1_000_000, 60_000],
])('a body of %i is given up after %i ms: a large one takes its time on a slow line', async (length, waitMs) => {
  // After 10 s, however large: it never came, and nothing behind it did.
  const clock = new VirtualClock();
  const gone: number[] = [];
  const fetch: Fetch = async (_url, { headers, method, signal }) => {
    if (method === 'POST' && headers['halyard-protocol'])
      return new Response('', { headers: { 'halyard-connection': 'id' } });
    if (method === 'POST') signal.addEventListener('abort', () => gone.push(clock.now()));
    return new Promise(() => {});
  };
  const opened = deferred();
  const link = polling({ fetch }).open(addressOn(clock), { onOpen: opened.resolve, onFrame() {}, onClose() {} });
  await opened.promise;
  link.send('x'.repeat(length));
  await settle();
  clock.advance(waitMs - 1);
  expect(gone).toEqual([]);
  clock.advance(1);
  expect(gone).toEqual([waitMs]);
});

test('an answer that has begun is given up after 60 s, and not by how long a poll is held', async () => {
  const clock = new VirtualClock();
  const frames: Frame[] = [];
  const rest = deferred<string>();
  let gone = 0;
  const fetch: Fetch = async (_url, { method, headers, signal }) => {
    if (method === 'POST') return new Response('', { headers: { 'halyard-connection': 'id' } });
    if (headers['halyard-ack'] !== '0') return new Promise(() => {});
    signal.addEventListener('abort', () => gone++);
    // Held for as long as it may be, and then it comes by and by.
    clock.advance(29_000);
    const response = new Response('', { headers: { 'halyard-seq': '1', 'halyard-frames': '1' } });
    return Object.assign(response, { text: () => rest.promise });
  };
  const opened = deferred();
  polling({ fetch }).open(addressOn(clock), {
    onOpen: opened.resolve,
    onFrame: (frame) => frames.push(frame),
    onClose() {},
  });
  await opened.promise;
  await settle();
  clock.advance(59_999);
  expect(gone).toBe(0);
  rest.resolve('[9]');
  await settle();
  expect(frames).toEqual(['[9]']);
});
