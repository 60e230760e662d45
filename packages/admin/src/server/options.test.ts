import { type Codec, Server, type ServerOptions } from '@halyard/server';
import { expect, test } from 'vitest';
import { admin } from './admin';
import type { AdminOptions } from './options';

const password = 'correct horse battery';
const another = { name: 'another', binary: true, encode: () => '', decode() {} } as unknown as Codec;

test('what cannot be is said when it is made', () => {
  const make =
    (options: unknown, its: ServerOptions = {}) =>
    () =>
      admin(new Server(its), options as AdminOptions);
  const wrong: [unknown, RegExp][] = [
    [undefined, /"options" of admin are none/],
    [{}, /"password" of admin is missing: everybody could look/],
    [{ password: 'short' }, /"password" of admin has 5 characters: it may have 12 to 1024/],
    [{ password: 7 }, /"password" of admin is a number/],
    [{ password, guard: () => true }, /"guard" of admin is there beside a password/],
    [{ guard: 'me' }, /"guard" of admin is a string/],
    [{ password, path: 'admin' }, /"path" of admin is "admin"/],
    [{ password, path: '/"><script>' }, /"path" of admin is /],
    [{ password, readOnly: 1 }, /"readOnly" of admin is a number/],
    [{ password, describe: {} }, /"describe" of admin is a object/],
    [{ password, title: 'x' }, /"title" of admin is not one: known ones are path, password/],
  ];
  for (const [options, message] of wrong) expect(make(options)).toThrow(message);
  for (const none of [{}, undefined, { httpServer: {} }]) {
    expect(() => admin(none as never, { password })).toThrow(
      expect.objectContaining({
        code: 'ERR_OPTION',
        message: 'admin takes a server of Halyard and then options: admin(io, { password }).',
      }),
    );
  }
  expect(make({ password }, { codecs: [another] })).toThrow('add json() to the codecs');
  expect(make({ password: 'my secret' })).not.toThrow('secret');
  const io = new Server();
  admin(io, { password });
  expect(() => admin(io, { password })).toThrow('admin(io) was called for this server already');
});
