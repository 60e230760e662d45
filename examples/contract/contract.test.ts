// The example does what it says: what breaks the contract, or may not be, is told in a sentence, and the rest goes to all.
import { connect } from '@halyard/client';
import { node, type ServerOptions } from '@halyard/server';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { openBoard } from './src/client';
import { boardServer } from './src/server';

const hosts: readonly (readonly [name: string, options: ServerOptions])[] = [
  ['the default host', {}],
  ['node', { host: node() }],
];

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of cleanUp.splice(0).reverse()) await end();
});

describe.each(hosts)('on %s', (_name, options) => {
  test('a board has what its users do, and nothing that they may not', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    cleanUp.push(() => warn.mockRestore());
    const io = boardServer(options);
    cleanUp.push(() => io.close());
    await io.listen(0, '127.0.0.1');
    const [ann, ben] = ['ann', 'ben'].map((user) => openBoard(`http://127.0.0.1:${io.port}`, user)) as [
      ReturnType<typeof openBoard>,
      ReturnType<typeof openBoard>,
    ];
    for (const { socket } of [ann, ben]) cleanUp.push(() => socket.connection.close());

    const { id, ...more } = await ann.socket.emitWithAck('card:add', '  write the docs ');
    expect(more).toEqual({});
    const card = { id, title: 'write the docs', column: 'to do', by: 'ann' };
    await expect.poll(() => [...ben.cards.values()]).toEqual([card]);
    await ben.socket.emitWithAck('card:move', id, 'doing');
    await expect.poll(() => ann.cards.get(id)).toEqual({ ...card, column: 'doing' });

    await expect(ben.socket.emitWithAck('card:delete', id)).rejects.toMatchObject({ code: 'ERR_FORBIDDEN' });
    const nobody = 'd9c1d1a6-6d4f-4a8e-9f0b-0d0f3d0c6a11';
    await expect(ben.socket.emitWithAck('card:move', nobody, 'done')).rejects.toMatchObject({ code: 'ERR_NO_CARD' });
    // A client without checks has the server's.
    const plain = connect(`http://127.0.0.1:${io.port}`, { auth: { user: 'cid' } });
    cleanUp.push(() => plain.connection.close());
    await expect(plain.emitWithAck('card:add', 'x'.repeat(81))).rejects.toMatchObject({
      code: 'ERR_INVALID',
      message: '"card:add": argument 1: too long (max 80)',
    });
    await ann.socket.emitWithAck('card:delete', id);
    await expect.poll(() => [ann.cards.size, ben.cards.size]).toEqual([0, 0]);
    // Where uWebSockets.js does not load, the default host says so first.
    const refusals = warn.mock.calls
      .map(([line]) => String(line).replace(/^\S+ /, ''))
      .filter((line) => /^card:/.test(line));
    expect(refusals).toEqual([
      'card:delete was refused, ERR_FORBIDDEN',
      'card:move was refused, ERR_NO_CARD',
      'card:add was refused, ERR_INVALID',
    ]);
  });
});
