// Real ends over real sockets in a process whose timers a test runner has replaced: what takes no time goes on, and what takes
// time waits until the fake clock is moved.
import { connect, polling, type Transport, websocket } from '@halyard/client';
import { Cable } from '@halyard/harness/cable';
import { Server } from '@halyard/server';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { hosts } from '../kit/hosts';

const cleanUp: (() => unknown)[] = [];

afterEach(async () => {
  for (const end of cleanUp.splice(0).reverse()) await end();
  vi.useRealTimers();
});

const ways: readonly (readonly [name: string, transport: () => Transport])[] = [
  ['websocket', () => websocket()],
  ['polling', () => polling()],
];

const cases = hosts.flatMap(([name, host]) => ways.map(([way, transport]) => ({ name, host, way, transport })));

/** What jest replaces, but for `nextTick`, which vitest needs itself, and what Node's own WebSocket, of 22 and later, needs. */
const everything = [
  ...(['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'setImmediate', 'clearImmediate'] as const),
  ...(['Date', 'performance'] as const),
  ...(globalThis.WebSocket ? [] : (['queueMicrotask'] as const)),
];

describe.each(cases)('on $name over $way', ({ host, transport }) => {
  test('a client connects and is answered, retries when the clock is moved, and all of it closes', async () => {
    vi.useFakeTimers({ toFake: [...everything] });
    const io = new Server({ host: host() });
    io.on('connection', (socket) => socket.on('echo', (value: unknown) => value));
    await io.listen(0, '127.0.0.1');
    cleanUp.push(() => io.close());
    const cable = await Cable.open(io.port);
    cleanUp.push(() => cable.close());
    const client = connect(cable.url, { transports: [transport()], ackTimeoutMs: Infinity });
    cleanUp.push(() => client.connection.close());
    await new Promise((resolve) => client.once('connect', resolve));
    expect(await client.emitWithAck('echo', 'one')).toBe('one');

    cable.pull();
    let reply: unknown;
    client.emitWithAck('echo', 'two').then((value) => {
      reply = value;
    });
    await vi.advanceTimersByTimeAsync(200);
    cable.mend();
    // However long the sockets take in real time.
    while (reply === undefined) await vi.advanceTimersByTimeAsync(10);
    expect(reply).toBe('two');
    expect(client.recovered).toBe(client.connection.transport === 'websocket');
  });
});
