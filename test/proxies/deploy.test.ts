// A server that is about to stop sends its clients to another one, behind a proxy that finds meanwhile that nobody listens there any more:
// their connections are left to the server, and nobody is cut off by the proxy.
import { memory } from '@halyard/server';
import { describe, expect, test } from 'vitest';
import { type Change, Front, fronts } from '../kit/front';
import { hosts } from '../kit/hosts';
import { served } from '../kit/served';
import { connectTo, type Told } from './clients';

const ways = fronts.flatMap((name) => hosts.map(([hostName, host]) => [name, hostName, host] as const));

/** Half of them take longer to leave, a hundred in a second, than it takes HAProxy to find that a server is gone. nginx has fewer connections. */
const clientsCounts = { haproxy: 160, nginx: 100 };

describe.each(ways)('%s before servers on %s', (name, _host, host) => {
  const { cleanUp, serve } = served(host);

  test('one of which is told to stop: its clients go over, and nobody is cut off', async () => {
    const adapter = memory({ shared: true });
    const [one, two] = [await serve({ adapter }), await serve({ adapter })];
    for (const io of [one, two]) io.on('connection', (socket) => socket.join('all'));
    const checks: Change[] = [
      ['inter 2s', 'inter 100ms'],
      // Clients and servers have one thread here: it may be busy for longer than that.
      ['timeout connect 2s', 'timeout connect 2s\n  timeout check 10s'],
    ];
    const front = await Front.start(name, [one.port as number, two.port as number], name === 'haproxy' ? checks : []);
    cleanUp.push(() => front.end());
    const clientsCount = clientsCounts[name];
    const clients: (Told & { readonly heard: number[] })[] = [];
    while (clients.length < clientsCount) {
      const told = connectTo(front.url, { names: ['websocket'] });
      cleanUp.push(() => told.client.disconnect());
      const heard: number[] = [];
      told.client.on('news', (number: number) => void heard.push(number));
      clients.push({ ...told, heard });
      // A server that has all of them at once to greet is busy for longer than a check waits.
      if (clients.length % 20 === 0)
        await expect.poll(() => clients.every(({ client }) => client.connected)).toBe(true);
    }
    expect(Math.min(one.sockets.size, two.sockets.size)).toBeGreaterThan(clientsCount / 3);

    let said = 0;
    const talk = setInterval(() => two.to('all').emit('news', ++said), 100);
    cleanUp.push(() => clearInterval(talk));
    await one.close({ drainMs: 6_000 });
    clearInterval(talk);
    await expect.poll(() => two.sockets.size).toBe(clientsCount);
    const all = Array.from({ length: said }, (_, i) => i + 1);
    await expect.poll(() => clients.filter(({ heard }) => heard.length !== said)).toEqual([]);
    for (const { told, heard } of clients) {
      // One that could not go over in time, because all are busy, is sent off by its server: 1012.
      expect(told.filter((line) => !/^connect |1012$/.test(line))).toEqual([]);
      expect(heard).toEqual(all);
    }
  });
});
