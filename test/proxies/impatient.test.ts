// Proxies that cut what is idle long before the heartbeat: WebSockets and streams are cut again and again, polls end with 504, and
// nothing is lost.
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { type Change, Front, type FrontName, fronts } from '../kit/front';
import { hosts } from '../kit/hosts';
import { served } from '../kit/served';
import { connectTo } from './clients';

const idleMs = 400;

/** Nothing may be idle for longer. */
const impatience: Record<FrontName, (ms: number) => readonly Change[]> = {
  nginx: (ms) => [['proxy_read_timeout 60s', `proxy_read_timeout ${ms}ms`]],
  haproxy: (ms) => [
    ['timeout client 60s', `timeout client ${ms}ms`],
    ['timeout server 60s', `timeout server ${ms}ms`],
    ['timeout tunnel 120s', `timeout tunnel ${ms}ms`],
  ],
};

/** Until the last confirmation (sackDelayMs) has come, and then longer than four polls that fail, with the waits between them. */
const silenceMs = 1_000 + 4 * idleMs + 300 + 600 + 900 + 1_000;

describe.each(hosts)('impatient proxies before %s', (_host, host) => {
  const { cleanUp, serve } = served(host);

  async function live(name: FrontName) {
    const taken: number[] = [];
    const io = await serve({}, (io) =>
      io.on('connection', (socket) => {
        socket.join('room');
        socket.on('count', (i: number) => {
          taken.push(i);
          return i;
        });
      }),
    );
    const front = await Front.start(name, [io.port as number], impatience[name](idleMs));
    cleanUp.push(() => front.end());
    // The longest waits: the favourite is not tried again within this test.
    const { client, told, carriers } = connectTo(front.url, { random: () => 1, fallbackDelayMs: 10_000 });
    cleanUp.push(() => client.disconnect());
    const heard: number[] = [];
    client.on('said', (i: number) => void heard.push(i));

    let said = 0;
    const replies: Promise<number>[] = [];
    const say = () => {
      said++;
      replies.push(client.emitWithAck('count', said));
      io.to('room').emit('said', said);
    };
    await expect.poll(() => told).toEqual(['connect false']);
    // A word of each side as soon as it has been cut.
    client.on('disconnect', say);
    await expect.poll(() => carriers.at(-1)).toBe('polling');
    client.off('disconnect', say);
    const before = [...carriers];
    expect(told.filter((line) => line === 'disconnect 1006').length).toBeGreaterThan(1);

    await sleep(silenceMs);
    say();
    const numbers = Array.from({ length: said }, (_, i) => i + 1);
    expect(await Promise.all(replies)).toEqual(numbers);
    await expect.poll(() => heard).toEqual(numbers);
    expect(taken).toEqual(numbers);
    expect(carriers).toEqual(before);
    expect(told.filter((line) => /false|^error/.test(line))).toEqual(['connect false']);
  }

  test('what is said between the cuts arrives once, and the client ends up polling, where nothing is cut', async () => {
    await Promise.all(fronts.map(live));
  });

  test('a server that is told of it by heartbeatMs and pollHoldMs is never cut', async () => {
    const io = await serve({ heartbeatMs: 200, pollHoldMs: 200 });
    const silentMs = 1_200;
    const clients = await Promise.all(
      fronts.map(async (name) => {
        const front = await Front.start(name, [io.port as number], impatience[name](silentMs));
        cleanUp.push(() => front.end());
        const both = (['websocket', 'polling'] as const).map((one) => connectTo(front.url, { names: [one] }));
        for (const { client } of both) cleanUp.push(() => client.disconnect());
        await expect.poll(() => both.every(({ client }) => client.connected)).toBe(true);
        return both;
      }),
    );
    await sleep(2 * silentMs);
    for (const { told } of clients.flat()) expect(told).toEqual(['connect false']);
  });
});
