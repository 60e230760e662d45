// What every store keeps (store.ts): one suite over all engines. Longer than other files: the contract has many sentences.
import type { Position } from '@halyard/protocol';
import { describe, expect, test } from 'vitest';
import type { Frames } from '../../log/frames';
import type {
  Claim,
  Commit,
  CommitResult,
  Letter,
  NewEntry,
  RecordParts,
  RecordWrite,
  Store,
  StoredEntry,
  StoredLetter,
  StoredSession,
  StoreEvents,
  TakenMail,
} from '../store';

/** Opens further nodes on one store, and lets time pass for it. */
export interface StoreLab {
  node(): Store;
  /** One that the others do not know of. */
  guest(): Store;
  elapse(ms: number): Promise<void>;
}

const bytes = (text: string): Frames => [Buffer.from(text)];

/** What a node was told. */
class Events implements StoreEvents {
  readonly heard: unknown[][] = [];
  readonly entries: [log: string, epoch: string, entry: StoredEntry][] = [];

  onEntry(log: string, epoch: string, entry: StoredEntry): void {
    this.entries.push([log, epoch, entry]);
  }

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

  onState(): void {}

  onWarning(): void {}

  onLetter(session: string, { number, body }: StoredLetter): void {
    this.heard.push(['letter', session, `${number} ${body}`]);
  }

  onMissed(): void {}

  onRenewed(log: string, epoch: string): void {
    this.heard.push(['renewed', log, epoch]);
  }

  /** Offset and text of the entries of a log. */
  of(log: string): string[] {
    return this.entries.filter(([name]) => name === log).map(([, , { offset, bodies }]) => `${offset} ${bodies[0]}`);
  }
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
        const numbers = new Map<number, number>();
        /** What is committed here is of one partition. */
        const commit = async (what: Partial<Commit>): Promise<CommitResult> => {
          const [step] = what.steps ?? [];
          const of =
            step === undefined
              ? (what.records?.[0]?.session ?? '')
              : 'topOf' in step
                ? step.topOf
                : 'to' in step
                  ? step.to
                  : step.log;
          const partition = store.partitionOf(of);
          const number = (numbers.get(partition) ?? 0) + 1;
          numbers.set(partition, number);
          return (await store.commit(partition, {
            number,
            branch: 0,
            steps: [],
            records: [],
            ...what,
          })) as CommitResult;
        };
        stores.push({ store, events, commit });
      }
      return { lab, stores, first: stores[0]!, second: stores[1]! };
    }

    const entry = (log: string, stamp: number, text: string, more: Partial<NewEntry> = {}): NewEntry => ({
      ...{ log, stamp, except: [], places: [], earlier: 0, bodies: [text] },
      ...more,
    });
    const write = (
      session: string,
      text: string | undefined,
      nonce = `of ${session}`,
      keptMs = 10_000,
    ): RecordWrite => ({
      ...{ session, nonce, generation: 1, positions: new Map(), isWhole: true, keptMs, mail: none },
      parts: text === undefined ? undefined : new Map([['text', text]]),
    });
    const none = { number: 0, node: '', stamp: 0 };
    const stored = async ({ store }: { store: Store }, session: string) =>
      (await store.session(session)) as StoredSession;
    const claimOf = (session: string, nonce: string, newNonce: string, generation = 2, keptMs = 0): Claim => ({
      ...{ session, nonce, newNonce, generation, keptMs },
    });
    const textOf = (record: RecordParts) => record.get('text');
    const nothing = { positions: [], repeated: [], fenced: [], missing: [], mailed: [] };

    describe('logs', () => {
      test('count their entries, and tell them to every node that follows', async () => {
        const { lab, first, second } = await setUp(2);
        const [epoch, top] = await first.store.follow('room');
        expect([typeof epoch, top]).toEqual(['string', 0]);
        expect(await second.store.follow('room')).toEqual([epoch, 0]);
        const more = { except: ['someone', 'room 2'] };
        const { positions } = await first.commit({ steps: [entry('room', 1, 'a'), entry('room', 2, 'b', more)] });
        expect(positions).toEqual([
          [epoch, 1],
          [epoch, 2],
        ]);
        await second.commit({ steps: [entry('room', 3, 'c'), { topOf: 'room' }] });
        await lab.elapse(0);
        for (const { events } of [first, second]) {
          expect(
            events.entries.map(([log, its, { offset, node, stamp, except, bodies }]) => [
              ...[log, its, offset, node, stamp, except, String(bodies[0])],
            ]),
          ).toEqual([
            ['room', epoch, 1, 'node 0', 1, [], 'a'],
            ['room', epoch, 2, 'node 0', 2, ['someone', 'room 2'], 'b'],
            ['room', epoch, 3, 'node 1', 3, [], 'c'],
          ]);
        }
      });

      test('say where they are at a place of a commit', async () => {
        const { first } = await setUp(1);
        const { positions } = await first.commit({
          steps: [{ topOf: 'room' }, entry('room', 1, 'a'), { topOf: 'room' }, entry('room', 2, 'b')],
        });
        expect(positions.map(([, offset]) => offset)).toEqual([0, 1, 1, 2]);
        expect(new Set(positions.map(([epoch]) => epoch)).size).toBe(1);
      });

      test('of different rooms are different ones, and one message in several says where it is before', async () => {
        const { lab, first } = await setUp(1);
        // Of one partition.
        const names = Array.from({ length: 1_000 }, (_, i) => `room ${i}`);
        const [one, other] = names.filter(
          (name) => first.store.partitionOf(name) === first.store.partitionOf(names[0]!),
        );
        for (const log of [one, other]) await first.store.follow(log!);
        await first.commit({ steps: [entry(other!, 1, 'x')] });
        const elsewhere: Position = ['elsewhere', 7];
        const { positions } = await first.commit({
          steps: [entry(one!, 2, 'y'), entry(other!, 2, 'y', { places: [elsewhere, 0], earlier: 2 })],
        });
        await lab.elapse(0);
        expect(positions[0]![0]).not.toBe(positions[1]![0]);
        expect(first.events.of(one!)).toEqual(['1 y']);
        expect(first.events.of(other!)).toEqual(['1 x', '2 y']);
        const [, , { places, earlier }] = first.events.entries.at(-1)!;
        expect(places.slice(0, earlier)).toEqual([elsewhere, positions[0]]);
      });

      test.each([3, 17, 18, 100])(
        'a message in %d of them says in each where it is before, as it is told and as it is read',
        async (count) => {
          const { lab, first, second } = await setUp(2);
          const partitionOf = (name: string) => first.store.partitionOf(name);
          const all = Array.from({ length: 10_000 }, (_, i) => `room ${i}`);
          const names = all.filter((name) => partitionOf(name) === partitionOf(all[0]!)).slice(0, count);
          // Who has the first, has the last alone, and has none.
          const followed = [names[0]!, names.at(-1)!];
          for (const log of followed) await first.store.follow(log);
          await second.store.follow(names.at(-1)!);
          const spread = (stamp: number): NewEntry[] => {
            const base = (stamp - 1) * count;
            const places = names.slice(1).map((_, i) => base + i);
            return names.map((log, earlier) => entry(log, stamp, `${stamp}`, { places, earlier }));
          };
          const { positions } = await second.commit({ steps: [...spread(1), ...spread(2)] });
          await lab.elapse(0);
          const before = (stamp: number, places = count - 1) => positions.slice((stamp - 1) * count).slice(0, places);
          const placesOf = ({ places, earlier }: StoredEntry) => places.slice(0, earlier);
          const told = ({ events }: typeof first, name: string) =>
            events.entries.filter(([log]) => log === name).map(([, , its]) => placesOf(its));
          expect(told(first, followed[0]!)).toEqual([[], []]);
          for (const store of [first, second]) expect(told(store, followed[1]!)).toEqual([before(1), before(2)]);
          for (const i of [0, 1, count >> 1, count - 1]) {
            const { entries } = await second.store.read(names[i]!, 0, 10);
            expect(entries.map(placesOf)).toEqual([before(1, i), before(2, i)]);
          }
        },
      );

      test('are not told any more to who does not follow, and are read from where that is wanted', async () => {
        const { lab, first, second } = await setUp(2);
        const [epoch] = await first.store.follow('room');
        await first.commit({ steps: [entry('room', 1, 'a')] });
        first.store.unfollow('room');
        await lab.elapse(0);
        await second.commit({ steps: [2, 3, 4].map((stamp) => entry('room', stamp, `${stamp}`)) });
        await lab.elapse(0);
        expect(first.events.of('room')).toEqual(['1 a']);
        const page = await first.store.read('room', 1, 2);
        expect(page).toMatchObject({ epoch, first: 1, top: 4 });
        expect(page.entries.map(({ offset, stamp, bodies }) => [offset, stamp, String(bodies[0])])).toEqual([
          [2, 2, '2'],
          [3, 3, '3'],
        ]);
        expect((await first.store.read('room', 3, 9)).entries.map(({ offset }) => offset)).toEqual([4]);
        expect(await first.store.read('room', 4, 9)).toMatchObject({ top: 4, entries: [] });
        expect(await first.store.read('another', 0, 9)).toMatchObject({ first: 1, top: 0, entries: [] });
      });

      test('outlive who follows until their entries have expired, and then have another epoch', async () => {
        const { lab, first } = await setUp(1);
        const [epoch] = await first.store.follow('room');
        await first.commit({ steps: [entry('room', 1, 'a')] });
        first.store.unfollow('room');
        await lab.elapse(5_000);
        expect(await first.store.read('room', 0, 9)).toMatchObject({ epoch, first: 1, top: 1 });
        // As long as there may be somebody who was in its room, counted from when it was used last.
        await lab.elapse(9_000);
        expect(await first.store.read('room', 1, 9)).toMatchObject({ epoch, first: 2, top: 1, entries: [] });
        await lab.elapse(60_000);
        const later = await first.store.read('room', 0, 9);
        expect(later.epoch).not.toBe(epoch);
        expect(later).toMatchObject({ first: 1, top: 0, entries: [] });
      });

      test('keep no more than they may', async () => {
        const { first } = await setUp(1);
        const steps = Array.from({ length: 150 }, (_, i) => entry('room', i + 1, `${i}`));
        await first.commit({ steps });
        const page = await first.store.read('room', 20, 1_000);
        expect(page).toMatchObject({ top: 150, entries: [] });
        expect(page.first).toBeGreaterThan(50);
        expect((await first.store.read('room', page.first - 1, 1_000)).entries.at(-1)?.offset).toBe(150);
        expect(page.missed).toBe(page.first - 1);
      });

      test('say what was dropped before a newer entry had taken its place', async () => {
        const { lab, first } = await setUp(1);
        const add = (from: number, to: number, latestOf: (n: number) => string | undefined) => {
          const stamps = Array.from({ length: to - from + 1 }, (_, i) => from + i);
          return first.commit({ steps: stamps.map((n) => entry('room', n, `${n}`, { latest: latestOf(n) })) });
        };
        const page = () => first.store.read('room', 0, 1_000);
        await first.store.follow('room');
        await add(1, 1, () => undefined);
        await add(2, 2, () => 'once');
        await add(3, 50, (n) => `${n % 2}`);
        expect(await page()).toMatchObject({ first: 1, missed: 0 });
        await add(51, 250, (n) => `${n % 2}`);
        expect(await page()).toMatchObject({ missed: 2, top: 250 });
        expect((await page()).first).toBeGreaterThan(150);
        // The newest of each is missed like others, once there is no place for it.
        await add(251, 450, () => undefined);
        const { first: oldest } = await page();
        expect(oldest).toBeGreaterThan(350);
        expect(await page()).toMatchObject({ missed: oldest - 1 });
        await add(451, 700, (n) => `${n % 2}`);
        expect(await page()).toMatchObject({ missed: 450, top: 700 });
        await lab.elapse(11_000);
        expect(await page()).toMatchObject({ first: 701, missed: 700, top: 700 });
      });
    });

    test('a commit that comes again has the same result, and changes nothing', async () => {
      const { lab, first } = await setUp(1);
      await first.store.follow('room');
      const commit: Commit = { number: 1, branch: 0, steps: [entry('room', 1, 'a')], records: [write('s', 'record')] };
      const partition = first.store.partitionOf('room');
      const records = first.store.partitionOf('s') === partition ? commit.records : [];
      const again = { ...commit, records };
      const results = [
        (await first.store.commit(partition, again)) as CommitResult,
        (await first.store.commit(partition, again)) as CommitResult,
      ];
      await lab.elapse(0);
      expect(results[0]).toEqual(results[1]);
      expect(results[0]!.positions).toMatchObject([[expect.any(String), 1]]);
      expect(first.events.of('room')).toEqual(['1 a']);
    });

    test('what has a key is stored once: whoever says it again is told where', async () => {
      const { lab, first, second } = await setUp(2);
      await first.store.follow('room');
      await first.commit({ steps: [entry('room', 1, 'a', { key: 'k' })] });
      const again = await second.commit({
        steps: [entry('room', 2, 'b', { key: 'k' }), entry('room', 3, 'c', { key: 'l' })],
      });
      expect(again).toMatchObject({
        positions: [
          [expect.any(String), 1],
          [expect.any(String), 2],
        ],
        repeated: [0],
      });
      // Of another log it is another key.
      expect(await second.commit({ steps: [entry('other', 4, 'd', { key: 'k' })] })).toMatchObject({ repeated: [] });
      await lab.elapse(0);
      expect(first.events.of('room')).toEqual(['1 a', '2 c']);
      await lab.elapse(3_600_000);
      await first.commit({ steps: [entry('room', 5, 'e', { key: 'k' })] });
      await lab.elapse(0);
      expect(first.events.of('room').at(-1)).toBe('3 e');
    });

    test('what has a key is stored once, though its log has lost something since and has another epoch: that was not it', async () => {
      const { lab, first, second } = await setUp(2);
      await first.store.follow('room');
      const { positions } = await first.commit({ steps: [entry('room', 1, 'a', { key: 'k' })] });
      const [epoch] = positions[0] as Position;
      await first.store.renew('room', epoch);
      const again = await second.commit({
        steps: [entry('room', 2, 'b', { key: 'k' }), entry('room', 3, 'c', { key: 'l' })],
      });
      expect(again).toMatchObject({
        positions: [
          [epoch, 1],
          [expect.any(String), 1],
        ],
        repeated: [0],
      });
      await lab.elapse(0);
      expect(first.events.of('room').at(-1)).toBe('1 c');
    });

    test('a commit that is not the next is not done: those before it are lost', async () => {
      const { lab, first } = await setUp(1);
      await first.store.follow('room');
      const partition = first.store.partitionOf('room');
      expect(await first.store.lastCommit(partition)).toBe(0);
      await first.commit({ steps: [entry('room', 1, 'a')] });
      const records: RecordWrite[] = [];
      const of = (number: number, branch: number, text: string) =>
        first.store.commit(partition, { number, branch, steps: [entry('room', number, text)], records });
      expect(await of(3, 0, 'b')).toEqual({ last: 1 });
      expect(await of(2, 1, 'c')).toMatchObject({ positions: [[expect.any(String), 2]] });
      expect(await first.store.lastCommit(partition)).toBe(2);
      // What comes late was numbered before.
      expect(await of(2, 0, 'd')).toEqual({ last: 2 });
      expect(await of(3, 0, 'e')).toEqual({ last: 2 });
      expect(await of(2, 2, 'f')).toEqual({ last: 2 });
      expect(await of(2, 1, 'c')).toMatchObject({ positions: [[expect.any(String), 2]] });
      await lab.elapse(0);
      expect(first.events.of('room')).toEqual(['1 a', '2 c']);
    });

    test('a log that has lost entries gets another epoch, once, and all who follow are told', async () => {
      const { lab, first, second } = await setUp(2);
      const [epoch] = await first.store.follow('room');
      await second.store.follow('room');
      await first.commit({ steps: [entry('room', 5, 'a'), entry('room', 6, 'b')] });
      const others = { epoch: expect.any(String), top: 0, newest: [0, ''] };
      expect(await second.store.tops(['room', 'another'])).toEqual([{ epoch, top: 2, newest: [6, 'node 0'] }, others]);
      const [renewed, top] = await first.store.renew('room', epoch);
      expect([renewed === epoch, top]).toEqual([false, 0]);
      expect(await second.store.renew('room', epoch)).toEqual([renewed, 0]);
      await first.commit({ steps: [entry('room', 7, 'c')] });
      await lab.elapse(0);
      expect(await first.store.read('room', 0, 9)).toMatchObject({ epoch: renewed, first: 1, top: 1 });
      for (const { events } of [first, second]) {
        expect(events.heard.filter(([what]) => what === 'renewed')).toEqual([['renewed', 'room', renewed]]);
        expect(events.of('room')).toEqual(['1 a', '2 b', '1 c']);
        expect(events.entries.map(([, , { after }]) => after)).toEqual([
          [0, ''],
          [5, 'node 0'],
          [0, ''],
        ]);
      }
    });

    describe('sessions', () => {
      test('are taken by who knows what they were, and who had one before is fenced', async () => {
        const { first, second } = await setUp(2);
        expect(await first.commit({ records: [write('s', 'one')] })).toEqual(nothing);
        expect(await first.commit({ records: [write('s', 'two')] })).toEqual(nothing);
        const before = await stored(second, 's');
        expect(before).toMatchObject({ nonce: 'of s', generation: 1, owner: 'node 0' });
        expect(textOf(before.record)).toBe('two');
        expect(await second.store.claim(claimOf('s', 'another nonce', 'x'))).toBe(false);
        expect(await second.store.claim(claimOf('s', 'of s', 'mine', 5))).toBe(true);
        // The same again, because its answer was lost.
        expect(await second.store.claim(claimOf('s', 'of s', 'mine', 5))).toBe(true);
        expect(await first.store.claim(claimOf('s', 'of s', 'late'))).toBe(false);
        expect(await first.commit({ records: [write('s', 'late')] })).toEqual({ ...nothing, fenced: [['s', 5]] });
        expect(await second.commit({ records: [write('s', 'three', 'mine')] })).toEqual(nothing);
        const after = await stored(first, 's');
        expect(after).toMatchObject({ nonce: 'mine', generation: 5, owner: 'node 1' });
        expect(textOf(after.record)).toBe('three');
        // What was read is what it was then.
        expect(textOf(before.record)).toBe('two');
      });

      test('that are not there are nobody’s', async () => {
        const { first } = await setUp(1);
        expect(await first.store.session('s')).toBeUndefined();
        expect(await first.store.claim(claimOf('s', '', 'x'))).toBe(false);
      });

      test('are written in parts, and one that is not there is not', async () => {
        const { first } = await setUp(1);
        const some = (session: string, parts: Record<string, string | undefined>, isWhole = false): RecordWrite => ({
          ...write(session, ''),
          ...{ isWhole, parts: new Map(Object.entries(parts)) },
        });
        await first.commit({ records: [some('s', { a: '1', b: '2', c: '3' }, true)] });
        expect(await first.commit({ records: [some('t', { a: '1' })] })).toEqual({ ...nothing, missing: ['t'] });
        await first.commit({ records: [some('s', { b: '4', c: undefined })] });
        expect(await first.store.session('t')).toBeUndefined();
        expect(Object.fromEntries((await stored(first, 's')).record)).toEqual({ a: '1', b: '4' });
        await first.commit({ records: [some('s', { d: '5' }, true)] });
        expect([...(await stored(first, 's')).record]).toEqual([['d', '5']]);
      });

      test('say where logs are, as the store knows it', async () => {
        const { first } = await setUp(1);
        const names = Array.from({ length: 1_000 }, (_, i) => `room ${i}`);
        const room = names.find((name) => first.store.partitionOf(name) === first.store.partitionOf('s'))!;
        const positions = new Map<string, number | Position>([
          ['here', 1],
          ['there', ['elsewhere', 7]],
        ]);
        const result = await first.commit({
          steps: [entry(room, 1, 'a'), { topOf: room }, entry(room, 2, 'b')],
          records: [{ ...write('s', 'text'), positions }],
        });
        const [, [epoch]] = result.positions as [Position, Position];
        const { record } = await stored(first, 's');
        expect(record.get('here')).toBe(`${epoch} 1`);
        expect(record.get('there')).toBe('elsewhere 7');
      });

      test('that are over are nobody’s any more', async () => {
        const { first } = await setUp(1);
        await first.commit({ records: [write('s', 'one')] });
        await first.commit({ records: [write('s', undefined)] });
        expect(await first.store.session('s')).toBe('over');
        expect(await first.store.claim(claimOf('s', 'of s', 'x'))).toBe(false);
        // Whoever had it, or does not know of it.
        expect(await first.commit({ records: [write('s', 'again')] })).toEqual({ ...nothing, fenced: [['s', 1]] });
      });

      test('that are over are not in the way of others that expire, however many they are', async () => {
        const { lab, first, second } = await setUp(2);
        const over = Array.from({ length: 100 }, (_none, i) => `over${i}`);
        await first.commit({ records: over.map((session) => write(session, 'one', 'n', 500)) });
        await first.commit({ records: over.map((session) => write(session, undefined, 'n', 500)) });
        await first.commit({ records: [write('s', 'one', 'n', 1_000)] });
        await lab.elapse(2_200);
        const expired = await second.store.expired(9, 10_000);
        expect(expired.map(({ session }) => session)).toEqual(['s']);
      });

      test('that nobody writes expire, and are given to one node at a time, until that is done with them', async () => {
        const { lab, first, second } = await setUp(2);
        await first.commit({ records: [write('s', 'one', 'n', 1_000)] });
        await first.commit({ records: [write('kept', 'k', 'n', 50_000)] });
        await lab.elapse(600);
        await first.commit({ records: [write('s', 'two', 'n', 1_000)] });
        await lab.elapse(600);
        expect(await second.store.expired(9, 10_000)).toEqual([]);
        await lab.elapse(1_000);
        const [given, ...others] = await second.store.expired(9, 10_000);
        expect([given?.session, textOf(given!.record), others]).toEqual(['s', 'two', []]);
        expect(await first.store.session('s')).toBeUndefined();
        expect(await first.store.claim(claimOf('s', 'n', 'x'))).toBe(false);
        expect(await first.store.expired(9, 10_000)).toEqual([]);
        await lab.elapse(11_000);
        // Who had it is gone, or slow.
        const [again] = await first.store.expired(9, 10_000);
        expect([again?.session, again?.lease === given?.lease]).toEqual(['s', false]);
        await second.store.forget('s', given!.lease);
        await lab.elapse(11_000);
        const [last] = await first.store.expired(9, 10_000);
        await first.store.forget('s', last!.lease);
        await lab.elapse(11_000);
        expect(await first.store.expired(9, 10_000)).toEqual([]);
      });

      test('that are claimed are kept until who has claimed them may have written them, and no shorter than before', async () => {
        const { lab, first, second } = await setUp(2);
        await first.commit({ records: [write('s', 'one', 'n', 2_000)] });
        await first.commit({ records: [write('t', 'two', 'n', 20_000)] });
        await lab.elapse(600);
        expect(await second.store.claim(claimOf('s', 'n', 'mine', 2, 4_000))).toBe(true);
        expect(await second.store.claim(claimOf('t', 'n', 'mine', 2, 1_000))).toBe(true);
        await lab.elapse(2_000);
        expect(await first.store.expired(9, 10_000)).toEqual([]);
        expect([(await stored(first, 's')).nonce, (await stored(first, 't')).nonce]).toEqual(['mine', 'mine']);
        await lab.elapse(2_500);
        expect((await first.store.expired(9, 10_000)).map(({ session }) => session)).toEqual(['s']);
        expect((await stored(first, 't')).nonce).toBe('mine');
      });

      test('that have expired, and are written by who had them all the same, go on', async () => {
        const { lab, first, second } = await setUp(2);
        await first.commit({ records: [write('s', 'one', 'n', 1_000)] });
        await lab.elapse(2_000);
        expect(await first.commit({ records: [{ ...write('s', 'two', 'n'), isWhole: false }] })).toMatchObject({
          missing: ['s'],
        });
        await first.commit({ records: [write('s', 'two', 'n', 90_000)] });
        expect(textOf((await stored(second, 's')).record)).toBe('two');
        expect(await second.store.expired(9, 10_000)).toEqual([]);
      });
    });

    describe('letters', () => {
      const letter = (to: string, text: string): Letter => ({ to, stamp: 7, body: text });
      const lettersOf = async ({ store }: { store: Store }, session: string, after = 0, countMax = 9) =>
        (await store.letters(session, after, countMax)).map(({ number, body }) => `${number} ${body}`);
      const taken = (number: number, node = 'node 0'): TakenMail => ({ number, node, stamp: 7 });
      const heard = ({ events }: { events: Events }) =>
        events.heard.filter(([what]) => what === 'letter').map(([, ...what]) => what.join(' '));

      test('come to the node that has the session, and stay until they are taken', async () => {
        const { lab, first, second } = await setUp(2);
        await second.commit({ records: [write('s', 'one')] });
        const { positions } = await first.commit({ steps: [letter('s', 'a'), letter('s', 'b')] });
        expect(positions).toEqual([
          ['', 1],
          ['', 2],
        ]);
        await lab.elapse(0);
        expect(heard(first)).toEqual([]);
        expect(heard(second)).toEqual(['s 1 a', 's 2 b']);
        const result = await second.commit({ records: [{ ...write('s', 'two'), mail: taken(1) }] });
        expect(result).toEqual({ ...nothing, mailed: ['s'] });
        expect(await lettersOf(first, 's')).toEqual(['2 b']);
        expect(await second.commit({ records: [{ ...write('s', 'three'), mail: taken(2) }] })).toEqual(nothing);
        expect(await lettersOf(first, 's')).toEqual([]);
        await first.commit({ steps: [letter('s', 'c')] });
        expect(await lettersOf(first, 's')).toEqual(['3 c']);
        // Another one than that which was taken.
        for (const other of [{ ...taken(3), stamp: 8 }, taken(3, 'node 1')]) {
          const result = await second.commit({ records: [{ ...write('s', 'four'), mail: other }] });
          expect([result.mailed, await lettersOf(first, 's')]).toEqual([['s'], ['3 c']]);
        }
      });

      test('have a key as entries have', async () => {
        const { first, second } = await setUp(2);
        for (const session of ['s', 't']) await first.commit({ records: [write(session, 'one')] });
        await first.commit({ steps: [{ ...letter('s', 'a'), key: 'k' }] });
        const again = await second.commit({ steps: [{ ...letter('s', 'b'), key: 'k' }] });
        expect([again.positions, again.repeated]).toEqual([[['', 1]], [0]]);
        await second.commit({ steps: [{ ...letter('t', 'c'), key: 'k' }] });
        expect([await lettersOf(first, 's'), await lettersOf(first, 't')]).toEqual([['1 a'], ['1 c']]);
        // One that finds no session was not said.
        const lost = await first.commit({ steps: [{ ...letter('u', 'd'), key: 'k' }] });
        await first.commit({ records: [write('u', 'one')] });
        const found = await second.commit({ steps: [{ ...letter('u', 'e'), key: 'k' }] });
        expect([lost, found].map(({ positions, repeated }) => [positions, repeated])).toEqual([
          [[['', 0]], []],
          [[['', 1]], []],
        ]);
      });

      test('wait for who takes the session, and are its from then on', async () => {
        const { lab, first, second } = await setUp(2);
        await first.commit({ records: [write('s', 'one')] });
        await second.commit({ steps: [letter('s', 'a')] });
        await second.store.claim(claimOf('s', 'of s', 'mine'));
        await first.commit({ steps: [letter('s', 'b'), letter('s', 'c')] });
        await lab.elapse(0);
        expect([heard(first), heard(second)]).toEqual([['s 1 a'], ['s 2 b', 's 3 c']]);
        expect(await lettersOf(second, 's', 1, 1)).toEqual(['2 b']);
        // Who was fenced has taken nothing.
        expect(await first.commit({ records: [{ ...write('s', 'late'), mail: taken(3, 'node 0') }] })).toMatchObject({
          mailed: [],
        });
        expect(await lettersOf(second, 's')).toEqual(['1 a', '2 b', '3 c']);
      });

      test('to a session that is not there, or is over, are nobody’s', async () => {
        const { first } = await setUp(1);
        expect((await first.commit({ steps: [letter('s', 'a')] })).positions).toEqual([['', 0]]);
        await first.commit({ records: [write('s', 'one')] });
        await first.commit({ steps: [letter('s', 'b')] });
        await first.commit({ records: [write('s', undefined)] });
        expect(await lettersOf(first, 's')).toEqual([]);
        expect((await first.commit({ steps: [letter('s', 'c')] })).positions).toEqual([['', 0]]);
      });

      test('are no more than a log may have: the oldest make room, which their numbers tell', async () => {
        const { first } = await setUp(1);
        await first.commit({ records: [write('s', 'one')] });
        await first.commit({ steps: Array.from({ length: 150 }, (_, i) => letter('s', `${i + 1}`)) });
        const [oldest, ...others] = await lettersOf(first, 's', 0, 1_000);
        expect(Number(oldest!.split(' ')[0])).toBeGreaterThan(50);
        expect(others.at(-1)).toBe('150 150');
      });
    });

    describe('nodes', () => {
      test('know of each other as they come and go', async () => {
        const { lab, first, second } = await setUp(2);
        expect(await first.store.nodes()).toEqual(['node 0', 'node 1']);
        await lab.elapse(0);
        expect(first.events.heard).toEqual([['joined', 'node 1']]);
        await second.store.close();
        await lab.elapse(0);
        expect(first.events.heard.at(-1)).toEqual(['left', 'node 1']);
        expect(await first.store.nodes()).toEqual(['node 0']);
      });

      test('do not know of a guest, which does all that they do', async () => {
        const { lab, first } = await setUp(1);
        await first.commit({ records: [write('s', 'record')] });
        const guest = lab.guest();
        const events = new Events();
        await guest.open('guest', events);
        await first.store.follow('room');
        const steps = [entry('room', 1, 'a'), { to: 's', stamp: 1, body: 'letter' }];
        for (const [i, step] of steps.entries()) {
          const partition = guest.partitionOf('to' in step ? step.to : step.log);
          const number = guest.partitions === 1 ? i + 1 : 1;
          await guest.commit(partition, { number, branch: 0, steps: [step], records: [] });
        }
        await lab.elapse(0);
        expect(first.events.of('room')).toEqual(['1 a']);
        expect(first.events.heard).toEqual([['letter', 's', '1 letter']]);
        expect(await guest.send('node 0', 'a question')).toBe('answer to a question');
        for (const store of [first.store, guest]) expect(await store.nodes()).toEqual(['node 0']);
        first.store.listen('c');
        await lab.elapse(0);
        guest.publish('c', bytes('1'));
        await lab.elapse(7_000);
        await guest.close();
        await lab.elapse(0);
        expect(first.events.heard.slice(1)).toEqual([
          ['message', 'guest', 'a question'],
          ['volatile', 'c', '1'],
        ]);
      });

      test('ask each other', async () => {
        const { first, second } = await setUp(2);
        expect(await first.store.send('node 1', 'a question')).toBe('answer to a question');
        expect(second.events.heard.at(-1)).toEqual(['message', 'node 0', 'a question']);
        await expect(first.store.send('node 1', 'fail')).rejects.toThrow('it fails');
        await expect(first.store.send('nobody', 'x')).rejects.toMatchObject({ code: 'ERR_NODE_UNKNOWN' });
      });

      test('say to each other what nobody keeps, on channels that they listen to', async () => {
        const { lab, first, second } = await setUp(2);
        for (const { store } of [first, second]) store.listen('c');
        await lab.elapse(0);
        first.store.publish('c', bytes('1'));
        first.store.publish('other', bytes('2'));
        await lab.elapse(0);
        second.store.unlisten('c');
        await lab.elapse(0);
        first.store.publish('c', bytes('3'));
        await lab.elapse(0);
        expect(second.events.heard).toEqual([['volatile', 'c', '1']]);
        expect(first.events.heard).toEqual([['joined', 'node 1']]);
      });
    });
  });
}
