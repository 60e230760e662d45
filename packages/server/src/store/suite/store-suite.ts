// What every store keeps (store.ts): one suite over all engines. It is written for stores that several nodes share.
import { describe, expect, test } from 'vitest';
import type { Except } from '../../log/except';
import type { Follower, Frames, Log } from '../../log/log';
import type { Claim, Commit, CommitResult, NewEntry, RecordParts, RecordWrite, Store, StoreEvents } from '../store';

/** Opens further nodes on one store, and lets time pass for it. */
export interface StoreLab {
  node(): Store;
  elapse(ms: number): Promise<void>;
}

const bytes = (text: string): Frames => [Buffer.from(text)];

/** What a log's follower was told. */
class Listener implements Follower {
  readonly heard: [stamp: number, except: Except, text: string][] = [];

  onEntry(stamp: number, except: Except, frames: Frames): void {
    this.heard.push([stamp, except, Buffer.from(frames[0]!).toString()]);
  }
}

class Events implements StoreEvents {
  readonly heard: unknown[][] = [];

  async onMessage(from: string, message: unknown): Promise<never> {
    this.heard.push(['message', from, message]);
    if (message === 'fail') throw new Error('it fails');
    return `answer to ${message}` as never;
  }

  onVolatile(channel: string, frames: Frames): void {
    this.heard.push(['volatile', channel, Buffer.from(frames[0]!).toString()]);
  }

  onJoined(node: string): void {
    this.heard.push(['joined', node]);
  }

  onLeft(node: string): void {
    this.heard.push(['left', node]);
  }

  onExpired(session: string, record: RecordParts): void {
    this.heard.push(['expired', session, record.get('text')]);
  }

  onState(): void {}
}

export function storeSuite(name: string, open: () => StoreLab): void {
  describe(name, () => {
    async function setUp(nodes: number) {
      const lab = open();
      const stores: { store: Store; events: Events; commit(commit: Partial<Commit>): Promise<CommitResult> }[] = [];
      for (let i = 0; i < nodes; i++) {
        const store = lab.node();
        const events = new Events();
        await store.open(`node ${i}`, events);
        let number = 0;
        const commit = async (what: Partial<Commit>): Promise<CommitResult> => {
          return store.commit({ number: ++number, entries: [], records: [], ...what });
        };
        stores.push({ store, events, commit });
      }
      return { lab, stores, first: stores[0]!, second: stores[1]! };
    }

    const entry = (log: Log, stamp: number, text: string, except?: Except): NewEntry => ({
      log,
      stamp,
      except,
      frames: bytes(text),
    });
    const write = (session: string, text: string | undefined, claim?: Claim, keptMs = 10_000): RecordWrite => ({
      session,
      nonce: claim?.nonce ?? '',
      parts: text === undefined ? undefined : new Map([['text', text]]),
      isWhole: true,
      keptMs,
    });
    /** Takes a session that is there. */
    const claimed = async ({ store }: { store: Store }, session: string, expected = (_: RecordParts) => true) =>
      (await store.claim(session, expected)) as Claim;
    const textOf = (record: RecordParts | undefined) => record?.get('text');
    const allDone = { fenced: [], missing: [] };

    describe('logs', () => {
      test('every follower hears every entry once, in the order of the commits', async () => {
        const { first, second } = await setUp(2);
        const [here, there] = [new Listener(), new Listener()];
        const log = await first.store.follow('room', here);
        const same = await second.store.follow('room', there);
        await first.commit({ entries: [entry(log, 1, 'a'), entry(log, 2, 'b', 'someone')] });
        await second.commit({ entries: [entry(same, 3, 'c')] });
        for (const { heard } of [here, there]) {
          expect(heard).toEqual([
            [1, undefined, 'a'],
            [2, 'someone', 'b'],
            [3, undefined, 'c'],
          ]);
        }
        expect([log.id, log.lastOffset]).toEqual([same.id, same.lastOffset]);
      });

      test('the log of another room is another one', async () => {
        const { first } = await setUp(1);
        const listener = new Listener();
        const one = await first.store.follow('one', listener);
        const other = await first.store.follow('other', new Listener());
        await first.commit({ entries: [entry(other, 1, 'x')] });
        expect(one.id).not.toBe(other.id);
        expect(listener.heard).toEqual([]);
      });

      test('who follows no longer hears nothing, and who follows again goes on where the log is', async () => {
        const { first, second } = await setUp(2);
        const listener = new Listener();
        const log = await first.store.follow('room', listener);
        const kept = await second.store.follow('room', new Listener());
        await first.commit({ entries: [entry(log, 1, 'a')] });
        first.store.unfollow(log);
        await second.commit({ entries: [entry(kept, 2, 'b')] });
        const again = await first.store.follow('room', listener);
        expect([again.id, again.lastOffset]).toEqual([log.id, 2]);
        expect(listener.heard.map(([, , text]) => text)).toEqual(['a']);
      });

      test('a log outlives its followers until its entries have expired, and then has another id', async () => {
        const { lab, first } = await setUp(1);
        const log = await first.store.follow('room', new Listener());
        await first.commit({ entries: [entry(log, 1, 'a')] });
        first.store.unfollow(log);
        await lab.elapse(500);
        const again = await first.store.follow('room', new Listener());
        expect([again.id, again.lastOffset]).toEqual([log.id, 1]);
        first.store.unfollow(again);
        // As long as there may be somebody who was in its room, counted from when it was left last.
        await lab.elapse(9_000);
        first.store.unfollow(await first.store.follow('room', new Listener()));
        await lab.elapse(5_000);
        const still = await first.store.follow('room', new Listener());
        expect(still.id).toBe(log.id);
        first.store.unfollow(still);
        await lab.elapse(60_000);
        const later = await first.store.follow('room', new Listener());
        expect(later.id).not.toBe(log.id);
        expect(later.lastOffset).toBe(0);
      });
    });

    test('a commit that comes again has the same result, and changes nothing', async () => {
      const { first } = await setUp(1);
      const listener = new Listener();
      const log = await first.store.follow('room', listener);
      const commit: Commit = { number: 1, entries: [entry(log, 1, 'a')], records: [write('s', 'record')] };
      const results = [await first.store.commit(commit), await first.store.commit(commit)];
      expect(results).toEqual([allDone, allDone]);
      expect(listener.heard).toHaveLength(1);
    });

    describe('sessions', () => {
      test('the newest record is claimed, and who had it is fenced', async () => {
        const { first, second } = await setUp(2);
        expect(await first.commit({ records: [write('s', 'one')] })).toEqual(allDone);
        expect(await first.commit({ records: [write('s', 'two')] })).toEqual(allDone);
        const fenced = { fenced: ['s'], missing: [] };
        const claim = await claimed(second, 's', (record) => textOf(record) === 'two');
        expect([...claim.record]).toEqual([['text', 'two']]);
        expect(await first.commit({ records: [write('s', 'late'), write('t', 'its own')] })).toEqual(fenced);
        expect(await second.commit({ records: [write('s', 'three', claim)] })).toEqual(allDone);
        const back = await claimed(first, 's');
        expect([claim.owner, textOf(back.record), back.owner]).toEqual(['node 0', 'three', 'node 1']);
        expect(back.generation).toBeGreaterThan(claim.generation);
        expect(await second.commit({ records: [write('s', 'fenced', claim)] })).toEqual(fenced);
        expect(textOf((await claimed(second, 't')).record)).toBe('its own');
      });

      test('nobody claims what is not there, or is not as expected', async () => {
        const { first, second } = await setUp(2);
        await first.commit({ records: [write('s', 'one')] });
        expect(await second.store.claim('other', () => true)).toBeUndefined();
        expect(await second.store.claim('s', () => false)).toBeUndefined();
        // And then it is still the first one's.
        expect(await first.commit({ records: [write('s', 'two')] })).toEqual(allDone);
      });

      test('the parts that have changed are written, and a record that is not there is not', async () => {
        const { first, second } = await setUp(2);
        const some = (session: string, parts: Record<string, string | undefined>, isWhole = false): RecordWrite => ({
          ...{ session, nonce: '', isWhole, keptMs: 10_000 },
          parts: new Map(Object.entries(parts)),
        });
        await first.commit({ records: [some('s', { a: '1', b: '2', c: '3' }, true)] });
        const result = await first.commit({ records: [some('t', { a: '1' }), some('s', { b: '4', c: undefined })] });
        expect(result).toEqual({ fenced: [], missing: ['t'] });
        expect(await second.store.claim('t', () => true)).toBeUndefined();
        const { nonce, record } = await claimed(second, 's');
        expect(Object.fromEntries(record)).toEqual({ a: '1', b: '4' });
        await second.commit({ records: [{ ...some('s', { d: '5' }, true), nonce }] });
        expect([...(await claimed(first, 's')).record]).toEqual([['d', '5']]);
        // What was claimed is what it was then.
        expect(record.size).toBe(2);
      });

      test('one that has ended is not there any more', async () => {
        const { first, second } = await setUp(2);
        await first.commit({ records: [write('s', 'one')] });
        await first.commit({ records: [write('s', undefined)] });
        expect(await second.store.claim('s', () => true)).toBe('over');
        // Whoever had it, or does not know of it.
        const { fenced } = await first.commit({ records: [write('s', 'again'), write('t', 'another')] });
        expect(fenced).toEqual(['s']);
      });

      test('one that nobody writes expires, and one node is told', async () => {
        const { lab, stores, first } = await setUp(3);
        await first.commit({ records: [write('s', 'one', undefined, 1_000), write('kept', 'k', undefined, 50_000)] });
        await lab.elapse(600);
        await first.commit({ records: [write('s', 'two', undefined, 1_000)] });
        await lab.elapse(600);
        const told = () => stores.flatMap(({ events }) => events.heard.filter(([what]) => what === 'expired'));
        expect(told()).toEqual([]);
        await lab.elapse(1_000);
        expect(told()).toEqual([['expired', 's', 'two']]);
        expect(await first.store.claim('s', () => true)).toBeUndefined();
      });
    });

    describe('nodes', () => {
      test('know of each other as they come and go', async () => {
        const { lab, first, second } = await setUp(2);
        expect(await first.store.nodes()).toEqual(['node 0', 'node 1']);
        expect(first.events.heard).toEqual([['joined', 'node 1']]);
        await second.store.close();
        await lab.elapse(0);
        expect(first.events.heard.at(-1)).toEqual(['left', 'node 1']);
        expect(await first.store.nodes()).toEqual(['node 0']);
      });

      test('ask each other', async () => {
        const { first, second } = await setUp(2);
        expect(await first.store.send('node 1', 'a question')).toBe('answer to a question');
        expect(second.events.heard.at(-1)).toEqual(['message', 'node 0', 'a question']);
        await expect(first.store.send('node 1', 'fail')).rejects.toThrow('it fails');
        await expect(first.store.send('nobody', 'x')).rejects.toMatchObject({ code: 'ERR_NODE_UNKNOWN' });
      });

      test('say to each other what nobody keeps, on channels that they listen to', async () => {
        const { first, second } = await setUp(2);
        for (const { store } of [first, second]) store.listen('c');
        first.store.publish('c', bytes('1'));
        first.store.publish('other', bytes('2'));
        second.store.unlisten('c');
        first.store.publish('c', bytes('3'));
        expect(second.events.heard).toEqual([['volatile', 'c', '1']]);
        expect(first.events.heard).toEqual([['joined', 'node 1']]);
      });
    });
  });
}
