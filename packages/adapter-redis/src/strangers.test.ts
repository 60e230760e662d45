// What others say or keep in the same Redis: it harms nobody, and is counted where it is no use.
import type { CommitResult, RecordWrite, Step, StoredSession } from '@halyard/server';
import { Redis } from 'ioredis';
import { describe, expect, test } from 'vitest';
import { hasRedis } from '../../../test/kit/redis-server';
import { untilHolds } from '../../../test/kit/until';
import { nodesOf } from './testing/nodes';

describe.skipIf(!hasRedis)('in one Redis', () => {
  const nodes = nodesOf();

  test('those with another prefix know nothing of each other', async () => {
    const { url } = await nodes.start();
    const a = await nodes.open({ url, prefix: 'one' }, 'a');
    const b = await nodes.open({ url, prefix: 'other' }, 'b');
    const c = await nodes.open({ url: `${url}/1`, prefix: 'one' }, 'c');
    for (const { store } of [a, b, c]) {
      await store.follow('room');
      store.listen('channel');
      await store.roundTrip();
    }
    await b.append('room', 'x');
    await c.append('room', 'y');
    b.store.publish('channel', [Buffer.from('x')]);
    c.store.publish('channel', [Buffer.from('y')]);
    for (const { store } of [b, c, a, a]) await store.roundTrip();
    expect(a.heard).toEqual(['up']);
    expect(await a.store.nodes()).toEqual(['a']);
    await expect(a.store.send('b', 'hello')).rejects.toMatchObject({ code: 'ERR_NODE_UNKNOWN' });
  });

  test('where messages to many rooms were is gone: so are they, and none is taken for one that is for nobody', async () => {
    const { url } = await nodes.start();
    const { store, commit } = await nodes.open({ url }, 'a');
    const admin = new Redis(url);
    nodes.cleanUp.push(() => admin.disconnect());
    const places = Array.from({ length: 19 }, (_, i) => i);
    const steps = Array.from({ length: 20 }, (_, earlier): Step => {
      return { log: `room ${earlier}`, stamp: 5, except: [], places, earlier, bodies: ['text'] };
    });
    await commit(0, { steps, records: [] });
    const read = async () => {
      const { first, entries } = await store.read('room 19', 0, 10);
      return [first, ...entries.map(({ bodies: [body] }) => `${body}`)];
    };
    expect(await read()).toEqual([1, 'text']);
    await admin.del(await admin.keys('*:spread:*'));
    expect(await read()).toEqual([2]);
    expect(await read()).toEqual([2]);
  });

  test.each([
    ['maxmemory', '1', '0', /OOM/, 'ERR_REDIS_MEMORY'],
    ['min-replicas-to-write', '1', '0', /NOREPLICAS/, 'ERR_REDIS_REPLICAS'],
  ])('that it refuses to store by its %s is told once it does', async (option, value, mended, refusal, code) => {
    const { url } = await nodes.start();
    const { heard, append } = await nodes.open({ url }, 'a');
    const admin = new Redis(url);
    nodes.cleanUp.push(() => admin.disconnect());
    await append('room', 'one');
    expect(heard).toEqual(['up']);
    await admin.config('SET', option, value);
    await expect(append('room', 'two')).rejects.toThrow(refusal);
    expect(heard).toEqual(['up', `warning ${code}`]);
    await admin.config('SET', option, mended);
    await append('room', 'two');
  });

  test.each(['resetchannels', '-spublish'])(
    'what its user may not say any more (%s) is stored all the same, whole and once',
    async (rule) => {
      const { url } = await nodes.start();
      const { store, heard, commit } = await nodes.open({ url }, 'a');
      const admin = new Redis(url);
      nodes.cleanUp.push(() => admin.disconnect());
      const session: RecordWrite = {
        ...{ session: 's', nonce: 'n', generation: 1, mail: { number: 0, node: '', stamp: 0 }, isWhole: true },
        ...{ parts: new Map([['identity', 'x']]), positions: new Map(), keptMs: 60_000 },
      };
      await commit(0, { steps: [], records: [session] });
      const both = (text: string) => {
        const entry: Step = { log: 'room', stamp: 1, except: [], places: [], earlier: 0, bodies: [text] };
        return commit(0, { steps: [entry, { to: 's', stamp: 1, body: text }], records: [] });
      };
      await both('one');
      await admin.call('ACL', 'SETUSER', 'default', rule);
      await expect(both('two')).rejects.toThrow(/NOPERM|executing the script can't/);
      expect(heard).toContain('warning ERR_REDIS_PERMISSION');
      await admin.call('ACL', 'SETUSER', 'default', '&*', '+spublish');
      await both('two');
      await both('three');
      expect((await store.letters('s', 0, 10)).map(({ body }) => body)).toEqual(['one', 'two', 'three']);
      const { entries } = await store.read('room', 0, 10);
      expect(entries.map(({ bodies }) => bodies)).toEqual([['one'], ['two'], ['three']]);
      expect(store.malformed).toBe(0);
    },
  );

  test('what no server has said is counted, and nothing else happens', async () => {
    const { url } = await nodes.start();
    const { store, heard, append } = await nodes.open({ url }, 'a');
    const stranger = new Redis(url);
    nodes.cleanUp.push(() => stranger.disconnect());
    await store.follow('room');
    store.listen('channel');
    await store.roundTrip();
    const bad = [
      '',
      'x',
      '5:entry',
      '99999999999:x',
      '3:ask1:a',
      '7:renewed',
      '5:entry1:e1:x1:11:n1:00:1:01:0',
      '6:joined',
    ];
    const worst = Buffer.from([0xff, 0x00, 0x3a, 0x80]);
    for (const channel of ['log:room', 'say:channel', 'to:a', 'nodes']) {
      for (const message of [...bad, worst, '1:a9999999:']) await stranger.spublish(`halyard:{0}:${channel}`, message);
    }
    await store.roundTrip();
    expect(store.malformed).toBe(40);
    await append('room', 'good');
    await untilHolds(() =>
      expect([...new Set(heard)]).toEqual(['up', 'warning ERR_REDIS_MALFORMED', 'entry room 1 good']),
    );
    expect(heard.filter((line) => line.startsWith('warning'))).toHaveLength(40);
  });

  test('keys of somebody else are replaced or left alone, and entries that cannot be read are nobody’s', async () => {
    const { url } = await nodes.start();
    const { store, append } = await nodes.open({ url }, 'a');
    const stranger = new Redis(url);
    nodes.cleanUp.push(() => stranger.disconnect());
    const base = 'halyard:{0}';
    await stranger.set(`${base}:log:text`, 'x');
    await stranger.set(`${base}:entries:text`, 'x');
    await stranger.hset(`${base}:log:half`, 'epoch', 'e', 'top', 'many');
    await append('text', 'a');
    await append('half', 'a');
    expect(await store.read('text', 0, 9)).toMatchObject({ first: 1, top: 1, entries: [{ bodies: ['a'] }] });
    expect(await store.read('half', 0, 9)).toMatchObject({ first: 1, top: 1 });
    // Under a log that is there.
    await stranger.set(`${base}:entries:text`, 'x');
    await append('text', 'b');
    expect(await store.read('text', 1, 9)).toMatchObject({ first: 2, top: 2, entries: [{ bodies: ['b'] }] });
    await stranger.del(`${base}:entries:half`);
    expect(await store.read('half', 0, 9)).toMatchObject({ first: 2, top: 1, entries: [] });
    await stranger.del(`${base}:entries:text`);
    await stranger.xadd(`${base}:entries:text`, '2', 'junk', 'x');
    const before = store.malformed;
    expect((await store.read('text', 1, 9)).entries).toMatchObject([{ offset: 2, bodies: [] }]);
    expect(store.malformed).toBe(before + 1);
    for (const key of ['session', 'record', 'letters']) await stranger.set(`${base}:${key}:s`, 'x');
    expect(await store.session('s')).toBeUndefined();
    const record = {
      ...{ session: 's', nonce: 'n', generation: 1, positions: new Map(), isWhole: true, keptMs: 9_000 },
      ...{ mail: { number: 0, node: '', stamp: 0 }, parts: new Map([['a', 'b']]) },
    };
    await store.commit(0, { number: 4, branch: 0, steps: [], records: [record] });
    expect(await store.session('s')).toMatchObject({ nonce: 'n', record: new Map([['a', 'b']]) });
    // A part is nothing without the rest.
    await stranger.del(`${base}:record:s`);
    const some = { ...record, isWhole: false };
    expect(await store.commit(0, { number: 5, branch: 0, steps: [], records: [some] })).toMatchObject({
      missing: ['s'],
    });
  });

  describe('a key of another type is removed and counted, and all goes on', () => {
    const base = 'halyard:{0}';
    const keys = [
      ...['expiring', 'commits:a', 'nodes', 'beat', 'terms'],
      ...['key:in room k', 'log:room', 'entries:room', 'newest:room'],
    ];
    const parts = new Map([['part', 'x']]);
    const record = {
      ...{ session: 's', nonce: 'n', generation: 1, positions: new Map(), keptMs: 9_000, parts },
      mail: { number: 0, node: '', stamp: 0 },
    };
    const letter = { to: 's', stamp: 1, body: 'letter' };
    const entry = {
      ...{ log: 'room', key: 'k', stamp: 1, except: [], places: [], earlier: 0 },
      ...{ bodies: ['entry'], latest: 'l' },
    };

    /** A node that has made all that there is, and who makes keys something else. */
    async function made() {
      const { url } = await nodes.start();
      const node = await nodes.open({ url }, 'a');
      const stranger = new Redis(url);
      nodes.cleanUp.push(() => stranger.disconnect());
      await node.commit(0, { steps: [], records: [{ ...record, isWhole: true }] });
      await node.commit(0, { steps: [entry, letter], records: [] });
      const spoil = async (key: string): Promise<string> => {
        const kind = await stranger.type(`${base}:${key}`);
        expect([key, kind]).not.toEqual([key, 'none']);
        await stranger.del(`${base}:${key}`);
        if (kind === 'string') await stranger.rpush(`${base}:${key}`, 'x');
        else await stranger.set(`${base}:${key}`, 'x');
        return kind;
      };
      return { ...node, stranger, spoil };
    }

    test.each([...keys, 'session:s', 'record:s', 'letters:s'])('where commits come to it: %s', async (key) => {
      const { store, heard, commit, stranger, spoil } = await made();
      const kind = await spoil(key);
      const all = {
        steps: [entry, { ...entry, key: 'other' }, letter],
        records: [{ ...record, isWhole: key === 'session:s' }],
      };
      const result = (await commit(0, all)) as CommitResult;
      expect(result.missing).toEqual(key === 'record:s' ? ['s'] : []);
      if (key === 'record:s') await commit(0, { steps: [], records: [{ ...record, isWhole: true }] });
      // Whatever comes to the others.
      await store.follow('room');
      await store.read('room', 0, 9);
      store.unfollow('room');
      await store.nodes();
      const its = (await nodes.open({ url: `redis://127.0.0.1:${stranger.options.port}` }, 'b')).store;
      await untilHolds(async () => expect([key, await stranger.type(`${base}:${key}`)]).toEqual([key, kind]));
      await untilHolds(() => expect(store.malformed + its.malformed).toBe(1));
      if (store.malformed > 0) expect(heard).toContain('warning ERR_REDIS_MALFORMED');
      expect(await store.session('s')).toMatchObject({ nonce: 'n', record: parts });
      expect(await stranger.zscore(`${base}:expiring`, 's')).not.toBeNull();
    });

    test('where something else comes to it first', async () => {
      const { store, spoil } = await made();
      const counted: Record<string, number> = {};
      const count = async (key: string, ask: () => Promise<unknown>): Promise<unknown> => {
        await spoil(key);
        const before = store.malformed;
        const answer = await ask();
        counted[`${key} ${Object.keys(counted).length}`] = store.malformed - before;
        return answer;
      };
      expect(await count('commits:a', () => store.lastCommit(0))).toBe(0);
      expect(await count('nodes', () => store.nodes())).toEqual(['a']);
      expect(await count('letters:s', () => store.letters('s', 0, 9))).toEqual([]);
      expect(await count('entries:room', () => store.read('room', 0, 9))).toMatchObject({ first: 2, top: 1 });
      expect(await count('log:room', () => store.tops(['room']))).toMatchObject([{ top: 0 }]);
      expect(await count('record:s', () => store.session('s'))).toMatchObject({ record: new Map() });
      expect(await count('expiring', () => store.expired(9, 1_000))).toEqual([]);
      expect(await count('session:s', () => store.session('s'))).toBeUndefined();
      expect([...new Set(Object.values(counted))]).toEqual([1]);
      expect(await store.letters('s', 0, 9)).toEqual([]);
    });

    test('and a letter that no server has written is no letter', async () => {
      const { store, stranger } = await made();
      await stranger.xadd(`${base}:letters:s`, '7', 'junk', 'x');
      expect(await store.letters('s', 0, 9)).toMatchObject([{ number: 1, body: 'letter' }]);
      expect(store.malformed).toBe(1);
    });

    test('as someone leaves', async () => {
      const { store, stranger, spoil } = await made();
      await spoil('nodes');
      await store.close();
      expect(await stranger.exists(`${base}:nodes`)).toBe(0);
    });
  });

  test('bytes are what they were, in entries, letters, records and what nobody keeps', async () => {
    const { url } = await nodes.start();
    const { store } = await nodes.open({ url }, 'a');
    const all = Uint8Array.from({ length: 256 }, (_, i) => i);
    const text = 'tëxt\u0000\u2028 3:abc 🙂';
    const stamp = Number.MAX_SAFE_INTEGER;
    const name = `${text} room`;
    const record = {
      ...{ session: text, nonce: 'n', generation: 1, positions: new Map(), isWhole: true, keptMs: 9_000 },
      ...{
        mail: { number: 0, node: '', stamp: 0 },
        parts: new Map<string, string | Uint8Array>([
          ['bytes', all],
          [text, text],
        ]),
      },
    };
    await store.commit(0, { number: 1, branch: 0, steps: [], records: [record] });
    await store.commit(0, {
      ...{ number: 2, branch: 0, records: [] },
      steps: [
        {
          log: name,
          stamp,
          except: [text],
          places: [],
          earlier: 0,
          bodies: [text, undefined, all, new Uint8Array(), ''],
        },
        { to: text, stamp, body: all },
      ],
    });
    const plain = (value: unknown): unknown => (value instanceof Uint8Array ? [...value] : value);
    const [entry] = (await store.read(name, 0, 9)).entries;
    expect([entry?.stamp, entry?.except]).toEqual([stamp, [text]]);
    expect(entry?.bodies.map(plain)).toEqual([text, undefined, [...all], [], '']);
    expect((await store.tops([name]))[0]?.newest).toEqual([stamp, 'a']);
    const [letter] = await store.letters(text, 0, 9);
    expect([letter?.stamp, plain(letter?.body)]).toEqual([stamp, [...all]]);
    const stored = (await store.session(text)) as StoredSession;
    expect([plain(stored.record.get('bytes')), stored.record.get(text)]).toEqual([[...all], text]);
  });
});
