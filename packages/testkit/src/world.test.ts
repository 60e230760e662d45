// A world with real ends in it: its time stands still until the test lets it pass.
import { connect } from '@halyard/client';
import { msgpack } from '@halyard/codec-msgpack';
import { describe, expect, test } from 'vitest';
import { adds, newWorld } from '../testing/adding';

test('the same seed makes the same run, and another one another', async () => {
  const run = async (seed: number) => {
    const world = newWorld({ seed, latencyMs: [1, 100] });
    adds(world.server());
    const client = world.connect();
    const seen: unknown[] = [];
    client.connection.on('state', ({ to }) => void seen.push(to, world.now, client.id));
    await world.until(() => client.connected);
    world.cut();
    await world.until(() => client.connected);
    return [...seen, client.id];
  };
  expect(await run(7)).toEqual(await run(7));
  expect(await run(7)).not.toEqual(await run(8));
});

test('a socket of any namespace means its whole client', async () => {
  const world = newWorld();
  world.server().of('/chat');
  const client = world.connect();
  const chat = client.of('/chat');
  const other = world.connect({ namespace: '/chat' });
  await world.until(() => client.connected && chat.connected && other.connected);
  world.cut(chat);
  await world.until(() => !client.connected);
  expect(other.connected).toBe(true);
});

test('msgpack goes over both transports', async () => {
  const world = newWorld();
  world.server({ codecs: [msgpack()] }).on('connection', (socket) => socket.on('echo', (value: unknown) => value));
  for (const transport of ['websocket', 'polling'] as const) {
    const client = world.connect({ codec: msgpack(), transports: [transport] });
    const value = { bytes: Uint8Array.of(0, 255), text: 'ü' };
    expect(await world.until(client.emitWithAck('echo', value))).toEqual(value);
  }
});

test('an app that connects by itself is given its options, and they are what is cut', async () => {
  const world = newWorld();
  adds(world.server());
  const options = world.clientOptions({ auth: { name: 'app' } });
  const client = connect('https://app.example/', options);
  await world.until(() => client.connected);
  world.cut(options);
  await world.until(() => !client.connected);
  await world.until(() => client.connected);
  client.connection.close();
  await world.advance(100);
});

test('handlers take their time by sleep, and replies time out', async () => {
  const world = newWorld();
  world.server().on('connection', (socket) => {
    socket.on('slow', async () => {
      await world.sleep(5_000);
      return 'done';
    });
  });
  const client = world.connect();
  await world.until(() => client.connected);
  expect(await world.until(client.emitWithAck('slow'))).toBe('done');
  await expect(world.until(client.timeout(1_000).emitWithAck('slow'))).rejects.toMatchObject({
    code: 'ERR_ACK_TIMEOUT',
  });
});

describe('until', () => {
  test('a client that was cut a moment ago is not connected', async () => {
    const world = newWorld();
    adds(world.server());
    const client = world.connect();
    await world.until(() => client.connected);
    const { now } = world;
    world.cut();
    await world.until(() => client.connected);
    expect(world.now).toBeGreaterThan(now + 10);
  });

  test('says how everything is when it gives up', async () => {
    const world = newWorld();
    world.server();
    const client = world.connect();
    world.offline(client);
    const failure = world.until(() => client.connected, { withinMs: 5_000 });
    await expect(failure).rejects.toMatchObject({ code: 'ERR_NOT_SO' });
    await expect(failure).rejects.toThrow(
      /Still not so after 5000 virtual ms: \(\) => client\.connected\nat 5000 ms\n {2}server 1: listening, 0 sockets in "\/"\n {2}client 1: (waiting|connecting) \(offline, refused\)/,
    );
    await expect(world.until(new Promise(() => {}))).rejects.toMatchObject({ code: 'ERR_NOT_SO' });
  });

  test('gives what the condition gave, and throws what it threw', async () => {
    const world = newWorld();
    expect(await world.until(() => world.now >= 0 && 'yes')).toBe('yes');
    await expect(
      world.until(() => {
        throw new TypeError('mine');
      }),
    ).rejects.toThrow('mine');
    await expect(world.until(async () => true)).rejects.toMatchObject({ code: 'ERR_OPTION' });
    await expect(world.until(Promise.reject(new TypeError('mine')))).rejects.toThrow('mine');
  });

  test('two at a time are refused, and the first goes on', async () => {
    const world = newWorld();
    const first = world.advance(1_000);
    await expect(world.advance(1)).rejects.toMatchObject({ code: 'ERR_TIME_RUNS' });
    await first;
    expect(world.now).toBe(1_000);
  });

  test('a timer that sets itself again at once does not hang the test', async () => {
    const world = newWorld();
    let goesOn = true;
    const again = () => goesOn && void world.sleep(0).then(again);
    again();
    await expect(world.advance(1)).rejects.toThrow('does one set itself for ever');
    goesOn = false;
  });
});
