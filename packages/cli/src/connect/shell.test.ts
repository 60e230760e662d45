import type { Socket } from '@halyard/client';
import { expect, test } from 'vitest';
import { Shell } from './shell';

test('commands are completed, and behind them names of a contract and those that were heard', () => {
  let heard = (_event: string): void => {};
  const socket = {
    namespace: '/',
    on: () => socket,
    onAny(listener: typeof heard) {
      heard = listener;
      return socket;
    },
  } as unknown as Socket;
  const shell = new Shell({ socket, waitMs: 1, events: ['message:send', 'leave'], say() {} });
  expect(shell.complete('em')).toEqual([['emit'], 'em']);
  expect(shell.complete('ack mes')).toEqual([['message:send'], 'mes']);
  heard('message');
  expect(shell.complete('wait mes')).toEqual([['message:send', 'message'], 'mes']);
});
