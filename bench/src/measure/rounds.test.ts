import { describe, expect, it } from 'vitest';
import type { Testbed } from '../testbed/testbed';
import { served } from '../workloads/served';
import type { Sample, ServedWorkload } from '../workloads/workload';
import { type Row, runWorkload, whole } from './rounds';

describe('the whole of some slices', () => {
  it('is their cost divided by what they did, not the mean of their quotients', () => {
    // Both took 100: one for 100 messages, one for 25.
    const slices = [
      { value: 1, units: 100, details: { perS: 1_000 } },
      { value: 4, units: 25, details: { perS: 250 } },
    ];
    expect(whole(slices)).toEqual({ value: 1.6, units: 125, details: { perS: 625 } });
  });

  it('is the mean of what is not counted in units', () => {
    const slices = [1, 2].map((value) => ({ value, details: {} }));
    expect(whole(slices).value).toBe(1.5);
  });
});

describe('rounds', () => {
  const subjects = ['bare-uws', 'ws', 'socketio-ws'];

  /** Runs rounds of two slices without any process. @returns what was done, in order, and the rows */
  async function run(
    rounds: number,
    options: {
      readonly fresh?: boolean;
      readonly sliced?: boolean;
      readonly budgetMs?: number;
      fails?(what: string): boolean;
    } = {},
  ): Promise<{ done: string[]; rows: Row[] }> {
    const done: string[] = [];
    const doing = (what: string): void => {
      done.push(what);
      if (options.fails?.(what)) throw new Error(`${what} failed`);
    };
    let measured = 0;
    const workload: ServedWorkload = served({
      name: 'none',
      title: 'no work',
      subjects,
      fresh: options.fresh ?? false,
      sliced: options.sliced ?? !options.fresh,
      async measure(testbed: Testbed): Promise<Sample> {
        doing(`measure ${testbed.subject.name}`);
        return { value: ++measured, details: {} };
      },
    });
    const rows = await runWorkload(workload, subjects, {
      rounds,
      windowMs: 200,
      budgetMs: options.budgetMs ?? Number.POSITIVE_INFINITY,
      progress: () => {},
      async open(_, subject) {
        doing(`open ${subject.name}`);
        return { subject, close: () => done.push(`close ${subject.name}`) } as unknown as Testbed;
      },
      openCluster: () => Promise.reject(new Error('none here')),
    });
    return { done, rows };
  }

  const all = (what: string, names = subjects): string[] => names.map((name) => `${what} ${name}`);
  const reversed = [...subjects].reverse();

  it('are cut into slices that take turns, in either order; processes start anew every other round, in either order', async () => {
    const { done, rows } = await run(3);
    // What is measured as each starts, and once more when all have, is not counted.
    const started = (names: string[]): string[] => [
      ...names.flatMap((name) => [`open ${name}`, `measure ${name}`]),
      ...all('measure', names),
    ];
    const firstTwo = [subjects, reversed, reversed, subjects].flatMap((names) => all('measure', names));
    // Subjects take their turns in the order in which they were started.
    const third = [reversed, subjects].flatMap((names) => all('measure', names));
    expect(done).toEqual([
      ...started(subjects),
      ...firstTwo,
      ...all('close'),
      ...started(reversed),
      ...third,
      ...all('close', reversed),
    ]);
    expect(rows.map(({ samples }) => samples.map((sample) => sample?.value))).toEqual([
      [(7 + 12) / 2, (15 + 16) / 2, (27 + 28) / 2],
      [(8 + 11) / 2, (14 + 17) / 2, (26 + 29) / 2],
      [(9 + 10) / 2, (13 + 18) / 2, (25 + 30) / 2],
    ]);
  });

  it('are whole windows where a window cannot be cut', async () => {
    const { rows } = await run(2, { sliced: false });
    // The second round goes the other way.
    expect(rows.map(({ samples }) => samples.map((sample) => sample?.value))).toEqual([
      [7, 12],
      [8, 11],
      [9, 10],
    ]);
  });

  it('are three at least, and no more once the time is over', async () => {
    const { done, rows } = await run(10, { budgetMs: 0 });
    expect(rows.map(({ samples }) => samples.length)).toEqual([3, 3, 3]);
    expect(done.filter((what) => what === 'open ws')).toHaveLength(2);
  });

  it('go on without a subject that does not start', async () => {
    const { done, rows } = await run(3, { fails: (what) => what === 'open ws' });
    expect(rows.map(({ failure }) => failure)).toEqual([undefined, 'open ws failed', undefined]);
    expect(rows.map(({ samples }) => samples.length)).toEqual([3, 0, 3]);
    expect(done.filter((what) => what.endsWith(' ws'))).toEqual(['open ws']);
  });

  it('go on without a subject that fails in a slice, which is stopped and has no sample of that round', async () => {
    let left = 5;
    const { done, rows } = await run(2, { fails: (what) => what === 'measure ws' && --left === 0 });
    expect(rows.map(({ failure }) => failure)).toEqual([undefined, 'measure ws failed', undefined]);
    expect(rows.map(({ samples }) => samples.length)).toEqual([2, 1, 2]);
    expect(done.filter((what) => what.endsWith(' ws'))).toEqual([
      'open ws',
      ...Array(5).fill('measure ws'),
      'close ws',
    ]);
    expect(done.indexOf('close ws')).toBeLessThan(done.lastIndexOf('measure bare-uws'));
  });

  it('go on without a subject that fails as it starts, which is stopped', async () => {
    const { done, rows } = await run(2, { fails: (what) => what === 'measure ws' });
    expect(rows.map(({ failure }) => failure)).toEqual([undefined, 'measure ws failed', undefined]);
    expect(rows.map(({ samples }) => samples.length)).toEqual([2, 0, 2]);
    expect(done.filter((what) => what.endsWith(' ws'))).toEqual(['open ws', 'measure ws', 'close ws']);
  });

  it('with new processes for each window go on without one that fails', async () => {
    const { done, rows } = await run(2, { fresh: true, fails: (what) => what === 'measure ws' });
    expect(rows.map(({ samples }) => samples.length)).toEqual([2, 0, 2]);
    expect(done.filter((what) => what.endsWith(' ws'))).toEqual(['open ws', 'measure ws', 'close ws']);
    expect(done.filter((what) => what.startsWith('open'))).toHaveLength(5);
    expect(done.filter((what) => what.startsWith('close'))).toHaveLength(5);
  });
});
