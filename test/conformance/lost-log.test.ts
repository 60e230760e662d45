// A log of which something is lost ends its members, in virtual time: told with 4410, and not all at once.
import { connect } from '@halyard/client/core';
import { json } from '@halyard/codec/json';
import { VirtualClock } from '@halyard/harness/clock';
import { seededRandom } from '@halyard/harness/random';
import { type Adapter, memory, Server, type Store, type StoreEvents } from '@halyard/server';
import { MemoryNetwork } from '@halyard/testkit/internal';
import { expect, test } from 'vitest';
import { ServerClock } from '../kit/server-clock';

const membersMax = 40;
const turn = () => new Promise((resolve) => setImmediate(resolve));

test('its members are told one after the other', async () => {
  const clock = new VirtualClock();
  let events!: StoreEvents;
  let store!: Store;
  let isLost = false;
  const shared = memory({ shared: true });
  const adapter: Adapter = (context) => {
    store = shared(context) as Store;
    const { open, read, tops } = store;
    store.open = (node, its) => {
      events = its;
      return open.call(store, node, its);
    };
    store.read = (...what) =>
      isLost ? { epoch: 'another', first: 1, top: 0, missed: 0, entries: [] } : read.apply(store, what);
    store.tops = (logs) =>
      isLost ? logs.map(() => ({ epoch: 'another', top: 0, newest: [0, ''] })) : tops.call(store, logs);
    return store;
  };
  const network = { latencyMs: [1, 1], noticeMs: [0, 0], unnoticed: 0 } as const;
  const wires = new MemoryNetwork(clock, seededRandom(1), { ...network, latencyMs: [1, 1], noticeMs: [0, 0] }, true);
  const io = new Server({ host: wires.host, clock: new ServerClock(clock), adapter });
  io.on('error', () => {});
  io.on('warning', () => {});
  await io.listen(1);
  const elapse = async (ms: number) => {
    for (let i = 0; i < ms; i += 10) {
      clock.advance(10);
      await turn();
    }
  };
  const told: number[] = [];
  const clients = Array.from({ length: membersMax }, () => {
    const client = connect('http://memory.example', {
      clock,
      codec: json(),
      transport: wires.transport,
      random: () => 0.5,
    });
    client.on('disconnect', ({ code }) => {
      expect(code).toBe(4410);
      told.push(clock.now());
    });
    return client;
  });
  await elapse(500);
  expect(io.sockets.size).toBe(membersMax);
  const [log] = await store.tops(['0:/']);
  const entry = {
    node: 'elsewhere',
    stamp: 1,
    after: [0, ''],
    except: [],
    places: [],
    earlier: 0,
    bodies: [''],
  } as const;
  // It is known that there was more.
  events.onEntry('0:/', log!.epoch, { ...entry, offset: 9 });
  isLost = true;
  events.onMissed();
  const since = clock.now();
  await elapse(1_000);
  const its = told.slice(0, membersMax);
  expect(its).toHaveLength(membersMax);
  // 10 ms each, in ticks of 100.
  expect(Math.max(...its) - since).toBeLessThan(membersMax * 10 + 200);
  expect(new Set(its).size).toBeGreaterThan(2);
  for (const client of clients) client.connection.close();
  const closed = io.close();
  await elapse(3_000);
  await closed;
});
