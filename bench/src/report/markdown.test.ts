import { describe, expect, it } from 'vitest';
import { figures, resultOf } from '../measure/figures';
import type { Row } from '../measure/rounds';
import { findWorkload } from '../registry';
import { clusterSection } from './cluster';
import { machine } from './machine';
import { clusterMarkers, figureTable, intoDocument, workloadTable } from './markdown';

function row(subject: string, values: readonly number[], failure?: string): Row {
  return { workload: 'echo-1', subject, samples: values.map((value) => ({ value, details: {} })), failure };
}

const echo = figures.find(({ name }) => name === 'echo-1')!;

describe('figureTable', () => {
  it('says whether a figure holds', () => {
    const rows = [row('bare-uws', [10, 10, 10]), row('halyard-uws-json', [10.5, 11, 12])];
    expect(figureTable([resultOf(echo, rows, [])])[2]).toContain('| 1.1 | 1.10 | 1.05 | 1.20 | holds |');
  });

  it('says when the rounds differ too much to say', () => {
    const rows = [row('bare-uws', [10, 10, 10]), row('halyard-uws-json', [10, 15, 20])];
    expect(figureTable([resultOf(echo, rows, [])])[2]).toContain('| **above**, noisy |');
  });

  it('says why there is no number', () => {
    const rows = [row('bare-uws', [10]), row('halyard-uws-json', [], 'cannot listen')];
    expect(figureTable([resultOf(echo, rows, [])])[2]).toContain('failed: cannot listen');
  });
});

describe('workloadTable', () => {
  it('compares with the first subject, and keeps the row of one that failed', () => {
    const table = workloadTable(findWorkload('echo-1'), [row('bare-uws', [10]), row('ws', [], 'no | port')]);
    expect(table.slice(4)).toEqual([
      '| bare-uws | 10.0 | 1.00 | 1.00 | 1.00 |  |',
      '| ws | – | – | – | – | failed: no \\| port |',
    ]);
  });

  it('calls a row noisy by its ratio, and the baseline by what it took', () => {
    const rows = [row('bare-uws', [10, 20]), row('ws', [20, 40]), row('socketio-ws', [20, 60])];
    expect(workloadTable(findWorkload('echo-1'), rows).slice(4)).toEqual([
      '| bare-uws | 15.0 | 1.00 | 1.00 | 1.00 | noisy |',
      '| ws | 30.0 | 2.00 | 2.00 | 2.00 |  |',
      '| socketio-ws | 40.0 | 2.50 | 2.00 | 3.00 | noisy |',
    ]);
  });
});

describe('the report of a cluster', () => {
  it('has a place of its own, what was asked of Redis, and what that comes to', () => {
    const sample = { value: 1, details: { redisUs: 30 }, commands: { xadd: 1, evalsha: 0.25 } };
    const rows = ['cluster-room-most', 'cluster-echo-most', 'cluster-idle'].map((workload) => {
      return { workload, subject: 'halyard-redis', samples: [sample], failure: undefined };
    });
    const chosen = rows.map(({ workload }) => findWorkload(workload));
    const cluster = { redis: '7.0.15', places: 'Pinned.' };
    const text = clusterSection({
      machine: machine(),
      rounds: 1,
      windowMs: 9,
      figures: [],
      workloads: chosen,
      rows,
      sizes: [],
      cluster,
    });
    expect(text).toContain('| halyard-redis | xadd 1.00, evalsha 0.25 |');
    expect(text).toContain('| nothing (heartbeats) | 40,000 |');
    const document = intoDocument(intoDocument('# Performance\n', 'one server'), text, clusterMarkers);
    expect(document).toContain('one server');
    expect(intoDocument(document, 'anew', clusterMarkers)).not.toContain('xadd');
  });
});

describe('intoDocument', () => {
  it('replaces what is between the markers and nothing else', () => {
    const first = intoDocument('# Performance\n\nWords.\n', 'one');
    expect(first).toContain('Words.\n\n<!-- bench: begin');
    const second = intoDocument(`${first}More words.\n`, 'two');
    expect(second).toBe(`${first.replace('one', 'two')}More words.\n`);
  });
});
