// What a reader gets that does not keep up, over real sockets on every transport: of `latest` the newest of each key, and what a namespace
// says by `slowReaders`. Who keeps up notices nothing.
// Longer than other files: one reader that is away or slow is the same in all of it.
import { connect, type TransportName } from '@halyard/client';
import { Cable } from '@halyard/harness/cable';
import {
  type Adapter,
  Server,
  type ServerOptions,
  type SlowReaders,
  type Store,
  type StoreEvents,
} from '@halyard/server';
import { describe, expect, test } from 'vitest';
import { hosts } from '../kit/hosts';
import { served } from '../kit/served';
import { places } from '../kit/stores';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const filler = 'x'.repeat(2_000);
const symbols = ['BTC', 'ETH', 'SOL'];

/** A client in the room, and what it has heard. */
function reader(url: string, transport: TransportName, cleanUp: (() => unknown)[]) {
  const client = connect(url, { transports: [transport] });
  cleanUp.push(() => client.disconnect());
  const heard: [symbol: string, n: number][] = [];
  const told: unknown[] = [];
  client.on('price', (symbol: string, n: number) => void heard.push([symbol, n]));
  client.on('connect', ({ recovered, reason }) => void told.push(recovered || reason || 'new'));
  return { client, heard, told };
}

/** One that has been in the room, and has lost its connection. */
async function away(io: Server, cleanUp: (() => unknown)[]) {
  const cable = await Cable.open(io.port);
  cleanUp.push(() => cable.close());
  const { heard, told } = reader(cable.url, 'websocket', cleanUp);
  await expect.poll(() => told).toEqual(['new']);
  cable.pull();
  await expect.poll(() => [...io.sockets.values()][0]?.away).toBe(true);
  return { cable, heard, told };
}

const newest = (heard: readonly [string, number][]): Record<string, number> => Object.fromEntries(heard);
const grows = (heard: readonly [string, number][], symbol: string): boolean => {
  const numbers = heard.filter(([one]) => one === symbol).map(([, n]) => n);
  return numbers.every((n, i) => i === 0 || n > (numbers[i - 1] as number));
};

describe.each(hosts)('on %s', (_name, host) => {
  const { cleanUp, serve } = served(host);

  async function start(options: ServerOptions = {}, mode?: SlowReaders): Promise<Server> {
    return serve(options, (io) => {
      if (mode !== undefined) io.slowReaders(mode);
      io.on('connection', (socket) => void socket.join('prices'));
    });
  }

  /** Emits until `isEnough`, each turn one price. @returns the last number */
  async function emitUntil(isEnough: () => boolean, emit: (symbol: string, n: number) => void): Promise<number> {
    let n = 0;
    // Until whatever is between the two ends is full.
    for (; !isEnough() && n < 200_000; n++) {
      emit(symbols[n % 3] as string, n);
      if (n % 4 === 0) await turn();
    }
    return n - 1;
  }

  const last = (n: number): Record<string, number> =>
    Object.fromEntries(symbols.map((symbol, i) => [symbol, n - ((n - i) % 3)]));

  test.each<TransportName>(['websocket', 'sse', 'polling'])(
    'latest over %s: a slow reader ends with the newest of each key, and is not cut; a fast one gets all',
    { timeout: 120_000 },
    async (transport) => {
      const io = await start();
      const cable = await Cable.open(io.port);
      cleanUp.push(() => cable.close());
      const slow = reader(cable.url, transport, cleanUp);
      const fast = reader(`http://127.0.0.1:${io.port}`, transport, cleanUp);
      await expect.poll(() => [slow.told.length, fast.told.length]).toEqual([1, 1]);
      cable.stall('down');
      const [slowSocket] = [...io.sockets.values()].filter(({ id }) => id === slow.client.id);
      let most = 0;
      const target = io.to('prices');
      const n = await emitUntil(
        () => io.slowReaderCounts.cut > 0 || fast.heard.length > 9_000,
        (symbol, value) => {
          target.latest('price', symbol).emit(symbol, value, filler);
          most = Math.max(most, slowSocket?.conn?.bufferedBytes ?? 0);
        },
      );
      cable.flow();
      await expect.poll(() => newest(slow.heard)).toEqual(last(n));
      await expect.poll(() => fast.heard.length).toBe(n + 1);
      expect(symbols.every((symbol) => grows(slow.heard, symbol))).toBe(true);
      expect(slow.heard.length).toBeLessThan(n);
      const { cut, replaced } = io.slowReaderCounts;
      expect([cut, replaced]).toEqual([0, n + 1 - slow.heard.length]);
      expect(most).toBeLessThan(512 * 1_024);
      expect([...slow.told, ...fast.told]).toEqual(['new', 'new']);
      // It is live again.
      target.latest('price', 'BTC').emit('BTC', n + 1);
      await expect.poll(() => slow.heard.at(-1)).toEqual(['BTC', n + 1]);
    },
  );

  test('who was away gets the newest of each key, though the log has long dropped the others', async () => {
    const io = await start({ logPacketsMax: 10 });
    const { cable, heard, told } = await away(io, cleanUp);
    for (let n = 0; n < 100; n++)
      io.to('prices')
        .latest('price', symbols[n % 3])
        .emit(symbols[n % 3] as string, n);
    cable.mend();
    await expect.poll(() => told).toEqual(['new', true]);
    await expect
      .poll(() => heard)
      .toEqual([
        ['ETH', 97],
        ['SOL', 98],
        ['BTC', 99],
      ]);
  });

  test.each([
    ['of it all', 1, 98],
    ['of what came before it left', 30, 98],
    ['of nothing that was for it', 3, 4],
  ])(
    'who has left the room while it was away is told, should the log have dropped the newest for it: %s',
    async (what, before, after) => {
      const io = await start({ logPacketsMax: 10 });
      const { cable, heard, told } = await away(io, cleanUp);
      const stays = reader(`http://127.0.0.1:${io.port}`, 'websocket', cleanUp);
      await expect.poll(() => stays.told).toEqual(['new']);
      const say = (n: number) => io.to('prices').latest('price').emit('BTC', n);
      for (let n = 1; n <= before; n++) say(n);
      await [...io.sockets.values()][0]?.leave('prices');
      for (let n = 1; n <= after; n++) say(before + n);
      cable.mend();
      const isTold = what.endsWith('for it');
      await expect.poll(() => told).toEqual(['new', isTold ? true : 'log-trimmed']);
      if (isTold) await expect.poll(() => newest(heard)).toEqual({ BTC: before });
    },
  );

  test('two events have two keys, whatever they are called', async () => {
    const io = await start();
    const { cable, heard } = await away(io, cleanUp);
    io.to('prices').latest('price\0a', 'b').emit('BTC', 1);
    io.to('prices').latest('price', 'a\0b').emit('BTC', 2);
    const before = io.slowReaderCounts.replaced;
    cable.mend();
    await expect.poll(() => heard).toEqual([['BTC', 2]]);
    expect(io.slowReaderCounts.replaced).toBe(before);
  });

  test('what is for several rooms, or not for all, takes nothing away', async () => {
    const io = await start();
    const { cable, heard } = await away(io, cleanUp);
    for (const target of [io.to('prices', 'others'), io.to('prices').except('nobody'), io.to([...io.sockets.keys()])]) {
      for (const n of [1, 2]) target.latest('price').emit('BTC', n);
    }
    // Of another event, or another key.
    io.latest('price').emit('BTC', 1);
    io.latest('price', 'other').emit('BTC', 2);
    io.latest('other').emit('BTC', 3);
    cable.mend();
    await expect.poll(() => heard.map(([, n]) => n)).toEqual([1, 2, 1, 2, 1, 2, 1, 2]);
  });

  test('a namespace may say latest of all its events', async () => {
    const io = await start({}, 'latest');
    const { cable, heard } = await away(io, cleanUp);
    for (const n of [1, 2, 3]) io.emit('price', 'BTC', n);
    cable.mend();
    await expect.poll(() => heard).toEqual([['BTC', 3]]);
  });

  test.each([
    ...(['websocket', 'sse', 'polling'] as const).flatMap(
      (transport) =>
        [
          ['catch-up', [true], false, transport],
          ['cut', ['unknown-session'], false, transport],
        ] as const,
    ),
    // Else it would be held back for that, and all of the rest would come late.
    ['cut', ['unknown-session'], true, 'websocket'],
  ] as const)(
    '%s: a reader past the limit is cut, and then %j; with something of latest: %s; by %s',
    {
      timeout: 120_000,
    },
    async (mode, after, hasLatest, transport) => {
      const io = await start({ backpressureBytesMax: 131_072, logBytesMax: 256 << 20, logPacketsMax: 200_000 }, mode);
      const ended: number[] = [];
      io.on('connection', (socket) => void socket.on('disconnect', ({ code }) => void ended.push(code)));
      const cable = await Cable.open(io.port);
      cleanUp.push(() => cable.close());
      const { heard, told } = reader(cable.url, transport, cleanUp);
      await expect.poll(() => told).toEqual(['new']);
      cable.stall('down');
      const n = await emitUntil(
        () => io.slowReaderCounts.cut > 0,
        (symbol, value) => {
          if (hasLatest) io.to('prices').latest('tick').emit('tick', symbol, value);
          io.to('prices').emit('price', symbol, value, filler);
        },
      );
      cable.flow();
      cable.cut();
      await expect.poll(() => told).toEqual(['new', ...after]);
      if (mode === 'catch-up') {
        await expect.poll(() => heard.length).toBe(n + 1);
        expect(heard.map(([, value]) => value)).toEqual(Array.from({ length: n + 1 }, (_, i) => i));
      }
      expect(ended).toEqual(mode === 'cut' ? [4413] : []);
      expect(io.slowReaderCounts).toMatchObject({ cut: 1, replaced: 0 });
    },
  );
});

describe.each(places)('on servers that share a store, on %s', (_name, host, useStore) => {
  const newStore = useStore();
  const { cleanUp, serve } = served(host);
  const enter = (io: Server): void => void io.on('connection', (socket) => void socket.join('prices'));

  test('who comes to another one gets the newest of each key', async () => {
    const adapter: Adapter = newStore();
    const [a, b] = [await serve({ adapter }, enter), await serve({ adapter }, enter)];
    const { cable, heard, told } = await away(a, cleanUp);
    for (let n = 0; n < 30; n++) {
      const io = n % 2 ? a : b;
      await io.to('prices').emitDurable('other', n);
      io.to('prices')
        .latest('price', symbols[n % 3])
        .emit(symbols[n % 3] as string, n);
    }
    cable.targetPort = b.port;
    cable.mend();
    await expect.poll(() => told).toEqual(['new', true]);
    await expect.poll(() => newest(heard)).toEqual({ BTC: 27, ETH: 28, SOL: 29 });
    expect(heard.length).toBe(3);
  });

  const sayOf = (io: Server, n: number): void =>
    void io
      .to('prices')
      .latest('price', symbols[n % 3])
      .emit(symbols[n % 3] as string, n);

  /** Two servers whose logs keep ten messages of a room, and who was in it and is away. */
  async function awayOfTwo() {
    const adapter = newStore();
    const start = () => serve({ adapter, logPacketsMax: 10 }, enter);
    const [a, b] = [await start(), await start()];
    return { a, b, ...(await away(a, cleanUp)) };
  }

  test.each([
    ['nobody', Number.POSITIVE_INFINITY],
    ['somebody who came when the logs had dropped much', 60],
    ['somebody who came just before', 96],
    ['somebody all the time', 1],
  ])(
    'who comes to another one gets the newest of each key, though the logs have dropped the others, where there was %s',
    async (_who, comesAt) => {
      const { a, b, cable, heard, told } = await awayOfTwo();
      for (let n = 1; n <= 100; n++) {
        if (n === comesAt) {
          const other = reader(`http://127.0.0.1:${b.port}`, 'websocket', cleanUp);
          await expect.poll(() => other.told).toEqual(['new']);
        }
        sayOf(a, n);
        if (n % 10 === 5) await a.emitDurable('stored');
      }
      cable.targetPort = b.port;
      cable.mend();
      await expect.poll(() => told).toEqual(['new', true]);
      await expect.poll(() => newest(heard)).toEqual({ BTC: 99, ETH: 100, SOL: 98 });
      expect(heard.length).toBeLessThanOrEqual(10);
    },
  );

  test('what was no latest, and is dropped, is missed there', async () => {
    const { a, b, cable, told } = await awayOfTwo();
    a.to('prices').emit('other', 'once');
    for (let n = 0; n < 100; n++) sayOf(a, n);
    await a.emitDurable('stored');
    cable.targetPort = b.port;
    cable.mend();
    await expect.poll(() => told).toEqual(['new', 'log-trimmed']);
  });

  test.each([
    ['goes on with the newest of each key', false, false],
    ['tells who was there, if there was something else', true, false],
    ['tells who has left before that, for whom the newest were others', false, true],
  ])('a server that has not heard for long what was said %s', async (_what, hasOther, leaves) => {
    const shared = newStore();
    let unheard: number | undefined;
    let events: StoreEvents | undefined;
    const adapter: Adapter = (context) => {
      const store = shared(context) as Store;
      const open = store.open.bind(store);
      store.open = (node, all) => {
        events = all;
        const onEntry: StoreEvents['onEntry'] = (...what) => {
          if (unheard === undefined) all.onEntry(...what);
          else unheard++;
        };
        return open(node, { ...all, onEntry });
      };
      const read = store.read.bind(store);
      store.read = async (...what) => {
        if (unheard !== undefined) throw new Error('away');
        return read(...what);
      };
      return store;
    };
    const a = await serve({ adapter: shared, logPacketsMax: 10 }, enter);
    const b = await serve({ adapter, logPacketsMax: 10 }, enter);
    const { heard, told } = reader(`http://127.0.0.1:${b.port}`, 'websocket', cleanUp);
    await expect.poll(() => told).toEqual(['new']);
    sayOf(a, 0);
    await expect.poll(() => newest(heard)).toEqual({ BTC: 0 });
    unheard = 0;
    if (hasOther) a.to('prices').emit('other', 'once');
    for (let n = 1; n <= 50; n++) sayOf(a, n);
    await a.to('nobody').emitDurable('stored');
    if (leaves) for (const socket of b.sockets.values()) socket.leave('prices');
    await b.to('nobody else').emitDurable('stored');
    for (let n = 51; n <= 100; n++) sayOf(a, n);
    await expect.poll(() => unheard).toBe(hasOther ? 101 : 100);
    unheard = undefined;
    events?.onMissed();
    if (hasOther || leaves) {
      await expect.poll(() => told).toEqual(['new', 'log-trimmed']);
      return;
    }
    await expect.poll(() => newest(heard)).toEqual({ BTC: 99, ETH: 100, SOL: 98 });
    sayOf(a, 101);
    await expect.poll(() => newest(heard)).toEqual({ BTC: 99, ETH: 100, SOL: 101 });
    expect([told, heard.length]).toEqual([['new'], 12]);
  });
});

describe.each(hosts)('a reader of many rooms, each of which is told little, on %s', (_name, host) => {
  const { cleanUp, serve } = served(host);

  test('is held to the limit of what waits for it', async () => {
    const rooms = Array.from({ length: 900 }, (_, i) => `room ${i}`);
    const io = await serve({ backpressureBytesMax: 131_072 }, (io) => {
      io.on('connection', (socket) => void socket.join(rooms));
    });
    const cable = await Cable.open(io.port);
    cleanUp.push(() => cable.close());
    const { told } = reader(cable.url, 'websocket', cleanUp);
    await expect.poll(() => told).toEqual(['new']);
    const [socket] = [...io.sockets.values()];
    cable.stall('down');
    let most = 0;
    for (let n = 0; io.slowReaderCounts.cut === 0; n++) {
      if (n === 20_000) throw new Error(`not cut, and ${most} bytes wait`);
      io.to(rooms[n % rooms.length] as string).emit('price', 'BTC', n, filler);
      most = Math.max(most, socket?.conn?.bufferedBytes ?? 0);
      if (n % 16 === 0) await turn();
    }
    // And what may be said to all rooms before somebody looks.
    expect(most).toBeLessThan(131_072 + 65_536 + 262_144 + 16 * 2_100);
  });
});

test.each([
  [
    'latest',
    (io: Server) => io.latest('price', 7 as never),
    'The key of latest is a text of 0 to 256 characters, not 7',
  ],
  ['latest', (io: Server) => io.latest('price', 'x'.repeat(257)), 'not a text of 257'],
  ['latest', (io: Server) => io.latest('price', Symbol('BTC') as never), 'not Symbol(BTC)'],
  ['slowReaders', (io: Server) => io.slowReaders(Object.create(null)), 'not [Object: null prototype] {}'],
  ['slowReaders', (io: Server) => io.slowReaders('wait' as never), 'takes "catch-up", "latest" or "cut", not "wait"'],
])('%s refuses what it cannot be', (_name, call, words) => {
  expect(() => call(new Server())).toThrow(expect.objectContaining({ code: 'ERR_OPTION' }));
  expect(() => call(new Server())).toThrow(words);
});
