// `halyard docs`: the contract of a module, as AsyncAPI; what is none is said in a sentence.
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { fileOf, halyard } from './command';

const app = fileURLToPath(new URL('app-contract.mjs', import.meta.url));

test('prints the contract that is named, in JSON', async () => {
  const { code, stdout, stderr } = await halyard(['docs', app, '--export', 'chat', '--namespace', '/chat']);
  expect([code, stderr]).toEqual([0, '']);
  expect(JSON.parse(stdout)).toMatchObject({
    asyncapi: '3.0.0',
    info: { title: 'A chat', version: '1.2.3' },
    channels: {
      chat: {
        address: '/chat',
        messages: {
          'receive.message:send': { payload: { items: [{ type: 'string', maxLength: 500 }] } },
          'reply.receive.message:send': { payload: { properties: { id: { type: 'string' } } } },
          'send.message': { payload: { items: [{ properties: { text: { type: 'string' } } }] } },
        },
      },
    },
  });
});

test.each<[what: string, args: string[], code: number, words: string]>([
  ['no file', [], 2, 'FILE may be a module that exports a contract, such as src/contract.ts, not "".'],
  ['a file that is not there', ['nowhere.mjs'], 2, 'FILE may be a file that can be read (ENOENT), not "nowhere.mjs".'],
  ['several contracts', [app], 2, 'exports several contracts: --export may be "admin", "chat".'],
  ['another name', [app, '--export', 'info'], 2, '--export may be one of "admin", "chat", not "info".'],
  [
    'no contract',
    [fileOf('none.mjs', 'export const chat = { clientToServer: {} };')],
    2,
    'exports nothing that contract(…) of @halyard/contract has made: what it exports is "chat".',
  ],
  ['a module that fails', [fileOf('fails.mjs', 'throw new Error("of the app");')], 2, 'cannot be loaded: of the app.'],
  [
    'a namespace that is none',
    [app, '--namespace', 'chat'],
    2,
    '--namespace may be a name that begins with "/", not "chat".',
  ],
])('%s', async (_, args, code, words) => {
  const ended = await halyard(['docs', ...args]);
  expect(ended).toMatchObject({ code, stdout: '' });
  expect(ended.stderr).toContain(words);
});

test('connect takes a contract in the same way', async () => {
  const ended = await halyard(['connect', 'http://127.0.0.1:9', '--contract', app, '--wait-ms', '100']);
  expect(ended).toMatchObject({ code: 2, stdout: '' });
  expect(ended.stderr).toContain('--export may be "admin", "chat".');
});
