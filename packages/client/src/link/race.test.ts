import { PacketType } from '@halyard/protocol';
import { describe, expect, test } from 'vitest';
import { briefs, connected, FakeTransport, scene, welcome } from '../../testing/fake';
import { race } from './race';

function two(options = {}) {
  const websocket = new FakeTransport('websocket');
  const polling = new FakeTransport('polling');
  return { ...scene({ transport: race([websocket, polling]), ...options }), websocket, polling };
}

describe('two transports', () => {
  test('the second starts only after the delay; the loser is dropped and HELLO is said on the winner alone', async () => {
    const { socket, websocket, polling, advance } = two();
    await advance(1_999);
    expect(polling.links).toHaveLength(0);
    await advance(1);
    expect(briefs(await polling.link.open())).toEqual(['HELLO /']);
    expect(websocket.link.closed).toBeDefined();
    expect(websocket.link.inbox).toEqual([]);
    await polling.link.say(welcome(), connected());
    expect(socket.connection.transport).toBe('polling');
  });

  test('the first may still win', async () => {
    const { socket, websocket, polling, advance } = two();
    await advance(2_500);
    expect(briefs(await websocket.link.open())).toEqual(['HELLO /']);
    expect(polling.link.closed).toBeDefined();
    await websocket.link.say(welcome());
    expect(socket.connection.transport).toBe('websocket');
  });

  test('opened in time, the first has no rival', async () => {
    const { websocket, polling, advance } = two();
    await websocket.link.open();
    await advance(10_000);
    expect(polling.links).toHaveLength(0);
  });

  test('a first that fails gives way at once', async () => {
    const { websocket, polling, log } = two();
    await websocket.link.drop();
    expect(polling.links).toHaveLength(1);
    expect(log).toEqual([]);
    await polling.link.open();
    expect(websocket.links).toHaveLength(1);
  });

  test('both fail: one failed attempt, then both again', async () => {
    const { websocket, polling, advance, log } = two();
    await websocket.link.drop();
    await polling.link.drop();
    expect(log).toEqual([['connect_error', 'ERR_CONNECT']]);
    await advance(250);
    expect([websocket.links.length, polling.links.length]).toEqual([2, 1]);
  });

  test('of two failures the final one decides', async () => {
    const refused = { code: 4403, reason: 'HTTP 403', by: 'server' } as const;
    for (const [first, second] of [
      [refused, {}],
      [{}, refused],
    ]) {
      const { socket, websocket, polling } = two();
      await websocket.link.drop(first);
      await polling.link.drop(second);
      expect(socket.connection.state).toBe('closed');
    }
  });

  test('what worked is tried first for five minutes, then WebSocket is again', async () => {
    const { websocket, polling, advance } = two();
    await websocket.link.drop();
    await polling.link.open();
    await polling.link.say(welcome(), connected());
    await polling.link.drop();
    await advance(1_000);
    expect([websocket.links.length, polling.links.length]).toEqual([1, 2]);
    await polling.link.open();
    await polling.link.say(welcome({ recovered: true }));
    for (let passedMs = 0; passedMs < 300_000; passedMs += 20_000) {
      await advance(20_000);
      await polling.link.say({ type: PacketType.Ping, received: 0 });
    }
    await polling.link.drop();
    await advance(1_000);
    expect([websocket.links.length, polling.links.length]).toEqual([2, 2]);
  });

  test('a WebSocket that worked is tried first again, though polling was quicker once', async () => {
    const { websocket, polling, advance } = two();
    await websocket.link.open();
    await websocket.link.say(welcome(), connected());
    await websocket.link.drop();
    await advance(1_000);
    await websocket.link.drop();
    await polling.link.open();
    await polling.link.say(welcome({ recovered: true }));
    await polling.link.drop();
    await advance(1_000);
    expect([websocket.links.length, polling.links.length]).toEqual([3, 1]);
  });

  test('a transport that opens and then carries nothing is tried last', async () => {
    const { websocket, polling, advance } = two({ connectTimeoutMs: 5_000 });
    await websocket.link.open();
    await advance(5_000);
    expect(websocket.link.closed).toBeDefined();
    await advance(1_000);
    expect([websocket.links.length, polling.links.length]).toEqual([1, 1]);
  });

  test('a transport that was given up before anything was said on it keeps its place', async () => {
    const auth = () => Promise.reject(new Error('no token'));
    const { websocket, polling, advance, log } = two({ auth });
    await websocket.link.open();
    expect(log).toContainEqual(['connect_error', 'ERR_CONNECT']);
    await advance(1_000);
    expect([websocket.links.length, polling.links.length]).toEqual([2, 0]);
  });

  test('disconnect() during the race drops both', async () => {
    const { socket, websocket, polling, advance } = two();
    await advance(2_000);
    socket.disconnect();
    expect([websocket.link.closed?.code, polling.link.closed?.code]).toEqual([1000, 1000]);
    await advance(60_000);
    expect([websocket.links.length, polling.links.length]).toEqual([1, 1]);
  });
});
