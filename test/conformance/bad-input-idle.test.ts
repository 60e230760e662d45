// Peers that begin something and go no further: they are let go, and whoever waits for an answer, or goes on, is not.

import { expect, test } from 'vitest';
import { starts } from '../kit/hosts';
import { Poller } from './poller';
import { RawSocket, request } from './raw';

const halfHeads = ['', 'PO', 'POST /halyard HTTP/1.1\r\n', 'POST /halyard HTTP/1.1\r\nHost: halyard.test\r\nContent-'];
const halfBodies = (path: string): string[] => {
  const post = `POST ${path} HTTP/1.1\r\nHost: halyard.test\r\n`;
  return [
    `${post}Content-Length: 10\r\n\r\n`,
    `${post}Content-Length: 10\r\n\r\nhello`,
    `${post}Transfer-Encoding: chunked\r\n\r\n`,
    `${post}Transfer-Encoding: chunked\r\n\r\n10\r\nhel`,
    `${post}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n`,
  ];
};
const whole = request('POST /halyard', { 'Content-Length': '0' });

test.each(starts)('half a request that stands still is let go, %s', async (name, start) => {
  const io = await start({ pollHoldMs: 600_000, heartbeatMs: 3_600_000 });
  const alone = !name.startsWith('attached');
  // Of the app's own requests it is the app that decides.
  const halves = alone
    ? [...halfHeads, ...halfHeads.map((half) => whole + half), ...halfBodies('/halyard'), ...halfBodies('/elsewhere')]
    : halfBodies('/halyard');
  const sockets: [half: string, socket: RawSocket][] = [];
  for (let round = 0; round < 40; round++) {
    for (const half of halves) {
      const socket = await RawSocket.open(io.port);
      socket.write(half);
      sockets.push([half, socket]);
    }
  }
  const poller = await Poller.open(io.port);
  await poller.send([0]);
  await poller.packet(11);
  const poll = poller.packet(5);
  // uWS wants more than a few bytes in ten seconds.
  const steady = await RawSocket.open(io.port);
  const bytes = name === 'on uws' ? 0 : 100_000;
  let sent = 0;
  steady.write(`POST /halyard HTTP/1.1\r\nHost: halyard.test\r\nContent-Length: ${bytes}\r\n\r\n`);
  const drip = setInterval(() => {
    if (sent++ < bytes) steady.write('x');
  }, 50);
  try {
    for (const [half, socket] of sockets) await socket.until(`the end after ${half}`, () => socket.ended);
  } finally {
    clearInterval(drip);
  }
  if (!alone) {
    for (const [, socket] of sockets) {
      expect(await socket.response()).toMatchObject({ status: 408, body: expect.stringContaining('ERR_BODY_IDLE') });
    }
  }
  steady.write('x'.repeat(Math.max(0, bytes - sent)));
  expect((await steady.response()).status).toBe(200);
  steady.cut();
  io.emit('news', 1);
  expect(await poll).toMatchObject([5, '/', expect.anything(), 'news', [1]]);
  await io.close();
});
