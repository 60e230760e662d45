// A server that is about to go says when to leave it, and where to go: the session moves, and nobody is to notice.
import { type Packet, PacketType } from '@halyard/protocol';
import { describe, expect, test } from 'vitest';
import { briefs, connected, FakeTransport, open, scene, welcome } from '../../testing/fake';
import type { StateChange } from '../core';
import { race } from './race';

const pong: Packet = { type: PacketType.Pong, received: undefined };
const drain = (afterMs: number, url = ''): Packet => ({ type: PacketType.Drain, afterMs, url });

const elsewhere = 'http://eu.example';

async function told(afterMs: number, url?: string, options = {}) {
  const all = await open(options);
  const changes: StateChange[] = [];
  all.socket.connection.on('state', (change) => changes.push(change));
  all.log.length = 0;
  await all.link.say(drain(afterMs, url));
  return { ...all, changes };
}

describe('a server that is about to go', () => {
  test('is left when it says so, for another connection that carries something: no disconnect is told', async () => {
    const { transport, link, log, changes, advance } = await told(5_000);
    await advance(4_999);
    expect(transport.links.length).toBe(1);
    await advance(1);
    expect(transport.links.length).toBe(2);
    expect(transport.link.address.url).toBe('http://app.example/halyard');
    expect(briefs(await transport.link.open())).toEqual(['PING']);
    expect(link.closed).toBeUndefined();
    await transport.link.say(pong);
    expect(briefs(await transport.link.read())).toEqual(['HELLO / resume s1 1 0']);
    await transport.link.say(welcome({ recovered: true }));
    expect(link.closed).toEqual({ code: 1006, reason: '' });
    expect(log).toEqual([]);
    expect(changes).toEqual([{ from: 'open', to: 'open', reason: 'moved', transport: 'fake', attempt: 0 }]);
  });

  test('is left no sooner than a second after it was come to, and once: nobody is sent round in a circle', async () => {
    const { transport, link, advance } = await told(0);
    await link.say(drain(0), drain(0));
    await advance(999);
    expect(transport.links.length).toBe(1);
    await advance(1);
    expect(transport.links.length).toBe(2);
    await link.say(drain(0));
    await advance(1_000);
    expect(transport.links.length).toBe(2);
    await transport.link.open();
    await transport.link.say(pong);
    await transport.link.say(welcome({ recovered: true }), drain(0));
    await advance(999);
    expect(transport.links.length).toBe(2);
    await advance(1);
    expect(transport.links.length).toBe(3);
  });

  test('is stayed with where nothing else opens, which is tried again, until it closes', async () => {
    const { transport, link, log, advance } = await told(1_000);
    await advance(1_000);
    // The waits double, as those of attempts to connect: here each is half of the most.
    for (const waitMs of [250, 500, 1_000]) {
      await transport.link.drop();
      const before = transport.links.length;
      await advance(waitMs - 1);
      expect(transport.links.length).toBe(before);
      await advance(1);
      expect(transport.links.length).toBe(before + 1);
    }
    expect([link.closed, log]).toEqual([undefined, []]);
    await link.drop({ code: 1012, by: 'server' });
    expect(log).toEqual([['disconnect', 1012, 'server', true]]);
    const before = transport.links.length;
    await advance(500);
    expect(transport.links.length).toBe(before + 1);
  });

  test('that is lost before it is left has said where to go: there the client tries once, and then where it was', async () => {
    const { transport, link, advance } = await told(60_000, elsewhere, { followServers: [elsewhere] });
    await link.drop({ code: 1012, by: 'server' });
    await advance(500);
    expect(transport.link.address.url).toBe('http://eu.example/halyard');
    await transport.link.drop();
    await advance(1_000);
    expect(transport.link.address.url).toBe('http://app.example/halyard');
  });

  test('sends the client to an origin that the app lists, for that once', async () => {
    const { transport, log, advance } = await told(1_000, elsewhere, { followServers: [elsewhere] });
    await advance(1_000);
    expect(transport.link.address.url).toBe('http://eu.example/halyard');
    await transport.link.open();
    await transport.link.say(pong);
    await transport.link.say(welcome({ recovered: true }));
    await transport.link.drop();
    expect(log).toEqual([['disconnect', 1006, 'network', true]]);
    await advance(500);
    expect(transport.link.address.url).toBe('http://app.example/halyard');
  });

  test('that names another where the session does not get on has it back', async () => {
    const { transport, log, advance } = await told(1_000, elsewhere, { followServers: [elsewhere] });
    await advance(1_000);
    await transport.link.open();
    await transport.link.say(pong);
    await transport.link.drop();
    expect(transport.link.address.url).toBe('http://app.example/halyard');
    await transport.link.open();
    await transport.link.say(welcome({ recovered: true }));
    expect(log).toEqual([]);
  });

  test.each([
    ['https://evil.example', [elsewhere]],
    ['http://eu.example:8080', [elsewhere]],
    ['http://eu.example/', [elsewhere]],
    ['http://eu.example@evil.example', [elsewhere]],
    ['javascript:alert(1)', [elsewhere]],
    ['//eu.example', [elsewhere]],
    [elsewhere, []],
    ['x'.repeat(1_024), []],
  ])('does not send it to %s, where %j are listed', async (url, followServers) => {
    const { transport, advance } = await told(1_000, url, { followServers });
    await advance(1_000);
    expect(transport.link.address.url).toBe('http://app.example/halyard');
  });

  test('is left over any transport, and what is preferred is tried from there', async () => {
    const websocket = new FakeTransport('websocket');
    const polling = new FakeTransport('polling');
    const { advance, socket } = scene({ transport: race([websocket, polling]), ackTimeoutMs: Infinity });
    await websocket.link.open();
    await websocket.link.say(welcome(), connected(), drain(1_000));
    await advance(1_000);
    await websocket.link.drop();
    await polling.link.open();
    await polling.link.say(pong);
    await polling.link.say(welcome({ recovered: true }));
    expect(socket.connection.transport).toBe('polling');
    const before = websocket.links.length;
    for (let ms = 0; websocket.links.length === before && ms < 20_000; ms += 1_000) await advance(1_000);
    expect(websocket.links.length).toBe(before + 1);
  });

  test('says no more than it may: what has another shape is a hint that nobody knows', async () => {
    const { transport, link, log, advance } = await open();
    log.length = 0;
    for (const frame of ['[64]', '[64,-1]', '[64,"soon"]', '[64,1000,5]', `[64,1000,"${'x'.repeat(1_025)}"]`])
      await link.sayFrame(frame);
    await advance(5_000);
    expect([transport.links.length, log, link.closed]).toEqual([1, [], undefined]);
  });
});

describe('followServers', () => {
  test.each([
    [['http://eu.example/'], 'http://app.example'],
    [['http://eu.example/halyard'], 'http://app.example'],
    [['http://user@eu.example'], 'http://app.example'],
    [['ws://eu.example'], 'http://app.example'],
    [['eu.example'], 'http://app.example'],
    [['http://EU.example'], 'http://app.example'],
    [[5], 'http://app.example'],
    ['http://eu.example', 'http://app.example'],
    // What is said over TLS is not said without.
    [['http://eu.example'], 'https://app.example'],
    [['http://eu.example'], 'wss://app.example'],
  ])('%j of %s is answered with what is wrong', (followServers, url) => {
    const error = expect.objectContaining({ code: 'ERR_OPTION', message: expect.stringContaining('followServers: ') });
    expect(() => scene({ url, followServers: followServers as string[] })).toThrow(error);
  });

  test('of https are listed anywhere', () => {
    scene({ url: 'http://app.example', followServers: ['https://eu.example', 'http://localhost:3000'] });
    scene({ url: 'https://app.example', followServers: ['https://eu.example'] });
  });
});
