// What is not an option is refused, and the refusal says which ones there are.
import { Server } from '@halyard/server';
import { afterEach, describe, expect, test } from 'vitest';
import { simulate, type World } from './world';

const world: World = simulate();
const io = world.server();
const client = world.connect();
const stranger = { auth: {} };

afterEach(() => world.advance(0));

/** What is wrong, and what was called with it: not by its types, as JavaScript may. */
type Call = readonly [what: string, call: () => unknown, text: string | RegExp];

const any = (value: unknown) => value as never;

const unknownNames: readonly Call[] = [
  ['simulate', () => simulate(any({ sede: 1 })), /"sede" of simulate\(\) .*latencyMs, loss, repeat, seed, alongside\./],
  ['server', () => world.server(any({ ports: 1 })), /"ports" is not an option: known ones are .*heartbeatMs/],
  ['connect', () => world.connect(any({ nmspace: '/' })), /"nmspace" of connect\(\) .*transports, .*namespace\./],
  ['clientOptions', () => world.clientOptions(any({ clock: 1 })), /"clock" of clientOptions\(\) .*headers, server/],
  [
    'reconnect',
    () => world.connect(any({ reconnect: { max: 1 } })),
    /"max" of reconnect\(\) .*attemptsMax, delayMinMs, delayMaxMs\./,
  ],
  ['cut', () => world.cut(client, any({ noticed: 1 })), /"noticed" of cut\(\) .*noticedBy, noticeMs\./],
  ['offline', () => world.offline(client, any({ quiet: 1 })), /"quiet" of offline\(\) .*noticedBy, noticeMs, silent\./],
  ['kill', () => world.kill(io, any({ how: 1 })), /"how" of kill\(\) .*noticedBy, noticeMs\./],
  [
    'loseRequest',
    () => world.loseRequest(client, any({ count: 1 })),
    /"count" of loseRequest\(\) .*method, times, what, noticed\./,
  ],
  [
    'repeatRequest',
    () => world.repeatRequest(client, any({ what: 1 })),
    /"what" of repeatRequest\(\) .*method, times\./,
  ],
  ['change', () => world.change(any({ seed: 1 })), /"seed" of change\(\) .*latencyMs, loss, repeat\./],
  ['until', () => world.until(() => true, any({ ms: 1 })), /"ms" of until\(\) .*withinMs\./],
];

const values: readonly Call[] = [
  ['a seed', () => simulate({ seed: -1 }), 'from 0 to 4294967295'],
  ['a latency', () => simulate({ latencyMs: 0.5 }), 'a whole number from 0 to 3600000'],
  ['a latency in reverse', () => simulate({ latencyMs: [5, 1] }), '[5,1]'],
  ['a latency as text', () => simulate({ latencyMs: any('5') }), '"5"'],
  ['a chance', () => world.change({ loss: 2 }), 'a number from 0 to 1'],
  ['what goes alongside', () => simulate({ alongside: any(1) }), 'a function of milliseconds'],
  ['no options', () => simulate(any(null)), 'may be an object'],
  ['no options of a server', () => world.server(any(null)), 'may be an object'],
  ['the host', () => world.server(any({ host: () => {} })), "is the world's own"],
  ['the clock', () => world.server(any({ clock: {} })), "is the world's own"],
  ['an adapter', () => world.server({ adapter: any({}) }), 'such as memory()'],
  ['a range of the server', () => world.server({ heartbeatMs: 1 }), 'from 100 to 3600000'],
  ['a range of the client', () => world.connect({ ackTimeoutMs: 0 }), 'ackTimeoutMs'],
  ['a transport', () => world.connect({ transports: any(['carrier pigeon']) }), '"websocket", "sse", "polling"'],
  ['no transport', () => world.connect({ transports: [] }), 'a list of'],
  ['a header', () => world.connect({ headers: { Cookie: 'a' } }), 'lower case'],
  ['a header of two lines', () => world.connect({ headers: { cookie: 'a\nb' } }), 'of one line'],
  ['headers', () => world.connect({ headers: any('a: b') }), 'may be an object'],
  ['a namespace', () => world.connect({ namespace: 'chat' }), 'starts with "/"'],
  ['who notices', () => world.cut(client, { noticedBy: any('me') }), '"both", "client", "server", "nobody"'],
  ['silence', () => world.offline(client, { silent: any('yes') }), 'true, false'],
  ['what is lost', () => world.loseRequest(client, { what: any('all') }), '"request", "answer"'],
  ['a method', () => world.repeatRequest(client, { method: any('PUT') }), '"GET", "POST", "DELETE"'],
  ['how often', () => world.repeatRequest(client, { times: 0 }), 'from 1 to 1000000'],
  ['a stall', () => world.stall(client, -1), 'from 0'],
  ['a sleep', () => world.sleep(Number.NaN), 'from 0'],
  ['an advance', () => world.advance(any('1')), 'from 0'],
  ['what is awaited', () => world.until(any('later')), 'a function or a promise'],
];

const strangers: readonly Call[] = [
  ['a server elsewhere', () => world.kill(new Server()), 'ERR_SERVER_UNKNOWN'],
  ['a way to it', () => world.connect({ server: new Server() }), 'ERR_SERVER_UNKNOWN'],
  ['a client of another world', () => world.cut(simulate().connect()), 'ERR_CLIENT_UNKNOWN'],
  ['options of nobody', () => world.cut(stranger), 'ERR_CLIENT_UNKNOWN'],
  ['no client', () => world.stall(any('client 1'), 1), 'ERR_CLIENT_UNKNOWN'],
  ['null', () => world.online(any(null)), 'ERR_CLIENT_UNKNOWN'],
];

/** @returns the error, whether it was thrown or came later */
async function errorOf(call: () => unknown): Promise<{ code: string; message: string }> {
  try {
    await call();
  } catch (error) {
    return error as { code: string; message: string };
  }
  throw new Error('there was no error');
}

describe.each([
  ['an unknown option', unknownNames],
  ['a bad value', values],
])('%s', (_kind, calls) => {
  test.each(calls)('%s', async (_what, call, text) => {
    const { code, message } = await errorOf(call);
    expect(code).toBe('ERR_OPTION');
    expect(message).toMatch(text);
  });
});

test.each(strangers)('not of this world: %s', async (_what, call, code) => {
  expect((await errorOf(call)).code).toBe(code);
});

test('nothing that was refused has left anything', async () => {
  client.connection.close();
  await world.advance(100);
  await io.close();
  expect(await world.close()).toEqual({ clients: [], servers: [], connections: [], timers: [] });
});
