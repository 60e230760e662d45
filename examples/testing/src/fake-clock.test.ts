// An app that connects by itself, and has timers of its own.
import { simulate } from '@halyard/testkit';
import { afterEach, expect, test, vi } from 'vitest';
import { openRoom, serveRoom } from './room';

afterEach(() => {
  vi.useRealTimers();
});

test('the page says that it is connecting after two seconds, and not before', async () => {
  vi.useFakeTimers();
  const world = simulate({ alongside: (ms) => vi.advanceTimersByTime(ms) });
  serveRoom(world.server());
  const options = world.clientOptions();
  const shown: string[] = [];
  const page = openRoom((line) => shown.push(line), options);
  await world.until(() => page.connected);
  world.offline(options);
  await world.advance(1_990);
  expect(shown).toEqual([]);
  await world.advance(20);
  expect(shown).toEqual(['connecting …']);
  page.connection.close();
  await world.close();
});
