// The contract and guards where servers share a Redis: an event that comes again to another server passes them again there.
import { PublicError } from '@halyard/client';
import { contract } from '@halyard/contract';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { onRedis } from '../kit/on-redis';
import { hasRedis } from '../kit/redis-server';
import { untilHolds } from '../kit/until';

const chat = contract({
  clientToServer: {
    say: { args: [z.string().trim(), z.string().max(5)], reply: z.object({ id: z.string() }) },
  },
  serverToClient: { ask: { args: [z.string()], reply: z.boolean() } },
});

describe.skipIf(!hasRedis)('servers that share a Redis', () => {
  const { serve, client, adapter } = onRedis();

  test('an event that comes again to another server is checked again', async () => {
    const calls: string[] = [];
    const [a, b] = await serve(
      2,
      (io, index) => {
        io.on('error', () => {});
        io.on('connection', (socket) => {
          socket.on('say', (room, text) => {
            calls.push(`${index} ${room} ${text}`);
            return index === 0 ? new Promise(() => {}) : { id: `${index}` };
          });
        });
      },
      { adapter: adapter(), contract: chat },
    );
    const { socket, route, cut } = await client(a!);
    const reply = socket.emitWithAck('say', ' lobby ', 'hello');
    await untilHolds(() => expect(calls).toEqual(['0 lobby hello']));
    route.to = b!;
    await a!.kill();
    a!.noticed();
    cut();
    expect(await reply).toEqual({ id: '1' });
    expect(calls).toEqual(['0 lobby hello', '1 lobby hello']);
    await expect(socket.emitWithAck('say', 'lobby', 'too long')).rejects.toBeInstanceOf(PublicError);
  });

  test('replies of clients of another server are checked by that', async () => {
    const [a, b] = await serve(2, () => {}, { adapter: adapter(), contract: chat });
    const right = await client(a!);
    const wrong = await client(b!);
    right.socket.on('ask', () => true);
    wrong.socket.on('ask', () => 'planted');
    expect(await a!.io.emitWithAck('ask', 'why')).toEqual({ replies: [true], missing: [wrong.socket.id] });
  });

  test('what waited for a guard is asked about by the server that goes on with the session', async () => {
    const asked: string[] = [];
    const [a, b] = await serve(
      2,
      (io, index) => {
        io.guard('say', (_socket, text: string) => {
          asked.push(`${index} ${text}`);
          return index === 0 ? new Promise<boolean>(() => {}) : text !== 'bad';
        });
        io.on('connection', (socket) => socket.on('say', (text) => `${index} ${text}`));
      },
      { adapter: adapter() },
    );
    const { socket, route, cut } = await client(a!);
    const replies = Promise.allSettled([socket.emitWithAck('say', 'good'), socket.emitWithAck('say', 'bad')]);
    await expect.poll(() => asked).toEqual(['0 good']);
    route.to = b!;
    await a!.kill();
    a!.noticed();
    cut();
    expect(await replies).toMatchObject([{ value: '1 good' }, { reason: { code: 'ERR_FORBIDDEN' } }]);
    expect(asked).toEqual(['0 good', '1 good', '1 bad']);
  });
});
