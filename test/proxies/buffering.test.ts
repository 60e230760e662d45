// Proxies that gather an answer before they pass it on: a stream does not open through them, and the client takes polling by itself.
import { describe, expect, test } from 'vitest';
import { type Change, Front, type FrontName, fronts } from '../kit/front';
import { hosts } from '../kit/hosts';
import { served } from '../kit/served';
import { connectTo } from './clients';

/** What is on the way, from the server to the client, and which transport gets through where WebSockets do not. */
const ways: readonly (readonly [what: string, carrier: string, ...way: (readonly [FrontName, ...Change[]])[]])[] = [
  ['nginx that gathers, and is told not to by the answer', 'sse', ['nginx', ['proxy_buffering off;', '']]],
  [
    'nginx that gathers whatever the answer says',
    'polling',
    ['nginx', ['proxy_buffering off;', 'proxy_ignore_headers X-Accel-Buffering;']],
  ],
  [
    'nginx that gathers behind another one, which has taken what the answer says for itself',
    'polling',
    ['nginx'],
    ['nginx', ['proxy_buffering off;', ''], ['proxy_pass http:', 'proxy_pass https:']],
  ],
  ['nginx behind nginx', 'sse', ['nginx'], ['nginx', ['proxy_pass http:', 'proxy_pass https:']]],
  [
    'nginx that gathers in small buffers',
    'polling',
    [
      'nginx',
      ['proxy_buffering off;', 'proxy_ignore_headers X-Accel-Buffering; proxy_buffer_size 1k; proxy_buffers 4 1k;'],
      ['proxy_read_timeout 60s;', 'proxy_busy_buffers_size 2k;'],
    ],
  ],
  [
    'HAProxy that waits for a body',
    'polling',
    ['haproxy', ['balance roundrobin', 'balance roundrobin\n  http-response wait-for-body time 60s at-least 16000']],
  ],
  [
    'HAProxy that waits for less than the stream begins with',
    'sse',
    ['haproxy', ['balance roundrobin', 'balance roundrobin\n  http-response wait-for-body time 60s at-least 2048']],
  ],
];

describe.each(hosts)('to a server on %s, where WebSockets are blocked', (_host, host) => {
  const { cleanUp, serve } = served(host);

  for (const [what, carrier, ...way] of ways) {
    test.skipIf(way.some(([name]) => !fronts.includes(name)))(`${what}: ${carrier}`, async () => {
      const io = await serve({}, (io) =>
        io.on('connection', (socket) => socket.on('say', (i: number) => void socket.emit('said', i))),
      );
      let port = io.port as number;
      for (const [name, ...changes] of way) {
        const front = await Front.start(name, [port], changes);
        cleanUp.push(() => front.end());
        port = front.port;
      }
      const { client, told, carriers } = connectTo(`https://127.0.0.1:${port}`, { names: ['sse', 'polling'] });
      cleanUp.push(() => client.disconnect());
      const heard: number[] = [];
      client.on('said', (i: number) => void heard.push(i));
      for (let i = 0; i < 5; i++) {
        client.emit('say', i);
        await expect.poll(() => heard.length).toBe(i + 1);
      }
      expect(heard).toEqual([0, 1, 2, 3, 4]);
      expect(carriers).toEqual([carrier]);
      expect(told).toEqual(['connect false']);
    });
  }
});
