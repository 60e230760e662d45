import { describe, expect, it } from 'vitest';
import { pair } from '../../testing/pair';
import { defaultSettings } from '../wire/limits';

// Frames take 10 ms; the client reconnects 100 ms after a cut.

it('delivers the first event with HELLO', () => {
  const { client, server, clock } = pair();
  client.emit('hi');
  clock.advance(10);
  expect(server.delivered).toEqual(['hi']);
});

it('delivers both ways, and from logs, in the order of sending', () => {
  const { client, server, clock } = pair();
  clock.advance(20);
  server.emit('a');
  server.publish(['news'], 'b');
  server.emit('c');
  server.publish(['news', 'room'], 'd');
  client.emit('e');
  clock.advance(10);
  expect(client.delivered).toEqual(['a', 'b', 'c', 'd']);
  expect(server.delivered).toEqual(['e']);
});

it('answers, both ways', () => {
  const { client, server, clock } = pair({ replyMs: [30, 30] });
  client.request('question');
  server.request('riddle');
  clock.advance(49);
  expect([client.settled, server.settled]).toEqual([[], []]);
  clock.advance(11);
  expect([client.settled, server.settled]).toEqual([['question: question'], ['riddle: riddle']]);
});

describe('after a cut', () => {
  it('delivers what was in flight, once', () => {
    const { client, server, clock, cut } = pair();
    clock.advance(20);
    client.emit('a');
    server.emit('b');
    server.publish(['news'], 'c');
    clock.advance(5);
    cut();
    client.emit('d');
    server.publish(['news'], 'e');
    server.emit('f');
    clock.advance(119);
    expect([client.delivered, server.delivered]).toEqual([[], ['a', 'd']]);
    clock.advance(1);
    expect(client.delivered).toEqual(['b', 'c', 'e', 'f']);
  });

  it('does not deliver again what arrived and was not confirmed', () => {
    const { client, server, clock, cut } = pair();
    clock.advance(20);
    client.emit('a');
    server.publish(['news'], 'b');
    clock.advance(10);
    cut();
    clock.advance(200);
    expect([server.delivered, server.repeated]).toEqual([['a'], 1]);
    expect([client.delivered, client.repeated]).toEqual([['b'], 0]);
  });

  it.each([undefined, [0, 0] as [number, number]])(
    'says again all that had left, more than a server takes before WELCOME',
    (settleMs) => {
      const settings = { ...defaultSettings, sackPacketsMax: 512, sackDelayMs: 60_000 };
      const { client, server, clock, cut } = pair({ settings, settleMs });
      clock.advance(20);
      const names = Array.from({ length: 300 }, (_, i) => `${i}`);
      for (const name of names.slice(0, 200)) client.emit(name);
      clock.advance(10);
      cut();
      for (const name of names.slice(200)) client.emit(name);
      clock.advance(200);
      expect(server.delivered).toEqual(names);
    },
  );

  it('drops log messages that a careful server sends again', () => {
    const { client, server, clock, cut } = pair({ replay: 'confirmed' });
    clock.advance(20);
    server.publish(['news'], 'a');
    clock.advance(10);
    cut();
    clock.advance(200);
    expect([client.delivered, client.repeated]).toEqual([['a'], 1]);
  });

  it('that nobody noticed, reconnects when the heartbeat misses', () => {
    const settings = { ...defaultSettings, heartbeatMs: 1_000, heartbeatTimeoutMs: 500 };
    const { client, server, clock, cut, options } = pair({ settings });
    clock.advance(20);
    options.network.unnoticed = 1;
    cut();
    client.emit('a');
    clock.advance(1_700);
    expect(server.delivered).toEqual([]);
    clock.advance(200);
    expect(server.delivered).toEqual(['a']);
  });

  it('replays page by page, new messages last', () => {
    const { client, server, clock, cut } = pair({ replayPackets: 2 });
    clock.advance(20);
    cut();
    for (const name of ['a', 'b', 'c']) server.emit(name);
    server.publish(['news'], 'd');
    clock.advance(110);
    expect(server.machine.state).toBe('holding');
    server.emit('e');
    clock.advance(10);
    expect(client.delivered).toEqual(['a', 'b']);
    clock.advance(10);
    expect(client.delivered).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(server.machine.state).toBe('live');
  });
});

describe('after the server lost the session', () => {
  it('gives up what was in flight, and delivers what had never left', () => {
    const { client, server, clock } = pair();
    clock.advance(20);
    client.emit('a');
    client.request('b');
    server.forget();
    clock.advance(10);
    client.emit('c');
    clock.advance(200);
    expect([server.delivered, client.givenUp]).toEqual([['c'], 2]);
    expect(client.settled).toEqual(['b: ERR_SESSION_LOST']);
    server.emit('d');
    clock.advance(10);
    expect(client.delivered).toEqual(['d']);
  });
});

it('gives up what left before the client had a session', () => {
  const { client, server, clock, cut } = pair();
  client.emit('a');
  clock.advance(15);
  expect(server.delivered).toEqual(['a']);
  cut();
  clock.advance(1);
  client.emit('b');
  clock.advance(200);
  expect([server.delivered, client.givenUp]).toEqual([['a', 'b'], 1]);
});
