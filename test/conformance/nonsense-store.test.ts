// A store that answers what cannot be: no gap and no double comes of it in silence. What cannot be mended ends sessions with a reason.
// Longer than other files: it is a list of what a store may answer.
import { type Adapter, memory, type Server, type Store, type StoreEvents } from '@halyard/server';
import { describe, expect, test } from 'vitest';
import { hosts } from '../kit/hosts';
import { served } from '../kit/served';
import type { WireClient } from '../kit/wire';

describe.each(hosts)('on %s', (_name, host) => {
  const { open, serve } = served(host);

  /** Servers on one store, each of which may be lied to. */
  async function servers(lie: (store: Store, number: number) => void) {
    const shared = memory({ shared: true });
    const told: StoreEvents[] = [];
    const reported: string[] = [];
    let count = 0;
    const adapter: Adapter = (context) => {
      const store = shared(context) as Store;
      const start = store.open.bind(store);
      store.open = (node, events) => {
        told.push(events);
        return start(node, events);
      };
      lie(store, ++count);
      return store;
    };
    const start = (): Promise<Server> =>
      serve({ adapter }, (io) => {
        io.on('error', (error) => reported.push(String(error)));
        io.on('connection', (socket) => socket.on('event', () => 'answer'));
      });
    return { a: await start(), b: await start(), told, reported };
  }

  async function greeted(io: Server) {
    const wire = await open(io);
    wire.send([0, [['/']], 'by hand', null, '', 1]);
    const [, session, secret] = await wire.packet(1);
    const [, , id] = (await wire.packet(11)) as [number, string, string];
    return { wire, id, key: [session, secret] as const };
  }

  const closed = async (wire: WireClient) => {
    const { code, reason } = await wire.until(({ closed: close }) => close);
    return [code, reason];
  };
  const entry = {
    node: 'elsewhere',
    after: [0, ''] as const,
    except: [],
    places: [],
    earlier: 0,
    bodies: ['[5,"/",[],"event",["forged"]]'],
  };

  test('an offset that is given again is a log that has lost something, and has had something that nobody here has: who was in its room is told', async () => {
    const { a, told, reported } = await servers(() => {});
    const { wire } = await greeted(a);
    const emitted = async (text: string) => {
      a.emit('event', text);
      const packet = await wire.packet(5, ([, , , , args]) => (args as string[])[0] === text);
      return (packet as [number, string, [string, number]])[2];
    };
    const [log] = await emitted('first');
    const [events] = told as [StoreEvents];
    await emitted('second');
    // What only comes again changes nothing.
    events.onEntry('0:/', log, { ...entry, offset: 2, stamp: 1, node: 'elsewhere' });
    expect(await closed(wire)).toEqual([4410, 'log-trimmed']);
    expect(wire.events).toEqual(['event first', 'event second']);
    expect(reported.join()).toContain('what was stored is lost');
  });

  test('an entry of another epoch is nobody’s, and a log that has another one and lacks something ends who was in its room', async () => {
    let isAnother = false;
    const { a, told, reported } = await servers((store) => {
      const read = store.read.bind(store);
      const tops = store.tops.bind(store);
      store.read = async (...what) => {
        const page = await read(...what);
        return isAnother ? { epoch: 'another', first: 1, top: 0, missed: 0, entries: [] } : page;
      };
      store.tops = async (logs) =>
        isAnother ? logs.map(() => ({ epoch: 'another', top: 0, newest: [0, ''] })) : tops(logs);
    });
    const { wire } = await greeted(a);
    a.emit('event', 'first');
    const [, , [log]] = (await wire.packet(5)) as [number, string, [string]];
    const [events] = told as [StoreEvents];
    events.onEntry('0:/', 'another', { ...entry, offset: 2, stamp: 9 });
    await wire.settle();
    expect(wire.events).toEqual(['event first']);
    // It is known that there was more.
    events.onEntry('0:/', log, { ...entry, offset: 3, stamp: 9 });
    isAnother = true;
    events.onMissed();
    expect(await closed(wire)).toEqual([4410, 'log-trimmed']);
    expect(reported.join()).toContain('what was stored is lost');
  });

  test('who has left a room and goes to another server is told there that its log has lost something', async () => {
    let isAnother = false;
    const { a, b, told } = await servers((store) => {
      const read = store.read.bind(store);
      const tops = store.tops.bind(store);
      store.read = async (log, ...what) => {
        const page = await read(log, ...what);
        return isAnother && log === '1:r/' ? { epoch: 'another', first: 1, top: 0, missed: 0, entries: [] } : page;
      };
      store.tops = async (logs) =>
        Promise.all(
          logs.map(async (log) =>
            isAnother && log === '1:r/'
              ? { epoch: 'another', top: 0, newest: [0, ''] as const }
              : ((await tops([log]))[0] as Awaited<ReturnType<typeof tops>>[number]),
          ),
        );
    });
    const { wire, id, key } = await greeted(a);
    await a.to(id).socketsJoin('r');
    a.to('r').emit('event', 'first');
    const [, , [log]] = (await wire.packet(5)) as [number, string, [string]];
    await a.to(id).socketsLeave('r');
    await a.sockets.get(id)?.save();
    wire.cut();
    const there = await open(b);
    there.send([0, [], 'by hand', [...key, 1, 0, [log, 1]], '', 2]);
    expect(await there.packet(1)).toContain(key[0]);
    isAnother = true;
    told[1]?.onEntry('1:r/', log, { ...entry, offset: 3, stamp: 9 });
    told[1]?.onMissed();
    expect(await closed(there)).toEqual([4410, 'log-trimmed']);
  });

  test('who has left a room is told what the store had lost of its log by then, though all of that is here', async () => {
    const { a, told } = await servers(() => {});
    const left = async () => {
      const { wire, id } = await greeted(a);
      await a.to(id).socketsJoin('r');
      a.to('r').emit('event', 'first');
      const [, , [log, offset]] = (await wire.packet(5)) as [number, string, [string, number]];
      await a.to(id).socketsLeave('r');
      await a.sockets.get(id)?.save();
      return { wire, log, offset };
    };
    const one = await left();
    // Emitted later: it was not for who had left.
    const later = (Date.now() + 60_000) * 1_024;
    told[0]?.onEntry('1:r/', one.log, { ...entry, offset: one.offset + 1, stamp: later });
    told[0]?.onRenewed('1:r/', 'another');
    await one.wire.settle();
    expect(one.wire.closed).toBeUndefined();
    const other = await left();
    // Emitted before, and heard only now: the store has not had it as it was asked for the end.
    told[0]?.onEntry('1:r/', other.log, { ...entry, offset: other.offset + 1, stamp: 9 });
    told[0]?.onRenewed('1:r/', 'still another');
    expect(await closed(other.wire)).toEqual([4410, 'log-trimmed']);
  });

  describe('a message to two rooms, of which the log of the first has another epoch, comes once to who is in both', () => {
    /** What the first server is told of the first room, and what it asks others, waits for `goOn`. */
    async function halted(what: 'told' | 'asked') {
      const stores: Store[] = [];
      let isHalted = false;
      const waiting: (() => void)[] = [];
      const inTime = (run: () => void): void => {
        if (isHalted) waiting.push(run);
        else run();
      };
      const { a, b } = await servers((store, number) => {
        stores.push(store);
        if (number > 1) return;
        const start = store.open.bind(store);
        const send = store.send.bind(store);
        store.send = async (...message) => {
          if (what === 'asked') await new Promise<void>(inTime);
          return send(...message);
        };
        store.open = (node, events) => {
          const isOurs = (log: string): boolean => what === 'told' && log === '1:r/';
          return start(node, {
            ...events,
            onEntry: (log, ...its) =>
              isOurs(log) ? inTime(() => events.onEntry(log, ...its)) : events.onEntry(log, ...its),
            onRenewed: (log, epoch) =>
              isOurs(log) ? inTime(() => events.onRenewed(log, epoch)) : events.onRenewed(log, epoch),
          });
        };
      });
      const { wire, id } = await greeted(a);
      await a.to(id).socketsJoin(['r', 's']);
      b.to('r').emit('event', 'first');
      const [, , [log]] = (await wire.packet(5)) as [number, string, [string]];
      isHalted = true;
      await stores[1]?.renew('1:r/', log);
      await b.to('r').to('s').emitDurable('event', 'both');
      const goOn = (): void => {
        isHalted = false;
        for (const run of waiting.splice(0)) run();
      };
      return { wire, goOn };
    }

    test('by the first, as long as it is not known who goes on', async () => {
      const { wire, goOn } = await halted('asked');
      await wire.settle();
      expect(wire.events).toEqual(['event first']);
      goOn();
      await wire.packet(5, ([, , , , args]) => (args as string[])[0] === 'both');
      await wire.settle();
      expect(wire.events).toEqual(['event first', 'event both']);
      expect(wire.closed).toBeUndefined();
    });

    test('by the second, as long as that is not told, and it is ended then', async () => {
      const { wire, goOn } = await halted('told');
      await wire.packet(5, ([, , , , args]) => (args as string[])[0] === 'both');
      goOn();
      expect(await closed(wire)).toEqual([4410, 'log-trimmed']);
      expect(wire.events).toEqual(['event first', 'event both']);
    });
  });

  test('a gap that the store cannot fill ends who waits for it', async () => {
    const { a, told, reported } = await servers((store) => {
      const read = store.read.bind(store);
      store.read = async (...what) => {
        const page = await read(...what);
        return { ...page, first: 8, top: 9, missed: 7, entries: [] };
      };
    });
    const { wire } = await greeted(a);
    a.emit('event', 'first');
    const [, , [log]] = (await wire.packet(5)) as [number, string, [string]];
    told[0]?.onEntry('0:/', log, { ...entry, offset: 9, stamp: 9 });
    expect(await closed(wire)).toEqual([4410, 'log-trimmed']);
    expect(reported.join()).toContain('entries are gone that were not read');
  });

  test('a claim that is granted and not done gives nobody the session', async () => {
    const { a, b } = await servers((store, number) => {
      if (number === 2) store.claim = () => true;
    });
    const { wire, key } = await greeted(a);
    wire.cut();
    const there = await open(b);
    there.send([0, [], 'by hand', [...key, 1, 0], '', 2]);
    expect((await closed(there))[0]).toBe(1013);
    expect(b.sockets.size).toBe(0);
  });

  test('a commit that is answered for another one is asked for again, and done once', async () => {
    let lies = 0;
    const { a } = await servers((store) => {
      const commit = store.commit.bind(store);
      store.commit = (...what) => {
        const result = commit(...what);
        const isEntry = what[1].steps.some((step) => 'log' in step);
        if (!isEntry || lies > 1) return result;
        return ++lies === 1
          ? { positions: [], repeated: [], fenced: [], missing: [], mailed: [] }
          : {
              positions: what[1].steps.map(() => ['x', 1] as const),
              repeated: [],
              fenced: [['nobody', 1]],
              missing: [],
              mailed: [],
            };
      };
    });
    const { wire } = await greeted(a);
    a.emit('event', 'once');
    await wire.packet(5);
    a.emit('event', 'then');
    await wire.packet(5, ([, , , , args]) => (args as string[])[0] === 'then');
    expect([lies, wire.events]).toEqual([2, ['event once', 'event then']]);
  });

  test('a commit that throws, or answers with nothing, is made again', async () => {
    let failures = 0;
    const { a } = await servers((store) => {
      const commit = store.commit.bind(store);
      store.commit = (...what) => {
        const isEntry = what[1].steps.some((step) => 'log' in step);
        if (!isEntry || failures > 1) return commit(...what);
        if (++failures === 1) throw new Error('the store is away');
        return undefined as never;
      };
    });
    const { wire } = await greeted(a);
    a.emit('event', 'once');
    await wire.packet(5);
    a.emit('event', 'then');
    await wire.packet(5, ([, , , , args]) => (args as string[])[0] === 'then');
    expect([failures, wire.events]).toEqual([2, ['event once', 'event then']]);
  });

  test('a store that says it has lost what it has, or what there cannot be, loses and doubles nothing', async () => {
    const lies = [{ last: -1 }, { last: 'x' }, { last: 1.5 }, { last: 99 }, { last: 0 }];
    let count = 0;
    const { a, b } = await servers((store, number) => {
      const commit = store.commit.bind(store);
      store.commit = (...what) => {
        const isEntry = what[1].steps.some((step) => 'log' in step);
        return number === 1 && isEntry && count < lies.length ? (lies[count++] as never) : commit(...what);
      };
    });
    const [one, two] = [await greeted(a), await greeted(b)];
    for (const text of ['first', 'second', 'third']) {
      a.emit('event', text);
      for (const { wire } of [one, two]) {
        await wire.packet(5, ([, , , , args]) => (args as string[])[0] === text);
      }
    }
    b.to(one.id).emit('event', 'letter');
    await one.wire.until(({ events }) => events.length === 4);
    expect([one.wire.events, two.wire.events, count]).toEqual([
      ['event first', 'event second', 'event third', 'event letter'],
      ['event first', 'event second', 'event third'],
      lies.length,
    ]);
  });

  test('what is no entry, or none that can be read, ends nobody elsewhere and no server', async () => {
    const { a, told, reported } = await servers(() => {});
    const { wire } = await greeted(a);
    const [events] = told as [StoreEvents];
    a.emit('event', 'first');
    const [, , [log]] = (await wire.packet(5)) as [number, string, [string]];
    for (const bad of [
      { offset: -1, stamp: 1 },
      { offset: 2, stamp: 'x' },
      { offset: 2, stamp: 1, bodies: 'x' },
    ]) {
      events.onEntry('0:/', log, { ...entry, ...bad } as never);
    }
    events.onEntry('0:/', log, null as never);
    events.onEntry('0:/', log, undefined as never);
    a.emit('event', 'second');
    await wire.packet(5, ([, , , , args]) => (args as string[])[0] === 'second');
    expect(wire.events).toEqual(['event first', 'event second']);
    expect(reported).toHaveLength(5);
  });

  describe('letters', () => {
    const body = '[3,1,["socket","/","event",["forged"],[],[]]]';

    test('that are none, or cannot be read, are reported, and nobody gets them', async () => {
      const { a, b, told, reported } = await servers(() => {});
      const { wire, key, id } = await greeted(a);
      for (const bad of [
        null,
        undefined,
        7,
        { number: 1 },
        { number: 1, node: 'x', stamp: 'x', body },
        { number: 1, node: 'x', stamp: 1 },
        { number: 1, stamp: 1, body },
      ]) {
        told[0]?.onLetter(key[0] as string, bad as never);
      }
      expect(reported.splice(0)).toHaveLength(7);
      for (const [i, bad] of [
        '{',
        '[3,1,7]',
        body.replace('"event"', '"disconnect"').replace('socket', id),
      ].entries()) {
        told[0]?.onLetter(key[0] as string, { number: i + 1, node: 'x', stamp: i, body: bad });
      }
      told[0]?.onLetter('nobody', { number: 1, node: 'x', stamp: 1, body });
      expect(reported.splice(0)).toHaveLength(3);
      await wire.settle();
      b.to(id).emit('event', 'real');
      await wire.until(({ events }) => events.length > 0);
      expect(wire.events).toEqual(['event real']);
    });

    test('that come twice are taken once', async () => {
      const { a, b, told } = await servers(() => {});
      const { wire, key, id } = await greeted(a);
      b.to(id).emit('event', 'once');
      await wire.until(({ events }) => events.length > 0);
      told[0]?.onLetter(key[0] as string, { number: 1, node: 'x', stamp: 1, body: body.replace('socket', id) });
      b.to(id).emit('event', 'then');
      await wire.until(({ events }) => events.length > 1);
      expect(wire.events).toEqual(['event once', 'event then']);
    });

    test('that are not there any more end their session with a reason', async () => {
      const { a, b, told } = await servers((store) => {
        store.letters = () => [{ number: 3, node: 'x', stamp: 3, body }];
      });
      const { wire, key, id } = await greeted(a);
      told[0]?.onLetter(key[0] as string, { number: 1, node: 'x', stamp: 1, body });
      told[0]?.onLetter(key[0] as string, { number: 3, node: 'x', stamp: 3, body });
      expect(await closed(wire)).toEqual([4410, 'log-trimmed']);
      expect([wire.events, b.sockets.size]).toEqual([[], 0]);
      expect(id).not.toBe('');
    });
  });
});
