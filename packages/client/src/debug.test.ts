// What a client tells who debugs, from its start to its end.
import { afterEach, expect, test, vi } from 'vitest';
import { debug } from '#debug';
import { connected, event, open, scene, settle, welcome } from '../testing/fake';
import { polling, race, sse } from './core';
import { createLog } from './platform/debug';

afterEach(() => {
  debug.log = undefined;
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
  vi.resetModules();
});

test('localStorage.debug shows states, resumes and their outcome, closes with reason, and no payload', async () => {
  const print = vi.spyOn(console, 'debug').mockImplementation(() => {});
  vi.stubGlobal('localStorage', { getItem: (name: string) => (name === 'debug' ? 'halyard:*' : null) });
  await import('./debug');
  const { socket, link, transport, advance } = await open({ auth: { token: 'secret' } });
  await link.say(event('secret event', ['secret']));
  await link.drop({ code: 1012, reason: 'deploy', by: 'server' });
  await advance(1_000);
  await transport.link.open();
  await transport.link.say(welcome({ session: 's2', secret: 'k2', reason: 'unknown-session' }), connected());
  socket.disconnect();
  await settle();
  const lines = print.mock.calls.map(([line]) => line.replaceAll(/halyard:client:|"http:\/\/app.example"/g, ''));
  expect(lines).toEqual([
    'connection  connecting reason "wanted" from "idle" attempt 0',
    'connection  open reason "new" transport "fake" from "connecting" attempt 0',
    'socket "/" connect recovered false unconfirmed 0',
    'socket "/" unhandled "secret event"',
    'connection  waiting reason "lost" closed: 1012 by server, "deploy" retryInMs 250 from "open" attempt 0',
    'socket "/" disconnect code 1012 reason "deploy" by "server" willReconnect true',
    'connection  connecting reason "retry" from "waiting" attempt 1',
    'connection  open reason "new" transport "fake" from "connecting" attempt 1',
    'socket "/" connect recovered false unconfirmed 0 reason "unknown-session"',
    'connection  closed reason "local" closed: 1000 by client from "open" attempt 0',
    'socket "/" disconnect code 1000 willReconnect false by "client"',
  ]);
});

test('what an app throws is in no line: neither by auth, nor by a handler, nor by a fetch of its own', async () => {
  let text = '';
  debug.log = createLog('*', (name, line) => {
    text += `${name} ${line}\n`;
  });
  const fail = (thrown: unknown) => () => {
    throw thrown;
  };
  const wrong = new Error('token=SECRET123 is wrong');
  const { transport } = scene({ auth: fail(wrong) });
  await transport.link.open();
  const { socket, link } = await open();
  socket.of('/other', { auth: fail(wrong) });
  for (const thrown of [wrong, 'SECRET123', { token: 'SECRET123' }]) socket.once('x', fail(thrown));
  await link.say(event('x'));
  const fetch = fail(wrong);
  scene({ transport: race([polling({ fetch }), sse({ fetch })]) });
  await settle();
  for (const told of ['waiting', 'ERR_AUTH', 'error Error', 'error object', 'failed']) expect(text).toContain(told);
  expect(text).not.toContain('SECRET');
});

test.each([
  ['keeps nothing', () => null],
  [
    'may keep nothing',
    () => {
      throw new Error('denied');
    },
  ],
])('a page that %s is shown nothing', async (_name, getItem) => {
  vi.stubGlobal('localStorage', { getItem });
  await import('./debug');
  expect(debug.log).toBeUndefined();
});
