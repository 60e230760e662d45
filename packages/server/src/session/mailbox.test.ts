import { describe, expect, it } from 'vitest';
import type { StoredLetter } from '../store/store';
import { Mailbox, type MailRecord, noMail } from './mailbox';

const letter = (number: number, stamp: number): StoredLetter => ({ number, node: 'a', stamp, body: `${stamp}` });

/** @param stored what the store has */
function mailbox(record: MailRecord, stored: StoredLetter[]) {
  const taken: unknown[] = [];
  const reads: number[] = [];
  const box = new Mailbox(record, {
    async letters(after) {
      reads.push(after);
      return stored.filter(({ number }) => number > after);
    },
    take: ({ stamp }) => void taken.push(stamp),
    lost: () => void taken.push('lost'),
    report: (error) => void taken.push(error),
  });
  return { box, taken, reads };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('letters', () => {
  it('of a new session are taken as they come, and nothing is read', () => {
    const { box, taken, reads } = mailbox(noMail, []);
    for (const one of [letter(1, 10), letter(1, 10), letter(2, 11)]) box.arrived(one);
    expect([taken, reads]).toEqual([[10, 11], []]);
  });

  const restored: MailRecord = { number: 2, node: 'a', stamp: 11, known: ['10 a', '11 a'], floors: [] };

  it.each([
    ['told', (box: Mailbox) => box.arrived(letter(3, 12))],
    ['not told', (box: Mailbox) => box.mailed()],
  ])('behind those that another server has taken, %s, come once', async (_, begin) => {
    const { box, taken } = mailbox(restored, [letter(3, 12)]);
    begin(box);
    await settled();
    box.arrived(letter(4, 13));
    expect(taken).toEqual([12, 13]);
  });

  it.each([
    ['told', (box: Mailbox) => box.arrived(letter(3, 14))],
    ['not told', (box: Mailbox) => box.mailed()],
  ])('that are counted anew, because the store has lost those before, come too, %s', async (_, begin) => {
    // One that was taken is sent again.
    const { box, taken } = mailbox(restored, [letter(1, 12), letter(2, 11), letter(3, 14)]);
    begin(box);
    await settled();
    expect([taken, box.position.number]).toEqual([[12, 14], 3]);
  });

  it('of which the first is not there any more end the session', async () => {
    const { box, taken } = mailbox(restored, [letter(4, 13)]);
    box.mailed();
    await settled();
    expect(taken).toEqual(['lost']);
  });

  it.each([true, false])(
    'that were taken long ago, and are sent again, come once, whether or not here (%s)',
    async (isHere) => {
      const stored: StoredLetter[] = [];
      const { box, taken } = mailbox(noMail, stored);
      for (let i = 1; i <= 600; i++) box.arrived(letter(i, i));
      const next = isHere ? { box, taken } : mailbox(box.record(), stored);
      taken.length = 0;
      // The store has lost all of them, and what comes from another server as old as they are is none of them.
      const other = { ...letter(602, 5), node: 'b' };
      stored.push(...Array.from({ length: 601 }, (_, i) => letter(i + 1, i + 1)), other);
      next.box.arrived(letter(1, 1));
      next.box.rolledBack();
      await settled();
      expect(next.taken).toEqual([601, 5]);
      const { known, floors } = box.record();
      expect([known.length, floors.map(([node]) => node)]).toEqual(isHere ? [256, ['a']] : [16, ['a']]);
    },
  );

  it('of more senders than are known come all', () => {
    const { box, taken } = mailbox(noMail, []);
    for (let i = 1; i <= 1_000; i++) box.arrived({ ...letter(i, i), node: `n${i % 100}` });
    expect([taken.length, box.record().floors.length]).toEqual([1_000, 64]);
  });
});
