// A request of a polling client that comes to another server than the one that has its connection: that one answers, and nobody is
// asked who it is. Every request is made by hand.
import { memory, Server, type Socket } from '@halyard/server';
import { describe, expect, test } from 'vitest';
import { clusterOf } from '../kit/cluster';
import { hosts } from '../kit/hosts';
import { type KillableServer, killable } from '../kit/killable';
import { type Answer, numberOf, Poller } from './poller';
import { RawSocket, request } from './raw';

const unknown = { status: 404, code: 'ERR_CONNECTION_UNKNOWN' };
/** To all but polls: the server that an id names may hear nothing just now. */
const absent = { status: 503, code: 'ERR_OWNER_UNKNOWN' };

function reason({ status, body }: Answer): { status: number; code: unknown } {
  return { status, code: body === '' ? undefined : (JSON.parse(body) as { code: unknown }).code };
}

describe.each(hosts)('on %s', (_name, host) => {
  const { cleanUp, serve } = clusterOf(host);

  /** A connection at the first server that has said HELLO, and the same for a client that comes to each of the others. */
  async function joined(servers: readonly KillableServer[]): Promise<[at: Poller, ...elsewhere: Poller[]]> {
    const [first, ...others] = servers.map(({ io }) => new Poller(io.port)) as [Poller, ...Poller[]];
    const opened = await Poller.open((servers[0] as KillableServer).io.port);
    first.connection = opened.connection;
    await first.send([0]);
    await first.packet(11);
    for (const other of others) other.connection = first.connection;
    return [first, ...others];
  }

  /** Two polls, of which the server that has the connection holds the later one: it has ended the earlier one. */
  async function held(one: Poller, other: Poller): Promise<Promise<Answer>[]> {
    const polls = [one.poll(1), other.poll(1)];
    expect((await Promise.race(polls)).status).toBe(204);
    return polls;
  }

  const echo = (io: Server): void => {
    io.on('connection', (socket) => socket.on('echo', (value: unknown) => value));
  };

  test('a request at another server has the answer of the one that has the connection, however often it comes', async () => {
    const servers = await serve(3, echo);
    const [a, b, c] = (await joined(servers)) as [Poller, Poller, Poller];
    const [socket] = [...(servers[0] as KillableServer).io.sockets.values()] as [Socket];
    const { received } = a;
    const body = '[2,"/","echo",["once"],1]';
    const answers = [await b.post(2, body, received), await c.post(2, body, received), await a.post(2, body, received)];
    expect(answers.map((answer) => [answer.status, numberOf(answer), answer.body])).toEqual(
      Array(3).fill([200, received + 1, '[3,1,"once"]']),
    );
    // A poll at one waits while another comes to a second: that ends the first, which has nothing.
    const [first, second] = [b.poll(received + 1), c.poll(received + 1)] as const;
    await Promise.race([first, second]);
    socket.emit('news');
    expect((await Promise.all([first, second])).map(({ status, body: text }) => [status, text]).toSorted()).toEqual([
      [200, '[2,"/","news",[]]'],
      [204, ''],
    ]);
    // It is kept until it is confirmed, and told anywhere.
    expect((await a.poll(received + 1)).body).toBe('[2,"/","news",[]]');
    expect((await b.poll(received + 1)).body).toBe('[2,"/","news",[]]');
    expect(reason(await c.post(9, '[8]', received + 2))).toEqual({ status: 400, code: 'ERR_SEQUENCE' });
    expect((await b.poll(received + 2)).headers.get('halyard-close')).toBe('4400 ERR_SEQUENCE: expected halyard-seq 3');
  });

  test('a DELETE at another server ends the session', async () => {
    const servers = await serve(2);
    const [a, b] = (await joined(servers)) as [Poller, Poller];
    expect((await b.request('DELETE', { 'halyard-close': '1000' })).status).toBe(204);
    expect((servers[0] as KillableServer).io.sockets.size).toBe(0);
    expect(reason(await a.poll())).toEqual(unknown);
    expect(reason(await b.poll())).toEqual(unknown);
  });

  test('ids that are none, or of nobody, are unknown at once', async () => {
    const servers = await serve(2);
    const [a, b] = (await joined(servers)) as [Poller, Poller];
    const [node, random] = a.connection.split('.') as [string, string];
    const other = (await Poller.open((servers[1] as KillableServer).io.port)).connection;
    const ids = [
      ...['x', 'x.', '.y', '.', '..', `${node}.`, `.${random}`, `${node}${random}`, `${node}.${random}.`],
      ...[`${node}.${'A'.repeat(22)}`, `${'A'.repeat(12)}.${random}`, `${node}.${random}A`, `A${node}.${random}`],
      ...[`${other.split('.')[0]}.${random}`, `${node}.${other.split('.')[1]}`, `${node}.${'A'.repeat(4_000)}`],
      ...['__proto__.constructor', `${'A'.repeat(4_000)}.${random}`, `constructor_.${random}`],
    ];
    for (const poller of [a, b]) {
      const { connection } = poller;
      for (const id of ids) {
        poller.connection = id;
        expect([id, reason(await poller.poll(0))]).toEqual([id, unknown]);
        for (const answer of [await poller.post(2, '[8]'), await poller.request('DELETE')]) {
          expect([unknown, absent]).toContainEqual(reason(answer));
        }
      }
      poller.connection = connection;
    }
    // Nothing of that has touched the connection there is.
    b.received = a.received;
    expect((await b.post(2, '[8]')).body).toBe('[9,0]');
  });

  test('a server that is killed: what waits at others is unknown as soon as that is noticed, and later at once', async () => {
    const servers = await serve(3, () => {}, { pollHoldMs: 600_000 });
    const [, b, c] = (await joined(servers)) as [Poller, Poller, Poller];
    const waiting = await held(b, c);
    const [owner] = servers as [KillableServer];
    await owner.kill();
    owner.noticed();
    expect(reason((await Promise.all(waiting)).find(({ status }) => status !== 204) as Answer)).toEqual(unknown);
    expect(reason(await b.poll(1))).toEqual(unknown);
    expect(reason(await b.post(2, '[8]', 1))).toEqual(absent);
  });

  test('a server that is silent and not known to be gone: 503, and the request may be repeated', async () => {
    const servers = await serve(2, () => {}, { pollHoldMs: 10 });
    const [, b] = (await joined(servers)) as [Poller, Poller];
    await servers[0]?.kill();
    const answers = [b.poll(1), b.post(2, '[8]', 1)].map(async (answer) => reason(await answer));
    expect(await Promise.all(answers)).toEqual(Array(2).fill({ status: 503, code: 'ERR_OWNER_SILENT' }));
    servers[0]?.noticed();
    expect(reason(await b.poll(1))).toEqual(unknown);
  });

  test('a server that closes says so to a poll that waits at another', async () => {
    const servers = await serve(3);
    const [, b, c] = (await joined(servers)) as [Poller, Poller, Poller];
    const waiting = await held(b, c);
    await (servers[0] as KillableServer).io.close();
    const closes = (await Promise.all(waiting)).map(({ headers }) => headers.get('halyard-close'));
    expect(closes.toSorted()).toEqual(['1001 the server shuts down', null]);
  });

  test('past forwardedRequestsMax a request is refused; one that nobody waits for any more makes room', async () => {
    const servers = await serve(2, () => {}, { forwardedRequestsMax: 1, pollHoldMs: 600_000 });
    const warnings: string[] = [];
    const [, second] = servers as [KillableServer, KillableServer];
    second.io.on('warning', ({ code }) => void warnings.push(code));
    const [a, b] = (await joined(servers)) as [Poller, Poller];
    b.received = a.received;
    const raw = await RawSocket.open(second.io.port);
    raw.write(request('GET /halyard', { 'Halyard-Connection': a.connection, 'Halyard-Ack': '1' }));
    await expect.poll(async () => reason(await b.post(2, '[8]')).code).toBe('ERR_TOO_MANY_FORWARDED');
    expect(warnings).toEqual(['forwardedRequestsMax']);
    // The poll is held for ten minutes, unless the server that has it is told.
    raw.cut();
    await expect.poll(async () => (await b.post(2, '[8]')).status).not.toBe(503);
  });

  test('a body over httpBodyBytesMax is refused by the server that it comes to, and by the one it is for', async () => {
    const adapter = memory({ shared: true });
    const servers = await Promise.all(
      [2_048, 4_096].map((httpBodyBytesMax) => killable(host(), { adapter, httpBodyBytesMax }, echo)),
    );
    for (const { close } of servers) cleanUp.push(close);
    const [a, b] = (await joined(servers)) as [Poller, Poller];
    b.received = a.received;
    for (const [bytes, told] of [
      [5_000, 4_096],
      [3_000, 2_048],
    ] as const) {
      const answer = await b.post(2, '[2,"/","echo",["big"],1]'.padEnd(bytes));
      expect(reason(answer)).toEqual({ status: 413, code: 'ERR_BODY_TOO_BIG' });
      expect(answer.body).toContain(`${told} bytes`);
    }
    expect((await b.post(2, '[2,"/","echo",["big"],1]'.padEnd(2_000))).body).toBe('[3,1,"big"]');
  });

  test('the page of an allowed origin may read what another server answers', async () => {
    const servers = await serve(2, echo, { origins: ['https://app.example'] });
    const [a, b] = (await joined(servers)) as [Poller, Poller];
    const headers = { origin: 'https://app.example', 'halyard-seq': '2', 'halyard-ack': `${a.received}` };
    const answer = await b.request('POST', headers, '[2,"/","echo",["it"],1]');
    expect([answer.body, answer.headers.get('access-control-allow-origin')]).toEqual([
      '[3,1,"it"]',
      'https://app.example',
    ]);
    const other = await b.request('POST', { ...headers, origin: 'https://evil.example' }, '[8]');
    expect(reason(other)).toEqual({ status: 403, code: 'ERR_ORIGIN' });
  });

  test('a server with a store of its own says nothing in its ids', async () => {
    const io = await new Server({ host: host() }).listen(0, '127.0.0.1');
    cleanUp.push(() => io.close());
    expect((await Poller.open(io.port)).connection).toMatch(/^[\w-]{22}$/);
  });
});
