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

test('who hears it is told of one server, from a level on, and of none once that is ended', () => {
  const heard: unknown[] = [];
  const happenings = new Happenings({ node: 'a', logger: undefined, now: () => 0 });
  const { tell } = happenings;
  const end = happenings.hear('warn', (told) => void heard.push(told));
  tell('session begun', { session: 's' });
  tell('namespace refused', { code: 'ERR_TOKEN' });
  tell('namespace refused', { code: 'ERR_TOKEN' });
  happenings.say('warning', { code: 'sessionsMax', count: 1 }, 'The server is full.');
  end();
  tell('namespace refused', { code: 'ERR_TOKEN' });
  const refused = { happening: 'namespace refused', level: 'warn', message: 'A namespace was refused.' };
  expect(heard).toEqual([
    { ...refused, facts: { code: 'ERR_TOKEN' } },
    { ...refused, facts: { code: 'ERR_TOKEN' } },
    {
      ...{ happening: 'warning', level: 'warn', message: 'The server is full.' },
      facts: { code: 'sessionsMax', count: 1 },
    },
  ]);
});
