// Ways that take long: what is waited for, and in which order it is asked.
import { VirtualClock } from '@halyard/harness/clock';
import type { Close } from '@halyard/protocol';
import { expect, test } from 'vitest';
import { settle } from '../../testing/fake';
import { type Fetch, type FetchInit, polling, sse } from './http';
import type { Link, Transport } from './transport';

type Answer = (request: FetchInit, clock: VirtualClock) => Promise<Response>;

/** @param answer to a request; one that is given up rejects by itself */
function way(make: (options: { fetch: Fetch }) => Transport, answer: Answer, connectTimeoutMs = 20_000) {
  const clock = new VirtualClock();
  const requests: string[] = [];
  const fetch: Fetch = (_url, request) => {
    const { method, headers } = request;
    requests.push(headers['halyard-protocol'] ? 'open' : `${method} ${headers['halyard-seq'] ?? ''}`.trim());
    return new Promise((resolve, reject) => {
      request.signal.addEventListener('abort', () => reject(new Error('aborted')));
      answer(request, clock).then(resolve, reject);
    });
  };
  const closes: Close[] = [];
  const link: Link = make({ fetch }).open(
    {
      ...{ url: 'http://app.example', protocol: 'halyard.v1+json', binary: false, batchMax: () => 65_536, clock },
      connectTimeoutMs,
    },
    {
      onOpen: () => link.send('hello'),
      onFrame() {},
      onClose: (close) => void closes.push(close),
    },
  );
  const pass = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 100) {
      await settle();
      clock.advance(100);
    }
    await settle();
  };
  return { link, requests, closes, pass };
}

const later = (clock: VirtualClock, ms: number, response: () => Response): Promise<Response> =>
  new Promise((resolve) => clock.after(ms, () => resolve(response())));
const answered = (headers: Record<string, string>): Response => new Response(null, { status: 204, headers });

test('an opening has half of the attempt, and what follows as much longer as that took', async () => {
  const { requests, closes, pass, link } = way(
    polling,
    ({ headers, method }, clock) => {
      if (headers['halyard-protocol']) return later(clock, 24_000, () => answered({ 'halyard-connection': 'id' }));
      return later(clock, method === 'GET' ? 40_000 : 16_000, () => answered({ 'halyard-seq': '0' }));
    },
    60_000,
  );
  await pass(60_000);
  expect([requests, closes, link.bufferedBytes]).toEqual([['open', 'POST 1', 'GET'], [], 0]);
});

test('one that takes longer is given up; of a short attempt, once it is', async () => {
  const never: Answer = () => new Promise(() => {});
  for (const [connectTimeoutMs, limitMs] of [
    [1_000, 10_000],
    [60_000, 30_000],
  ] as const) {
    const { closes, pass } = way(polling, never, connectTimeoutMs);
    await pass(limitMs - 100);
    expect(closes).toEqual([]);
    await pass(100);
    expect(closes).toMatchObject([{ code: 1006, reason: `no answer within ${limitMs} ms` }]);
  }
});

test('polling says what there is to say before it waits: the way may let one request through at a time', async () => {
  const { requests, pass } = way(polling, ({ headers, method }, clock) => {
    if (headers['halyard-protocol']) return later(clock, 100, () => answered({ 'halyard-connection': 'id' }));
    if (method === 'GET') return new Promise(() => {});
    return later(clock, 500, () => answered({ 'halyard-seq': '0' }));
  });
  await pass(500);
  expect(requests).toEqual(['open', 'POST 1']);
  await pass(500);
  expect(requests).toEqual(['open', 'POST 1', 'GET']);
});

test('while a stream brings something, a body without an answer is said again however often; and not when that ends', async () => {
  let isAlive = true;
  const { requests, closes, pass } = way(sse, ({ headers }, clock) => {
    if (!headers['halyard-protocol']) return new Promise(() => {});
    const read = async () => {
      await new Promise<void>((resolve) => {
        const tell = (): void => (isAlive ? resolve() : void clock.after(1_000, tell));
        clock.after(5_000, tell);
      });
      return { done: false, value: new TextEncoder().encode(':\n\n') };
    };
    const stream = {
      status: 200,
      headers: new Headers({ 'halyard-connection': 'id' }),
      body: { getReader: () => ({ read }) },
    };
    return later(clock, 100, () => stream as unknown as Response);
  });
  await pass(100_000);
  expect([closes, requests.filter((line) => line === 'POST 1').length]).toEqual([[], 10]);
  isAlive = false;
  await pass(60_000);
  expect(closes).toMatchObject([{ code: 1006, by: 'network' }]);
});
