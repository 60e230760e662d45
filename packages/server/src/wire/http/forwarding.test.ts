// Requests on their way between two servers: what is bounded, what is answered if the other does not, and what is no request.
import { LocalUsageError, PublicError, type Value } from '@halyard/protocol';
import { describe, expect, test } from 'vitest';
import type { HttpAnswer, HttpReply } from '../../host/host';
import { answerOf, type HttpRequest, requestMessage, requestOf } from './forwarded';
import { ForwardedRequests } from './forwarded-requests';
import { Forwarding } from './forwarding';

const random = 'r'.repeat(22);
const turn = () => new Promise((resolve) => setImmediate(resolve));

function requestFor(node: string, method = 'POST', bytes = 0): HttpRequest {
  const fields = { sequence: '1', received: '0', close: undefined };
  return { id: `${node}.${random}`, method, ...fields, body: new Uint8Array(bytes) };
}

class Reply implements HttpReply {
  onAbort: (() => void) | undefined = undefined;
  answer: HttpAnswer | undefined;

  send(answer: HttpAnswer): void {
    this.answer ??= answer;
  }

  get said(): string {
    return `${this.answer?.status} ${JSON.parse(String(this.answer?.body ?? '{}')).code}`;
  }
}

type Asked = [node: string, kind: string, value: Value, timeoutMs: number];

function forwarding(answer: (asked: Asked) => Promise<Value>, limits = {}) {
  const asked: Asked[] = [];
  const warned: string[] = [];
  const { forward } = new Forwarding({
    node: 'node-of-mine',
    ...{ pollHoldMs: 20_000, forwardedRequestsMax: 2, forwardedBytesMax: 1_000, ...limits },
    ask: (...one) => {
      asked.push(one);
      return answer(one);
    },
    warn: (code) => warned.push(code),
  });
  const send = (request: HttpRequest): Reply => {
    const reply = new Reply();
    expect(forward(request, reply)).toBe(true);
    return reply;
  };
  return { forward, send, asked, warned };
}

describe('a request for another server', () => {
  test('waits for it as long as a poll is held and a little more, and not as long if it is no poll', () => {
    const { send, asked } = forwarding(() => new Promise(() => {}));
    send(requestFor('node-of-else', 'GET'));
    send(requestFor('node-of-else', 'POST'));
    expect(asked.map(([node, kind, , timeoutMs]) => [node, kind, timeoutMs])).toEqual([
      ['node-of-else', 'http', 25_000],
      ['node-of-else', 'http', 5_000],
    ]);
  });

  test.each([
    // Of a body: a poll is told 404.
    [new LocalUsageError('ERR_NODE_UNKNOWN'), '503 ERR_OWNER_UNKNOWN'],
    [new LocalUsageError('ERR_REQUEST_TIMEOUT'), '503 ERR_OWNER_SILENT'],
    [new LocalUsageError('ERR_REQUESTS_FULL'), '503 ERR_OWNER_FAILED'],
    // What another server says of itself is not what is known of it here.
    [new PublicError('ERR_NODE_UNKNOWN', ''), '503 ERR_OWNER_FAILED'],
    [new Error('the store is away'), '503 ERR_OWNER_FAILED'],
  ])('that %s is answered', async (error, said) => {
    const reply = forwarding(() => Promise.reject(error)).send(requestFor('node-of-else'));
    await turn();
    expect(reply.said).toBe(said);
  });

  test.each<[string, Value]>([
    ['no list', null],
    ['too short', [200, []]],
    ['a status that is none', ['200', [], null]],
    ['a status of another kind', [101, [], null]],
    ['a header with a line feed', [200, [['halyard-seq', '1\r\nset-cookie: x']], null]],
    ['a name that is none', [200, [['x\r\ny', '1']], null]],
    ['headers that are no pairs', [200, ['halyard-seq'], null]],
    ['too many headers', [200, Array.from({ length: 33 }, () => ['a', 'b']), null]],
    ['a body of another kind', [200, [], { text: 'x' }]],
  ])('that is answered with what is no answer (%s) is refused', async (_what, answer) => {
    expect(() => answerOf(answer)).toThrow(expect.objectContaining({ code: 'ERR_FORWARDED' }));
    const reply = forwarding(async () => answer).send(requestFor('node-of-else'));
    await turn();
    expect(reply.said).toBe('503 ERR_OWNER_FAILED');
  });

  test('is one of a bounded number, with bodies of a bounded size', async () => {
    const settle: ((value: Value) => void)[] = [];
    const { send, warned } = forwarding(() => new Promise((resolve) => settle.push(resolve)));
    // One alone may be of any size.
    send(requestFor('node-of-else', 'POST', 5_000));
    expect(send(requestFor('node-of-else', 'POST', 1)).said).toBe('503 ERR_TOO_MANY_FORWARDED');
    for (const resolve of settle.splice(0)) resolve([204, [], null]);
    await turn();
    send(requestFor('node-of-else', 'POST', 600));
    expect(send(requestFor('node-of-else', 'POST', 600)).said).toBe('503 ERR_TOO_MANY_FORWARDED');
    send(requestFor('node-of-else', 'POST', 400));
    expect(send(requestFor('node-of-else', 'GET')).said).toBe('503 ERR_TOO_MANY_FORWARDED');
    expect(warned).toEqual(['forwardedBytesMax', 'forwardedBytesMax', 'forwardedRequestsMax']);
  });

  test('is not one whose id is none, or names this server', () => {
    const { forward, asked } = forwarding(async () => null);
    for (const id of ['', 'x', `node-of-mine.${random}`, `node-of-else.${random}x`, `node of else.${random}`]) {
      expect(forward({ ...requestFor(''), id }, new Reply())).toBe(false);
    }
    expect(asked).toEqual([]);
  });

  test('has fields of a bounded length, and none that was cut is a number', () => {
    const { send, asked } = forwarding(() => new Promise(() => {}));
    send({ ...requestFor('node-of-else'), sequence: '1'.repeat(5_000) });
    const { request } = requestOf(asked[0]?.[2] as Value);
    expect(request.sequence).toBe('1'.repeat(32));
  });
});

describe('a request from another server', () => {
  const good = requestMessage(1, requestFor('node-of-mine')) as readonly Value[];
  const change = (at: number, value: Value): Value => good.with(at, value);

  test.each<[string, Value]>([
    ['no list', 'GET'],
    ['a list too short', good.slice(1)],
    ['a number that is none', change(0, -1)],
    ['an id that is none', change(1, { toString: 'x' })],
    ['an id too long', change(1, 'x'.repeat(2_000))],
    ['another method', change(2, 'PUT')],
    ['a field that is no text', change(3, 7)],
    ['a field too long', change(4, '1'.repeat(33))],
    ['a body that is text', change(6, 'x')],
  ])('that is none (%s) is refused with the rule', (_what, message) => {
    const unreachable = () => expect.unreachable();
    const { take, abort } = new ForwardedRequests({ httpBodyBytesMax: 10, answer: unreachable, warn: unreachable });
    expect(() => take(message, 'other')).toThrow(expect.objectContaining({ code: 'ERR_FORWARDED' }));
    expect(() => abort(message, 'other')).toThrow(expect.objectContaining({ code: 'ERR_FORWARDED' }));
  });

  test('is let go when nobody waits for its answer any more, by who has asked', async () => {
    const replies: HttpReply[] = [];
    const { take, abort } = new ForwardedRequests({
      httpBodyBytesMax: 10,
      answer: (_request, reply) => replies.push(reply),
      warn: () => expect.unreachable(),
    });
    let aborted = 0;
    const answer = take(good, 'other');
    (replies[0] as HttpReply).onAbort = () => aborted++;
    expect([abort(1, 'another'), abort(2, 'other'), aborted]).toEqual([null, null, 0]);
    abort(1, 'other');
    abort(1, 'other');
    expect(aborted).toBe(1);
    expect(await answer).toEqual([204, [], null]);
  });
});
