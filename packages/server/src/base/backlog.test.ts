import { expect, test } from 'vitest';
import { Backlog } from './backlog';

function backlog() {
  const told: string[] = [];
  const its = new Backlog({ waitingPacketsMax: 3, waitingBytesMax: 100 }, (isFull, limit) =>
    told.push(isFull ? limit : 'not full'),
  );
  return { its, take: () => told.splice(0) };
}

test('what waits is told full by number and by bytes, and no more full', () => {
  const { its, take } = backlog();
  its.move(1, 99);
  its.move(1, 0);
  expect(take()).toEqual([]);
  its.move(1, 0);
  expect(take()).toEqual(['waitingPacketsMax']);
  its.move(1, 0);
  expect(take()).toEqual([]);
  its.move(-2, -2);
  expect(take()).toEqual(['not full']);
  its.move(0, 3);
  expect(take()).toEqual(['waitingBytesMax']);
});

test('what goes on is told, though as much waits as before', () => {
  const { its, take } = backlog();
  its.move(2, 500);
  take();
  its.move(-1, -1);
  expect(take()).toEqual(['not full', 'waitingBytesMax']);
});

test('what is over holds nobody back', () => {
  const { its, take } = backlog();
  its.move(5, 500);
  take();
  its.end();
  expect(take()).toEqual(['not full']);
  its.move(5, 500);
  its.move(-10, -1_000);
  expect([take(), its.packets]).toEqual([[], 0]);
});
