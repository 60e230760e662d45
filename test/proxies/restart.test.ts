// The proxy is stopped and started again under traffic both ways, and nginx is told to read its configuration again: every transport goes
// on with its session, and all comes once and in order.
import { describe, expect, test } from 'vitest';
import { Front, fronts } from '../kit/front';
import { hosts } from '../kit/hosts';
import { served } from '../kit/served';
import { connectTo, transportNames } from './clients';

const ways = fronts.flatMap((name) => hosts.map(([hostName, host]) => [name, hostName, host] as const));

describe.each(ways)('%s before %s', (name, _host, host) => {
  const { cleanUp, serve } = served(host);

  /** Clients of every transport, of all together too, and what they say and hear while something happens. */
  async function busy(happens: (front: Front, hear: () => Promise<void>) => Promise<void>) {
    const io = await serve({}, (io) =>
      io.on('connection', (socket) => {
        socket.join('room');
        const { data } = socket as { data: { taken?: number[] } };
        data.taken = [];
        socket.on('count', (i: number) => {
          data.taken?.push(i);
          return i;
        });
      }),
    );
    const front = await Front.start(name, [io.port as number]);
    cleanUp.push(() => front.end());
    const clients = [...transportNames.map((one) => [one]), transportNames].map((names) => {
      const told = connectTo(front.url, { names });
      cleanUp.push(() => told.client.disconnect());
      const heard: Record<string, number[]> = { room: [], socket: [] };
      for (const event of ['room', 'socket']) told.client.on(event, (i: number) => void heard[event]?.push(i));
      return { ...told, heard, replies: [] as Promise<number>[] };
    });
    await expect.poll(() => clients.every(({ told }) => told.length === 1)).toBe(true);

    let said = 0;
    const talk = setInterval(() => {
      said++;
      for (const { client, replies } of clients) replies.push(client.emitWithAck('count', said));
      io.to('room').emit('room', said);
      for (const socket of io.sockets.values()) socket.emit('socket', said);
    }, 2);
    cleanUp.push(() => clearInterval(talk));
    /** Until what is said from now on is heard by all. */
    const hear = async () => {
      const before = said;
      await expect.poll(() => Math.min(...clients.map(({ heard }) => heard.room?.at(-1) ?? 0))).toBeGreaterThan(before);
    };
    await hear();
    await happens(front, hear);
    clearInterval(talk);

    const all = Array.from({ length: said }, (_, i) => i + 1);
    for (const { replies, heard, client } of clients) {
      expect(await Promise.all(replies)).toEqual(all);
      await expect.poll(() => heard).toEqual({ room: all, socket: all });
      expect(io.sockets.get(client.id as string)?.data).toEqual({ taken: all });
    }
    return clients.map(({ told }) => told);
  }

  test('stopped and started again, three times', async () => {
    const told = await busy(async (front, hear) => {
      for (let i = 0; i < 3; i++) {
        await front.stop();
        await front.run();
        await hear();
      }
    });
    for (const lines of told) expect(lines.filter((line) => line === 'connect false')).toHaveLength(1);
    // Polls are just asked again, if it is back in time.
    expect(told[0]).toContain('connect true');
  });

  test.skipIf(name !== 'nginx')('told to read its configuration again: nobody notices', async () => {
    const told = await busy(async (front, hear) => {
      for (let i = 0; i < 3; i++) {
        front.reload();
        await hear();
      }
    });
    expect(told).toEqual(told.map(() => ['connect false']));
  });
});
