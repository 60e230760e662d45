// What others fail at in the field, on a real Redis: connections that come and go fast, rooms by the thousand, a server that is lost with
// everybody on it, a Redis that is emptied.
import { type AddressInfo, createConnection, createServer } from 'node:net';
import { redis } from '@halyard/adapter-redis';
import { json } from '@halyard/codec/json';
import { msgpack } from '@halyard/codec-msgpack';
import { Server, type Socket } from '@halyard/server';
import { describe, expect, test } from 'vitest';
import type { KillableServer } from '../kit/killable';
import { onRedis, type RoutedClient } from '../kit/on-redis';
import { hasRedis, RedisServer } from '../kit/redis-server';
import { untilHolds } from '../kit/until';

type Two = [KillableServer, KillableServer];

const joinsRoom = (io: Server): unknown => io.on('connection', (socket) => socket.recovered || socket.join('room'));

const numbers = (count: number): string[] => Array.from({ length: count }, (_, i) => `${i}`);

/** Each case is short in `npm test`, and as large as in the field by `npm run test:field`. */
const { HALYARD_FIELD } = process.env;
const isFull = HALYARD_FIELD === 'full';
const sized = (count: number): number => (isFull ? count : count / 10);

/** What comes is lost without a word, for ever: nobody waits longer than this, in milliseconds. */
const patienceMs = 60_000;

describe.skipIf(!hasRedis)('servers that share a Redis', () => {
  const { cleanUp, serve, client, adapter, store } = onRedis();

  /** @returns channels of logs that somebody follows */
  const channels = (room = ''): Promise<string[]> => store().tell(`PUBSUB SHARDCHANNELS *:log:*${room}/`);

  const volatileChannels = (): Promise<string[]> => store().tell('PUBSUB SHARDCHANNELS *:say:*');

  /** @returns what it has taken of memory */
  async function bytes(): Promise<number> {
    const info = await store().tell('INFO memory');
    return Number(info.find((line) => line.startsWith('used_memory:'))?.split(':')[1]);
  }

  async function keys(): Promise<number> {
    return Number((await store().tell('DBSIZE'))[0]);
  }

  test('a connection that is lost again and again, and back within milliseconds at the other server, loses and doubles nothing', async () => {
    const [a, b] = (await serve(2, joinsRoom)) as Two;
    const ann = await client(a);
    let back = (): void => {};
    const recovered: boolean[] = [];
    ann.socket.on('connect', (info) => {
      recovered.push(info.recovered);
      back();
    });
    for (let i = 0; i < sized(300); i++) {
      const isBack = new Promise<void>((resolve) => {
        back = resolve;
      });
      (i % 3 ? a : b).io.to('room').emit('said', `${2 * i}`);
      ann.route.to = i % 2 ? a : b;
      ann.cut();
      (i % 5 ? a : b).io.to('room').emit('said', `${2 * i + 1}`);
      await isBack;
    }
    await untilHolds(() => expect(ann.heard.length).toBeGreaterThanOrEqual(sized(600)));
    expect(ann.heard.toSorted((one, other) => Number(one) - Number(other))).toEqual(numbers(sized(600)));
    expect(recovered).toEqual(numbers(sized(300)).map(() => true));
  });

  test('a session that moves while it is sent something all the time, some way from Redis, misses nothing, and joins what it was to join', async () => {
    // A few milliseconds each way, as between two zones.
    const far = createServer((to) => {
      const from = createConnection(store().port, '127.0.0.1').setNoDelay();
      for (const [one, other] of [
        [to.setNoDelay(), from],
        [from, to],
      ] as const) {
        one.on('data', (data) => void setTimeout(() => other.write(data), 4));
        one.on('close', () => other.destroy());
        one.on('error', () => {});
      }
    });
    await new Promise<void>((resolve) => far.listen(0, '127.0.0.1', resolve));
    cleanUp.push(() => far.close());
    let said = 0;
    let moves = 0;
    let own: Socket | undefined;
    const options = {
      adapter: redis({ url: `redis://127.0.0.1:${(far.address() as AddressInfo).port}`, prefix: 'far' }),
    };
    const app = (io: Server): unknown =>
      io.on('connection', (socket) => {
        own = socket;
        // What its handlers do from then on is done where it is.
        socket.on('moved', () => socket.join(`room ${++moves}`));
      });
    const [a, b] = (await serve(2, app, options)) as Two;
    const ann = await client(a);
    const timer = setInterval(() => own?.emit('said', `${said++}`), 1);
    cleanUp.push(() => clearInterval(timer));
    for (let move = 1; move <= 6; move++) {
      const before = said;
      await untilHolds(() => expect(said).toBeGreaterThan(before + 100));
      ann.route.to = move % 2 ? b : a;
      ann.cut();
      await untilHolds(() => expect([moves, ann.socket.connected]).toEqual([move, true]));
    }
    clearInterval(timer);
    await untilHolds(() =>
      expect(ann.heard.toSorted((one, other) => Number(one) - Number(other))).toEqual(numbers(said)),
    );
    const rooms = [1, 2, 3, 4, 5, 6].map((move) => `room ${move}`);
    await untilHolds(async () =>
      expect([...(await a.io.fetchSockets())[0]!.rooms]).toEqual(expect.arrayContaining(rooms)),
    );
  });

  test('sessions by the thousand whose server is killed all go on at the others, with what was said meanwhile', async () => {
    const [a, b, c] = (await serve(3, joinsRoom)) as [...Two, KillableServer];
    const people: RoutedClient[] = [];
    for (let i = 0; i < sized(1_000); i += 50) {
      people.push(...(await Promise.all(numbers(50).map(() => client(a, i % 100 ? json() : msgpack())))));
    }
    const ids = people.map(({ socket }) => socket.id);
    for (const [i, { route }] of people.entries()) route.to = i % 2 ? b : c;
    a.io.to('room').emit('said', '0');
    await untilHolds(() => expect(people.every(({ heard }) => heard.length === 1)).toBe(true));
    await a.kill();
    b.io.to('room').emit('said', '1');
    c.io.to('room').emit('said', '2');
    await untilHolds(() => expect(people.every(({ heard }) => heard.length === 3)).toBe(true));
    expect(new Set(people.map(({ heard }) => heard.toSorted().join()))).toEqual(new Set(['0,1,2']));
    expect(people.map(({ socket }) => socket.id)).toEqual(ids);
    expect(people.every(({ socket }) => socket.recovered)).toBe(true);
    a.noticed();
    await untilHolds(async () => expect(await b.io.count()).toEqual({ count: sized(1_000), missing: [] }));
  });

  test('10,000 rooms that are joined and left give back what they took', async () => {
    const perSocket = sized(1_000);
    const [a, b] = (await serve(2, (io) => {
      io.on('connection', (socket) => {
        const names = numbers(perSocket - 1).map((i) => `${socket.id} ${i}`);
        socket.on('join', () => socket.join(names));
        socket.on('leave', () => socket.leave(names));
      });
    })) as Two;
    const people = await Promise.all(numbers(10).map((i) => client(Number(i) % 2 ? a : b)));
    const before = (await channels()).length;
    const volatileBefore = (await volatileChannels()).length;
    const kept: { readonly keys: number; readonly bytes: number }[] = [];
    for (let round = 0; round < (isFull ? 3 : 2); round++) {
      await Promise.all(people.map(({ socket }) => socket.timeout(patienceMs).emitWithAck('join')));
      await untilHolds(async () => expect((await channels()).length).toBe(before + 10 * (perSocket - 1)));
      await Promise.all(people.map(({ socket }) => socket.timeout(patienceMs).emitWithAck('leave')));
      // A room that is left is followed for some seconds more.
      await untilHolds(async () => expect((await channels()).length).toBe(before));
      await untilHolds(async () => expect((await volatileChannels()).length).toBe(volatileBefore));
      kept.push({ keys: await keys(), bytes: await bytes() });
    }
    // Where a room was is known for a day, whether or not anybody comes back.
    const [first, last] = [kept[0], kept.at(-1)] as [(typeof kept)[0], (typeof kept)[0]];
    expect(last.keys).toBeLessThanOrEqual(first.keys + 10);
    expect(last.bytes).toBeLessThanOrEqual(first.bytes + (1 << 20));
  });

  test('what is said to a room reaches the servers alone that have members of it', async () => {
    const [a, b, c] = (await serve(3, (io) => {
      io.on('connection', (socket) => void socket.on('join', () => socket.join('club')));
    })) as [...Two, KillableServer];
    const [ann] = [await client(a), await client(b), await client(c)];
    const followers = async (): Promise<number> => {
      const [channel] = await channels('club');
      return channel === undefined ? 0 : Number((await store().tell(`PUBSUB SHARDNUMSUB ${channel}`))[1]);
    };
    expect(await followers()).toBe(0);
    await ann.socket.emitWithAck('join');
    await untilHolds(async () => expect(await followers()).toBe(1));
    c.io.to('club').emit('said', '0');
    b.io.to('club').emit('said', '1');
    await untilHolds(() => expect(ann.heard.toSorted()).toEqual(['0', '1']));
    // Who says something to a room need not follow it.
    expect(await followers()).toBe(1);
  });

  /** Members of a room at two servers, while something is said to it all the time: each has all of it, or was told. */
  async function talking([a, b]: Two) {
    const people = [await client(a), await client(b), await client(b, msgpack())];
    const told = new Map<RoutedClient, string | undefined>();
    for (const person of people) {
      person.socket.on('connect', ({ recovered, reason }) => void (recovered || told.set(person, reason)));
    }
    let said = 0;
    const traffic = setInterval(() => (said % 2 ? a : b).io.to('room').emit('said', `${said++}`), 10);
    cleanUp.push(() => clearInterval(traffic));
    /** Everybody hears what is said from now on. */
    const untilHeard = async (): Promise<void> => {
      const from = said;
      await untilHolds(() => {
        const silent = people.flatMap(({ socket, heard }, person) =>
          heard.some((text) => Number(text) >= from)
            ? []
            : [{ person, connected: socket.connected, last: heard.at(-1), from, said }],
        );
        expect(silent).toEqual([]);
      });
    };
    const end = async (): Promise<void> => {
      clearInterval(traffic);
      a.io.to('room').emit('said', 'last');
      b.io.to('room').emit('said', 'last');
      await untilHolds(() => {
        for (const { heard } of people) expect(heard.filter((text) => text === 'last').length).toBe(2);
      });
      const all = numbers(said);
      for (const person of people) {
        const its = person.heard.filter((text) => text !== 'last');
        expect(new Set(its).size).toBe(its.length);
        const hole = all.find((text) => !its.includes(text));
        if (hole !== undefined) expect([hole, told.get(person)]).toEqual([hole, expect.stringMatching(/./)]);
      }
      // All works again, and nobody is there who is not.
      const ids = people.map(({ socket }) => socket.id as string).toSorted();
      for (const { io } of [a, b]) {
        await untilHolds(async () => expect(await io.in('room').count()).toEqual({ count: 3, missing: [] }));
        expect((await io.fetchSockets()).map(({ id }) => id).toSorted()).toEqual(ids);
      }
    };
    await untilHeard();
    return { people, told, untilHeard, end };
  }

  test('a Redis that is emptied under way is told, and all works again by itself', async () => {
    // A server does not know that its client was told of another session: it keeps the one before for that long.
    const recoveryWindowMs = 3_000;
    const [a, b] = (await serve(2, joinsRoom, { adapter: adapter(), recoveryWindowMs })) as Two;
    const { people, untilHeard, end } = await talking([a, b]);
    const [ann, ben] = people as [RoutedClient, RoutedClient];
    // One has missed something by then, and comes to the other server.
    ann.route.to = { io: { port: 1 } };
    ann.cut();
    const { length } = ben.heard;
    await untilHolds(() => expect(ben.heard.length).toBeGreaterThan(length + 20));
    await store().tell('FLUSHALL');
    ann.route.to = b;
    await untilHeard();
    await end();
  });

  test.each([1, 2])(
    'a Redis that is emptied while nobody is at any of %i servers takes in who comes then',
    async (count) => {
      const servers = (await serve(count, joinsRoom)) as KillableServer[];
      await store().tell('FLUSHALL');
      for (const server of servers) {
        const { socket } = await client(server);
        server.io.to('room').emit('said', 'there');
        expect(await socket.emitWithAck('nothing').catch(({ code }) => code)).toBe('ERR_NO_HANDLER');
      }
    },
  );

  test('a server that is closed while its store opens says so to who waits for it to listen', async () => {
    const io = new Server({ adapter: adapter() });
    const listening = expect(io.listen(0, '127.0.0.1')).rejects.toMatchObject({ code: 'ERR_CLOSED' });
    await io.close();
    await listening;
  });

  test('a master that is lost with what its replica lacks: that is told, and all works again', async () => {
    const master = await RedisServer.start();
    const replica = await RedisServer.start('--replicaof', '127.0.0.1', `${master.port}`);
    const sentinel = await RedisServer.watch('field', master);
    cleanUp.push(() => Promise.all([sentinel.end(), replica.end(), master.end()]));
    await untilHolds(async () => expect(await sentinel.tell('SENTINEL REPLICAS field')).not.toEqual([]));
    const sentinels = [{ host: '127.0.0.1', port: sentinel.port }];
    const servers = (await serve(2, joinsRoom, { adapter: redis({ redis: { name: 'field', sentinels } }) })) as Two;
    const { told, untilHeard, end } = await talking(servers);
    // From now on it has nothing of what is stored.
    replica.halt();
    await untilHeard();
    await master.stop();
    replica.goOn();
    await untilHeard();
    await end();
    expect((await replica.tell('ROLE'))[0]).toBe('master');
    console.info(`${told.size} of 3 were told of a loss: ${[...told.values()].join(', ')}`);
  });
});
