// What nodes ask each other: answers, errors, deadlines and nodes that go, in virtual time.

import { VirtualClock } from '@halyard/harness/clock';
import { LocalUsageError, PublicError, type Value } from '@halyard/protocol';
import { afterEach, describe, expect, test } from 'vitest';
import { TimerWheel } from '../base/wheel';
import { Inbox, inboxLimits } from './inbox';

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Nodes that send to each other. */
class Nodes {
  readonly clock = new VirtualClock();
  readonly inboxes = new Map<string, Inbox>();
  readonly told: string[] = [];
  readonly #wheel = new TimerWheel(this.clock);
  /** How many messages were handed over. */
  sent = 0;

  add(name: string, receive?: (from: string, message: Value) => Promise<Value>): Inbox {
    const inbox = new Inbox({
      node: name,
      wheel: this.#wheel,
      platform: { soon: setImmediate },
      store: {
        send: async (node, message) => {
          this.sent++;
          const to = this.inboxes.get(node);
          if (to === undefined) throw new LocalUsageError('ERR_NODE_UNKNOWN', `there is no node ${node}`);
          return to.receive(name, message);
        },
      },
      report: (error, where) => this.told.push(`${where}: ${error instanceof PublicError ? error.code : error}`),
      warn: (code, message) => this.told.push(`${code}: ${message}`),
    });
    if (receive !== undefined) inbox.receive = receive;
    for (const other of this.inboxes.values()) other.joined(name);
    this.inboxes.set(name, inbox);
    inbox.opened([...this.inboxes.keys()]);
    return inbox;
  }

  /** It is gone, and the others are told. */
  remove(name: string): void {
    this.inboxes.delete(name);
    for (const other of this.inboxes.values()) other.left(name);
  }

  async elapse(ms: number): Promise<void> {
    await turn();
    this.clock.advance(ms);
    await turn();
  }
}

const failure = (promise: Promise<unknown>) =>
  promise.then(
    (value) => `no error, but ${value}`,
    (error: Error & { code?: string }) => `${error.name} ${error.code}`,
  );

describe('a question to one node', () => {
  test('is answered by the handler of its kind, with who asks', async () => {
    const nodes = new Nodes();
    const a = nodes.add('a');
    nodes.add('b').on('greet', (value, from) => `hello ${from}, ${value}`);
    expect(await a.ask('b', 'greet', 'it is late', 1_000)).toBe('hello a, it is late');
    expect(nodes.clock.pending).toBeLessThanOrEqual(1);
  });

  test('has the error of a handler as its answer: code and message of ours, nothing of any other', async () => {
    const nodes = new Nodes();
    const a = nodes.add('a');
    const b = nodes.add('b');
    b.on('refuse', () => {
      throw new LocalUsageError('ERR_ROOM_NAME', 'a room has a name');
    });
    b.on('fail', async () => {
      throw new Error('secret');
    });
    await expect(a.ask('b', 'refuse', null, 1_000)).rejects.toMatchObject({
      name: 'PublicError',
      code: 'ERR_ROOM_NAME',
      message: 'a room has a name',
    });
    await expect(a.ask('b', 'fail', null, 1_000)).rejects.toMatchObject({
      code: 'ERR_INTERNAL',
      message: 'the node failed to answer',
    });
    expect(nodes.told).toEqual(['answering "fail" to node a: Error: secret']);
  });

  test('that nobody knows, or to a node that nobody knows, is an error', async () => {
    const nodes = new Nodes();
    const a = nodes.add('a');
    nodes.add('b');
    expect(await failure(a.ask('b', 'of another version', null, 1_000))).toBe('PublicError ERR_KIND_UNKNOWN');
    const { sent } = nodes;
    for (const node of ['c', '', 'a', '__proto__', 'x'.repeat(10_000)]) {
      expect(await failure(a.ask(node, 'any', null, 1_000))).toBe('LocalUsageError ERR_NODE_UNKNOWN');
    }
    expect(nodes.sent).toBe(sent);
  });

  test('ends at its deadline, when the node goes, and when this one closes', async () => {
    const nodes = new Nodes();
    const a = nodes.add('a');
    for (const name of ['slow', 'gone', 'endless']) nodes.add(name).on('wait', () => new Promise<never>(() => {}));
    const slow = failure(a.ask('slow', 'wait', null, 300));
    const gone = failure(a.ask('gone', 'wait', null, Number.POSITIVE_INFINITY));
    const endless = failure(a.ask('endless', 'wait', null, Number.POSITIVE_INFINITY));
    nodes.remove('gone');
    expect(await gone).toBe('LocalUsageError ERR_NODE_UNKNOWN');
    await nodes.elapse(250);
    expect(await Promise.race([slow, 'waits'])).toBe('waits');
    await nodes.elapse(150);
    expect(await slow).toBe('LocalUsageError ERR_REQUEST_TIMEOUT');
    a.close();
    expect(await endless).toBe('LocalUsageError ERR_INBOX_CLOSED');
    expect(await failure(a.ask('slow', 'wait', null, 1))).toBe('LocalUsageError ERR_INBOX_CLOSED');
    expect(await nodes.inboxes.get('a')?.receive('slow', [1, 'wait', null])).toEqual([
      false,
      'ERR_INBOX_CLOSED',
      'the server shuts down',
    ]);
  });

  test.each<[string, Value]>([
    ['nothing', null],
    ['a text', 'yes'],
    ['an object', { 0: true, 1: 1 }],
    ['an empty list', []],
    ['a value too much', [true, 1, 2]],
    ['an error without text', [false, 'ERR_X', null]],
  ])('that is answered with %s has no answer', async (_what, answer) => {
    const nodes = new Nodes();
    const a = nodes.add('a');
    nodes.add('b', async () => answer);
    expect(await failure(a.ask('b', 'any', null, 1_000))).toBe('RemoteProtocolError ERR_ANSWER');
  });
});

describe('a message from outside', () => {
  const bad: [string, Value, string][] = [
    ['nothing', null, 'ERR_MESSAGE'],
    ['an object', { kind: 'ok' }, 'ERR_MESSAGE'],
    ['a list too short', [1, 'ok'], 'ERR_MESSAGE'],
    ['a list too long', [1, 'ok', null, null], 'ERR_MESSAGE'],
    ['of another version', [2, 'ok', null], 'ERR_MESSAGE_VERSION'],
    ['with a kind that is no text', [1, 7, null], 'ERR_MESSAGE_KIND'],
    ['with an empty kind', [1, '', null], 'ERR_MESSAGE_KIND'],
    ['with a kind too long', [1, 'k'.repeat(inboxLimits.kindCharsMax + 1), null], 'ERR_MESSAGE_KIND'],
    ['of a kind that objects have', [1, 'constructor', null], 'ERR_KIND_UNKNOWN'],
  ];
  test.each(bad)('that is %s is answered with the rule', async (_what, message, code) => {
    const nodes = new Nodes();
    const a = nodes.add('a');
    a.on('ok', () => 'answer');
    expect(await a.receive('b', message)).toEqual([false, code, expect.stringMatching(/./)]);
    expect(await a.receive('b', [1, 'ok', null])).toEqual([true, 'answer']);
    expect(nodes.told).toEqual([]);
  });
});

describe('a question to all', () => {
  test('has the answers there are, and the nodes that are missing', async () => {
    const nodes = new Nodes();
    const a = nodes.add('a');
    nodes.add('good').on('ask', (value) => `answer to ${value}`);
    nodes.add('slow').on('ask', () => new Promise<never>(() => {}));
    nodes.add('gone').on('ask', () => new Promise<never>(() => {}));
    nodes.add('failing').on('ask', () => {
      throw new LocalUsageError('ERR_ROOM_NAME', 'a room has a name');
    });
    // It is dead, and nobody has been told.
    nodes.add('dead');
    nodes.inboxes.delete('dead');
    const asked = a.askAll('ask', 'all', 500);
    // Who comes later is not asked.
    nodes.add('late').on('ask', () => 'not asked');
    await turn();
    nodes.remove('gone');
    await nodes.elapse(700);
    expect(await asked).toEqual({
      results: [['good', 'answer to all']],
      missing: ['dead', 'gone', 'failing', 'slow'].map(() => expect.any(String)),
    });
    expect((await asked).missing.toSorted()).toEqual(['dead', 'failing', 'gone', 'slow']);
    expect(nodes.told).toEqual([
      'asking node failing for "ask": ERR_ROOM_NAME',
      'ERR_REQUEST_TIMEOUT: Node slow has not answered "ask" in time.',
    ]);
  });

  test('has none from a node alone', async () => {
    const nodes = new Nodes();
    expect(await nodes.add('a').askAll('ask', null, 1)).toEqual({ results: [], missing: [] });
    expect(nodes.sent).toBe(0);
  });
});

describe('bounds', () => {
  const { askedMax, answeringMax } = inboxLimits;
  afterEach(() => Object.assign(inboxLimits, { askedMax, answeringMax }));

  test('of questions asked and of questions at work', async () => {
    Object.assign(inboxLimits, { askedMax: 2, answeringMax: 1 });
    const nodes = new Nodes();
    const a = nodes.add('a');
    let answer = (_value: Value): void => {};
    nodes.add('b').on('wait', () => new Promise((resolve) => (answer = resolve)));
    const first = a.ask('b', 'wait', null, 1_000);
    const second = failure(a.ask('b', 'wait', null, 1_000));
    expect(await failure(a.ask('b', 'wait', null, 1_000))).toBe('LocalUsageError ERR_REQUESTS_FULL');
    expect(await second).toBe('PublicError ERR_INBOX_FULL');
    answer('done');
    expect(await first).toBe('done');
    const third = a.ask('b', 'wait', null, 1_000);
    await turn();
    answer('again');
    expect(await third).toBe('again');
  });
});
