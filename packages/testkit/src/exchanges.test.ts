// The requests of one client, each of them: what reaches the server, and what its client is told.
import type { FetchInit } from '@halyard/client';
import { VirtualClock } from '@halyard/harness/clock';
import { seededRandom } from '@halyard/harness/random';
import { expect, test } from 'vitest';
import { Exchanges, type Way } from './exchanges';
import { OwnTime } from './own-time';
import { settled } from './turns';

const server = {};

/** A client whose requests are answered after 10 ms. */
function requester() {
  const clock = new VirtualClock();
  const time = new OwnTime(clock, seededRandom(1));
  const arrived: string[] = [];
  const aborted: string[] = [];
  const told: string[] = [];
  let way: Way = {
    server,
    fields: { cookie: 'a' },
    fetch: (_url, { method, headers, signal }) => {
      arrived.push(`${method} ${headers.cookie}`);
      signal.addEventListener('abort', () => aborted.push(method));
      return new Promise((resolve) => clock.after(10, () => resolve({ status: 200 } as Response)));
    },
  };
  const exchanges = new Exchanges(
    time,
    () => 5,
    () => way,
  );
  const controller = new AbortController();
  return {
    ...{ arrived, aborted, told, exchanges },
    go(to: Way) {
      way = to;
    },
    ask(method: string): void {
      const init = { method, headers: {}, signal: controller.signal } as FetchInit;
      exchanges.fetch('http://world.example/halyard', init).then(
        ({ status }) => told.push(`${method} ${status}`),
        (error: Error) => told.push(`${method} ${error.message}`),
      );
    },
    abort: () => controller.abort(new Error('given up')),
    async elapse(ms: number): Promise<void> {
      await settled();
      clock.advance(ms);
      await settled();
    },
  };
}

test('a request goes to the server with its fields, and its answer comes back', async () => {
  const { ask, arrived, told, exchanges, elapse } = requester();
  ask('GET');
  expect(exchanges.count).toBe(1);
  await elapse(10);
  await elapse(0);
  expect([arrived, told, exchanges.count]).toEqual([['GET a'], ['GET 200'], 0]);
});

test('faults meet the next requests of their method, as many as they say', async () => {
  const { ask, arrived, told, exchanges, elapse } = requester();
  exchanges.disturb({ kind: 'request', method: 'POST', noticed: true, left: 2 });
  exchanges.disturb({ kind: 'repeat', method: 'GET', noticed: true, left: 1 });
  for (const method of ['POST', 'GET', 'POST', 'POST', 'GET']) ask(method);
  await elapse(10);
  await elapse(10);
  expect(arrived).toEqual(['GET a', 'GET a', 'POST a', 'GET a']);
  expect(told.sort()).toEqual(['GET 200', 'GET 200', 'POST 200', 'POST lost', 'POST lost']);
});

test('an answer that is lost in silence is told by nobody, until the client gives up', async () => {
  const { ask, abort, arrived, told, exchanges, elapse } = requester();
  exchanges.disturb({ kind: 'answer', method: undefined, noticed: false, left: 1 });
  ask('POST');
  await elapse(10_000);
  expect([arrived, told]).toEqual([['POST a'], []]);
  abort();
  await elapse(0);
  expect([told, exchanges.count]).toEqual([['POST given up'], 0]);
});

test.each([
  ['both', ['GET cut'], ['GET']],
  ['client', ['GET cut'], []],
  ['server', [], ['GET']],
  ['nobody', [], []],
] as const)('a cut that is noticed by %s', async (noticedBy, client, atServer) => {
  const { ask, told, aborted, exchanges, elapse } = requester();
  ask('GET');
  exchanges.cut(noticedBy, () => 3, {});
  await elapse(3);
  expect([told, aborted]).toEqual([[], []]);
  exchanges.cut(noticedBy, () => 3, server);
  await elapse(2);
  expect([told, aborted]).toEqual([[], []]);
  await elapse(1);
  await elapse(20);
  expect([told, aborted]).toEqual([client, atServer]);
});

test('a stall holds answers back', async () => {
  const { ask, told, exchanges, elapse } = requester();
  ask('GET');
  exchanges.stall(100);
  await elapse(10);
  await elapse(89);
  expect(told).toEqual([]);
  await elapse(1);
  expect(told).toEqual(['GET 200']);
});

test('without a way a request is refused, or not answered', async () => {
  const { ask, told, go, elapse } = requester();
  go('silent');
  ask('GET');
  go('refused');
  ask('POST');
  await elapse(4);
  expect(told).toEqual([]);
  await elapse(1);
  expect(told).toEqual(['POST connection refused']);
});
