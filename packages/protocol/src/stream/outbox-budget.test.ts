import { expect, it } from 'vitest';
import { LocalUsageError } from '../wire/errors';
import { defaultSettings } from '../wire/limits';
import { OutboxBudget } from './outbox-budget';
import { ServerMachine } from './server-machine';

const sink = { transmit() {}, control() {}, deliver() {}, silent() {}, transmittedStamp: () => -1 };

it('counts what waits in all outboxes, and tells once that it is too much', () => {
  let told = 0;
  const budget = new OutboxBudget(10, () => told++);
  const limits = { outboxPacketsMax: 100, outboxBytesMax: 100, pendingAcksMax: 1, budget };
  const [one, other] = [1, 2].map(() => new ServerMachine<string>(sink, defaultSettings, limits)) as [
    ServerMachine<string>,
    ServerMachine<string>,
  ];
  for (const machine of [one, other]) {
    machine.hold({ received: 0, confirmed: 0 }, 0);
    machine.open(0);
  }
  one.send('12345', 1);
  one.send('678', 2);
  other.send('90', 3);
  expect([budget.bytes, told]).toEqual([10, 0]);
  one.confirm(1);
  expect(budget.bytes).toBe(5);
  other.send('123456', 4);
  other.send('7', 5);
  expect([budget.bytes, told]).toEqual([12, 1]);
  other.end(new LocalUsageError('ERR_SESSION_ENDED', ''));
  expect([budget.bytes, told]).toEqual([3, 1]);
  budget.settle();
  one.send('12345678', 6);
  expect([budget.bytes, told]).toEqual([11, 2]);
});
