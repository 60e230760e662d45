import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { hosts } from '../../../../test/kit/hosts';
import { systemPlatform } from '../base/platform';
import type { HostHandlers } from './host';

const limits = { frameBytesMax: 65_536, httpBodyBytesMax: 65_536 };

test.each(hosts)('%s: a socket may be ended before it is accepted to the end', async (_name, host) => {
  const heard: string[] = [];
  const handlers: HostHandlers = {
    upgrade: () => ({
      subprotocol: '',
      open(socket) {
        socket.end(1001, 'not now');
        return { onMessage() {}, onDrain() {}, onClose: (code) => heard.push(`onClose ${code}`) };
      },
    }),
    request() {},
    refusal: (_request, answer) => answer,
  };
  const running = await host()('/halyard', handlers, limits, systemPlatform);
  const port = await running.listen(0, '127.0.0.1', false);
  const client = new WebSocket(`ws://127.0.0.1:${port}/halyard`);
  const code = await new Promise((resolve) => client.once('close', resolve));
  await running.close();
  expect(code).toBe(1001);
  expect(heard).toEqual([]);
});

test.each(hosts)('%s: a free port that was taken is there again at once', async (_name, host) => {
  const handlers: HostHandlers = {
    upgrade: () => ({
      subprotocol: '',
      open: () => ({ onMessage() {}, onDrain() {}, onClose() {} }),
    }),
    request() {},
    refusal: (_request, answer) => answer,
  };
  const first = await host()('/halyard', handlers, limits, systemPlatform);
  const port = await first.listen(0, '127.0.0.1', false);
  const client = new WebSocket(`ws://127.0.0.1:${port}/halyard`);
  await new Promise((resolve) => client.once('open', resolve));
  const gone = new Promise((resolve) => client.once('close', resolve));
  // It closes first: its side of the connection stays for a minute.
  await first.close();
  await gone;
  const second = await host()('/halyard', handlers, limits, systemPlatform);
  expect(await second.listen(port, '127.0.0.1', false)).toBe(port);
  await second.close();
});
