import { expect, test } from 'vitest';
import { Away } from './link';
import { explainedLater, loading, silent } from './trouble';

const system = (code: string, message: string): Error => Object.assign(new Error(message), { code });
const reply = (message: string): Error => Object.assign(new Error(message), { name: 'ReplyError' });

test.each<[trouble: unknown, code: string, words: string]>([
  [silent, 'ERR_REDIS_UNREACHABLE', 'does not answer any more'],
  [new Away('the connection to Redis is lost'), 'ERR_REDIS_UNREACHABLE', 'does not answer any more'],
  [loading, 'ERR_REDIS_UNREACHABLE', 'is there, and not ready'],
  [
    system('ECONNREFUSED', 'connect ECONNREFUSED 10.0.0.1:6379'),
    'ERR_REDIS_UNREACHABLE',
    'any more (connect ECONNREFUSED',
  ],
  // Of a name with two addresses.
  [system('ECONNREFUSED', ''), 'ERR_REDIS_UNREACHABLE', 'any more (ECONNREFUSED)'],
  [system('ECONNRESET', 'read ECONNRESET'), 'ERR_REDIS_UNREACHABLE', 'any more (read ECONNRESET)'],
  [new Error('Connection is closed.'), 'ERR_REDIS_UNREACHABLE', 'any more (Connection is closed.)'],
  [reply('MOVED 5 10.0.0.2:6379'), 'ERR_REDIS_CLUSTER', 'redis-cli --cluster check'],
  [new Error('CLUSTERDOWN no master has some of the slots'), 'ERR_REDIS_CLUSTER', 'redis-cli --cluster check'],
  [reply('NOAUTH Authentication required.'), 'ERR_REDIS_PASSWORD', 'refuses user and password'],
  [reply('READONLY You can not write against a read only replica.'), 'ERR_REDIS_REPLICA', 'is a replica'],
  [reply('OOM command not allowed'), 'ERR_REDIS_MEMORY', 'has no memory left'],
  [reply('EXECABORT something'), 'ERR_REDIS_UNREACHABLE', 'does not do what it is asked for'],
])('of one that was used before: %s', (trouble, code, words) => {
  const told = explainedLater(trouble, '10.0.0.1:6379', 'halyard');
  expect(told.code).toBe(code);
  expect(told.message).toContain(words);
  // It has worked with these.
  if (code === 'ERR_REDIS_UNREACHABLE') expect(told.message).not.toMatch(/option "url"|TLS/);
});
