import { expect, it } from 'vitest';
import { figures, resultOf } from '../measure/figures';
import { jsonOf } from './json';
import { machine } from './machine';

it('has each figure under its name, with median, minimum and maximum; or else why there is none', () => {
  const row = (workload: string, subject: string, values: number[], failure?: string) => {
    return { workload, subject, samples: values.map((value) => ({ value, details: {} })), failure };
  };
  const rows = [
    row('echo-1', 'bare-uws', [10, 10, 20]),
    row('echo-1', 'halyard-uws-json', [12, 11, 26]),
    row('echo-1', 'socketio-ws', [], 'cannot listen'),
  ];
  const sizes = [{ name: 'whole', minBytes: 20_000, gzipBytes: 7_000, failure: undefined }];
  const measured = figures.filter(({ name }) => ['echo-1', 'echo-1-vs-socketio', 'client-gz'].includes(name));
  const results = {
    machine: machine(),
    rounds: 3,
    windowMs: 500,
    figures: measured.map((figure) => resultOf(figure, rows, sizes)),
    workloads: [],
    rows,
    sizes,
  };
  expect(JSON.parse(jsonOf(results))).toMatchObject({
    figures: {
      'echo-1': { median: 1.2, min: 1.1, max: 1.3 },
      'client-gz': { median: 7_000, min: 7_000, max: 7_000 },
    },
    noisy: [],
    failures: { 'echo-1-vs-socketio': 'cannot listen' },
    machine: { libraries: { 'socket.io': expect.any(String) } },
  });
  expect(Object.keys(JSON.parse(jsonOf(results)).figures)).toEqual(['echo-1', 'client-gz']);
});
