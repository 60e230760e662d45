import { describe, expect, it } from 'vitest';
import { readArguments } from './arguments';
import { figures, subjectsNeeded } from './measure/figures';
import { subjects, workloads } from './registry';

describe('readArguments', () => {
  const namesOf = (isCluster: boolean) =>
    workloads.filter(({ kind }) => (kind === 'cluster') === isCluster).map(({ name }) => name);

  it('runs everything of one server and writes the report by default', () => {
    const args = readArguments([]);
    expect(args.workloads).toEqual(namesOf(false));
    expect(args.sizes).toBe(true);
    expect(args.reportFile).toBe('docs/PERFORMANCE.md');
  });

  it('runs with --quick what the figures need, and writes no report', () => {
    const args = readArguments(['--quick', '--json', 'out.json']);
    expect(args.workloads).toEqual(['echo-1', 'echo-16', 'broadcast-burst', 'except-fanout', 'idle-bytes', 'polling']);
    expect(args.jsonFile).toBe('out.json');
    expect(args.reportFile).toBeUndefined();
  });

  it('runs with --cluster what servers do that share a Redis, and writes its report', () => {
    const args = readArguments(['--cluster']);
    expect(args.workloads).toEqual(namesOf(true));
    expect(args.workloads).toContain('cluster-room');
    expect(args.sizes).toBe(false);
    expect(args.reportFile).toBe('docs/PERFORMANCE.md');
    expect(readArguments(['--cluster', '--quick']).workloads).toEqual(['cluster-room']);
    expect(readArguments(['--only', 'cluster-echo,echo-1']).workloads).toEqual(['echo-1', 'cluster-echo']);
  });

  it('has as many rounds, and windows as long, as the usage says', () => {
    expect(readArguments([])).toMatchObject({ rounds: 6, windowMs: 1_000 });
    expect(readArguments(['--quick'])).toMatchObject({ rounds: 10, windowMs: 500 });
    expect(readArguments(['--quick', '--runs', '3'])).toMatchObject({ rounds: 3 });
  });

  for (const args of [
    ['--only', ''],
    ['--only', ','],
    ['--only', 'resume', '--subjects', 'ws'],
    ['--quick', '--only', 'echo-1', '--subjects', 'ws'],
  ]) {
    it(`refuses ${args.join(' ')}, which leaves nothing to measure`, () => {
      expect(() => readArguments(args)).toThrow('nothing is left to measure');
    });
  }

  it('takes workloads, figures and sizes for --only', () => {
    expect(readArguments(['--only', 'echo-16-vs-socketio, resume']).workloads).toEqual(['echo-16', 'resume']);
    const sizes = readArguments(['--only', 'client-gz']);
    expect([sizes.workloads, sizes.sizes]).toEqual([[], true]);
  });

  it('names the known workloads when one is unknown', () => {
    expect(() => readArguments(['--only', 'ecko'])).toThrow(/unknown workload "ecko"; known: echo-1, echo-16, /);
  });

  it('names the known subjects when one is unknown', () => {
    expect(() => readArguments(['--subjects', 'uws'])).toThrow(/unknown subject "uws"; known: bare-uws, ws, /);
  });

  for (const args of [['--runs', '0'], ['--runs', 'many'], ['--window', '1.5'], ['--fast'], ['extra']]) {
    it(`refuses ${args.join(' ')}`, () => {
      expect(() => readArguments(args)).toThrow(args[0] === 'extra' ? 'extra' : args[0]!.slice(2));
    });
  }
});

describe('registry', () => {
  it('has no name twice, and no workload with a subject that nobody knows', () => {
    const names = [...workloads, ...subjects].map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    const known = new Set(subjects.map(({ name }) => name));
    for (const workload of workloads) {
      if (workload.kind !== 'local') expect(workload.subjects.filter((name) => !known.has(name))).toEqual([]);
    }
  });

  it('can measure every figure', () => {
    for (const { of } of figures) {
      if (!('workload' in of)) continue;
      const workload = workloads.find(({ name }) => name === of.workload);
      expect(workload?.subjects).toEqual(expect.arrayContaining(subjectsNeeded(of.workload)));
    }
  });
});
