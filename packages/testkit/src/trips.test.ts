// How many trips the first event takes, counted by virtual time on a link with a delay (docs/PERFORMANCE.md has what real sockets take).
import { expect, test } from 'vitest';
import { newWorld } from '../testing/adding';

const oneWayMs = 100;

test.each(['websocket', 'sse', 'polling'] as const)(
  'the first event over %s is handled after one trip to open and half of one, and so is the first of a resume',
  async (transport) => {
    const world = newWorld({ latencyMs: oneWayMs });
    const handledAt: number[] = [];
    world.server().on('connection', (socket) => socket.on('said', () => void handledAt.push(world.now)));
    const begins = world.now;
    const client = world.connect({ transports: [transport] });
    client.emit('said');
    await world.until(() => handledAt.length > 0);
    expect((handledAt[0] as number) - begins).toBe(3 * oneWayMs);

    await world.until(() => client.connected);
    let againAt = 0;
    client.connection.on('state', ({ to }) => {
      if (to === 'connecting') againAt = world.now;
    });
    world.offline(client);
    await world.until(() => !client.connected);
    client.emit('said');
    world.online(client);
    await world.until(() => handledAt.length > 1);
    expect((handledAt[1] as number) - againAt).toBe(3 * oneWayMs);
    await world.until(() => client.connected);
    expect(client.recovered).toBe(true);
  },
);
