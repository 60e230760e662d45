import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { expect, test } from 'vitest';
import { Happenings } from './happenings';

test('what happens goes to its channel, with the node and without being left out', () => {
  const heard: unknown[] = [];
  const listen = (message: unknown): void => void heard.push(message);
  const happenings = new Happenings({ node: 'a', logger: undefined, now: () => 0 });
  const { tell } = happenings;
  tell('session begun', { session: 'before' });
  subscribe('halyard:session', listen);
  tell('resume refused', { code: 'unknown-session', connection: 1 });
  tell('resume refused', { code: 'unknown-session', connection: 2 });
  tell('namespace refused', { code: 'ERR_TOKEN' });
  unsubscribe('halyard:session', listen);
  tell('session ended', { session: 'after', code: 1000 });
  expect(heard).toEqual([
    { happening: 'resume refused', node: 'a', code: 'unknown-session', connection: 1 },
    { happening: 'resume refused', node: 'a', code: 'unknown-session', connection: 2 },
  ]);
  expect([...happenings.counts('resume refused')]).toEqual([['unknown-session', 2]]);
});
