// What DEBUG=halyard:* shows of a server: what happens to connections, sessions, namespaces and events; and nothing that was sent.
import type { HostFactory, Server } from '@halyard/server';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { hosts } from '../kit/hosts';
import { WireClient } from '../kit/wire';
import { Poller } from './poller';
import { RawWebSocket } from './raw';

const secret = 'PLANTED-SECRET';
const servers: Server[] = [];
let lines: string[] = [];

beforeEach(() => {
  lines = [];
  vi.spyOn(process.stderr, 'write').mockImplementation((line) => {
    lines.push(String(line));
    return true;
  });
});

afterEach(async () => {
  for (const io of servers.splice(0)) await io.close();
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  vi.resetModules();
});

/** A server as a process has it that was started with this DEBUG. */
async function start(wanted: string, name: string): Promise<{ io: Server; refuse: () => never }> {
  vi.resetModules();
  vi.stubEnv('DEBUG', wanted);
  const halyard = await import('@halyard/server');
  const hosts: Record<string, () => HostFactory> = { uws: halyard.uws, node: halyard.node };
  const io = new halyard.Server({ host: hosts[name]?.(), recoveryWindowMs: 60_000 });
  servers.push(io);
  io.on('error', () => {});
  io.on('warning', () => {});
  await io.listen(0, '127.0.0.1');
  return {
    io,
    refuse: () => {
      throw new halyard.PublicError('ERR_TOKEN', secret);
    },
  };
}

/** A life with a secret wherever a client or an app can put one. */
async function live({ io, refuse }: Awaited<ReturnType<typeof start>>): Promise<string[]> {
  io.of('/members').use(refuse);
  io.on('connection', (socket) => {
    socket.data.password = secret;
    socket.on('ask', () => secret);
    socket.on('fail', refuse);
    socket.emit('hi', secret);
    io.emit('all', secret);
  });
  const token = `${secret}-of-16-characters`;
  const cookie = `session=${secret}`;
  const wire = await WireClient.open(io.port, { cookie, authorization: secret });
  wire.send([0, [['/', { token: secret }], ['/members', { token: secret }], ['/nowhere']], '', null, token, 1]);
  const [, session, its] = (await wire.packet(1)) as [number, string, string];
  wire.send([2, '/', 'ask', [secret], 1], [2, '/', 'mistyped', [secret]], [2, '/', 'fail', [secret], 2]);
  await wire.packet(4, ([, ack]) => ack === 2);
  const [, , socket] = await wire.packet(11);
  const away = new Promise((resolve) => io.sockets.get(socket as string)?.once('away', resolve));
  wire.cut();
  await away;
  const poller = await Poller.open(io.port);
  await poller.send([0, [], '', [session, its, 1, 0], '', 2]);
  await poller.packet(1);
  await poller.send([13, '/', secret]);
  await poller.request('DELETE', { 'halyard-close': '1000' });
  const broken = await WireClient.open(io.port);
  broken.send([0]);
  await broken.packet(11);
  broken.send([0, secret]);
  await broken.until(({ closed }) => closed);
  const odd = await RawWebSocket.connect(io.port);
  await odd.hello();
  // The rule that is broken quotes it.
  odd.message(`[6,"/","x",[{"$${secret}":1}]]`);
  await odd.close();
  const lost = await WireClient.open(io.port);
  lost.send([0, [], '', ['nobody', secret, 0, 0]]);
  await lost.packet(1);
  const url = `http://127.0.0.1:${io.port}/halyard?token=${secret}`;
  await fetch(url, { method: 'POST', headers: { origin: 'http://foreign.test', cookie, 'halyard-protocol': secret } });
  await fetch(url, { method: 'POST', headers: { 'halyard-connection': secret } });
  await fetch(url, { method: 'POST', headers: { 'halyard-protocol': secret } });
  const port = io.port;
  await io.close();
  return [its, poller.connection, `${port}`];
}

describe.each(hosts)('on %s', (name) => {
  test('every turn in the life of a session is a line, and no line holds a secret', async () => {
    const [its = '', connection = '', port = ''] = await live(await start('halyard:*', name));
    const text = lines.join('');
    expect(text).not.toContain(secret);
    expect(text).not.toContain(its);
    expect(text).not.toContain(connection);
    expect(lines.every((line) => /^[\dT:.-]+Z halyard:server(:\w+)? [^\n]+\n$/.test(line))).toBe(true);
    for (const line of [
      new RegExp(`halyard:server node \\S+ runs on the host ${name} at /halyard`),
      new RegExp(`halyard:server node \\S+ listens on port ${port}`),
      /:transport a websocket of 127\.0\.0\.1 is open/,
      /:session session \S+ begins over websocket, json\n/,
      /:namespace session \S+ is in "\/", with the socket \S+/,
      /:namespace session \S+ was refused in "\/members": "ERR_TOKEN"/,
      /:namespace session \S+ was refused in "\/nowhere": "ERR_NAMESPACE_UNKNOWN"/,
      /:event socket \S+ of "\/": nothing handles "mistyped"/,
      /:event socket \S+ of "\/": "the handler of \\"fail\\"" threw "ERR_TOKEN"/,
      /:session session \S+ is away: 1006 by network/,
      /:transport a connection of 127\.0\.0\.1 by polling is open, halyard\.v1\+json/,
      /:session session \S+ is resumed over polling, connection 2: the client has handled 1 of \d+, the server 3/,
      /:namespace socket \S+ of "\/" is over: 1000 by client/,
      /:session session \S+ is over: 1000 by client/,
      /:session session \S+ is over: 4400 by server, "ERR_PACKET_SHAPE"/,
      /:session session \S+ is over: 4400 by server, "ERR_FRAME_DECODE"/,
      /:session session \S+ begins over websocket, json: resume refused, unknown-session/,
      /:transport "POST" of 127\.0\.0\.1 was refused: 403 ERR_ORIGIN/,
      /:transport "POST" of 127\.0\.0\.1 was refused: 404 ERR_CONNECTION_UNKNOWN/,
      /:transport "POST" of 127\.0\.0\.1 was refused: 400 ERR_NO_COMMON_PROTOCOL/,
      /halyard:server node \S+ closes, with 1 sessions/,
    ]) {
      expect(text).toMatch(line);
    }
  });

  test('only what was asked for is shown, and by default nothing', async () => {
    await live(await start('halyard:server:session', name));
    expect(lines.length).toBeGreaterThan(3);
    expect(lines.every((line) => line.includes(' halyard:server:session '))).toBe(true);
    lines = [];
    await live(await start('', name));
    expect(lines).toEqual([]);
  });
});
