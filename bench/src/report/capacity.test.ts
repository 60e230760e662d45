import { expect, it } from 'vitest';
import type { Row } from '../measure/rounds';
import { capacityOf } from './capacity';

function row(workload: string, redisUs: number): Row {
  return { workload, subject: 'halyard-redis', samples: [{ value: 1, details: { redisUs } }], failure: undefined };
}

it('reckons what one Redis carries from its processor time for each thing that sessions do', () => {
  const rows = [row('cluster-idle', 25), row('cluster-room-most', 60), row('cluster-echo-most', 30)];
  const [idle, room, , both] = capacityOf(rows, 'halyard-redis')!.rows;
  // One microsecond a second of each session; and one, and half of one more.
  expect(idle).toMatchObject({ perS: 40_000, cores: 1, oneCarries: 600_000, allCarry: 19_200_000 });
  expect(room).toMatchObject({ cores: 2, oneCarries: 300_000 });
  expect(both?.cores).toBeCloseTo(2.5);
});

it('says nothing if something was not measured', () => {
  expect(capacityOf([row('cluster-idle', 25), row('cluster-room-most', 60)], 'halyard-redis')).toBeUndefined();
});
