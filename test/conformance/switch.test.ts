// A session that WebSocket could not carry goes over to it when it can, and back, over real sockets: nobody notices, and nothing is
// lost, doubled or out of order.
import { connect, polling, sse, websocket } from '@halyard/client';
import { Cable } from '@halyard/harness/cable';
import { describe, expect, test } from 'vitest';
import { hosts } from '../kit/hosts';
import { served } from '../kit/served';

describe.each(hosts)('on %s', (_name, host) => {
  const { serve, cleanUp } = served(host);

  test.each([
    ['sse', sse],
    ['polling', polling],
  ] as const)('from %s to WebSocket and back, three times, under traffic both ways', async (name, over) => {
    const taken: number[] = [];
    const ended: string[] = [];
    const io = await serve({}, (server) => {
      server.on('connection', (socket) => {
        socket.join('room');
        socket.on('count', (number: number) => {
          taken.push(number);
          return number;
        });
        socket.on('disconnect', ({ reason }) => void ended.push(reason));
      });
    });
    const cable = await Cable.open(io.port as number, 'reset');
    cleanUp.push(() => cable.close());
    const client = connect(cable.url, {
      transports: [websocket(), over()],
      switchDelayMs: 5,
    });
    cleanUp.push(() => client.disconnect());

    const told: string[] = [];
    client.on('connect', ({ recovered }) => void told.push(`connect ${recovered}`));
    client.on('disconnect', ({ code }) => void told.push(`disconnect ${code}`));
    client.on('error', (error) => void told.push(`error ${error}`));
    const heard: Record<string, number[]> = { room: [], socket: [] };
    for (const event of ['room', 'socket']) client.on(event, (number: number) => void heard[event]?.push(number));
    await expect.poll(() => client.connection.transport).toBe(name);

    let said = 0;
    const replies: Promise<number>[] = [];
    const talk = setInterval(() => {
      said++;
      replies.push(client.emitWithAck('count', said));
      io.to('room').emit('room', said);
      for (const socket of io.sockets.values()) socket.emit('socket', said);
    }, 2);
    cleanUp.push(() => clearInterval(talk));

    for (let i = 0; i < 3; i++) {
      cable.webSockets = 'pass';
      await expect.poll(() => client.connection.transport).toBe('websocket');
      const before = said;
      await expect.poll(() => heard.room?.at(-1)).toBeGreaterThan(before);
      cable.webSockets = 'reset';
      cable.cut();
      await expect.poll(() => client.connection.transport).toBe(name);
      const after = said;
      await expect.poll(() => heard.room?.at(-1)).toBeGreaterThan(after);
    }
    clearInterval(talk);

    const all = Array.from({ length: said }, (_, i) => i + 1);
    expect(await Promise.all(replies)).toEqual(all);
    await expect.poll(() => heard).toEqual({ room: all, socket: all });
    expect(taken).toEqual(all);
    expect(told).toEqual(['connect false']);
    expect(ended).toEqual([]);
    expect([...io.sockets.keys()]).toEqual([client.id]);
  });
});
