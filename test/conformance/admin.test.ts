// What is shown of a server, and to whom, on either host.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type AdminOptions, admin } from '@halyard/admin';
import { connect } from '@halyard/client';
import { Cable } from '@halyard/harness/cable';
import { PublicError, Server, type ServerOptions } from '@halyard/server';
import { afterEach, describe, expect, test } from 'vitest';
import WebSocket from 'ws';
import type { Item, Report } from '../../packages/admin/src/base/said';
import { hosts } from '../kit/hosts';
import { type AdminSocket, ask, entered, password, reports, visit } from './admin';

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of cleanUp.splice(0).reverse()) await end();
});

function ended(socket: AdminSocket): AdminSocket {
  cleanUp.push(() => socket.connection.close());
  return socket;
}

describe.each(hosts)('on %s', (_name, host) => {
  async function serve(options: AdminOptions = { password }, its: ServerOptions = {}): Promise<Server> {
    const io = new Server({
      host: host(),
      logger: { debug() {}, info() {}, warn() {}, error() {} },
      fetch: (request) => page(request) ?? new Response('the app', { status: 404 }),
      ...its,
    });
    const page = admin(io, options);
    await io.listen(0, '127.0.0.1');
    cleanUp.push(() => io.close());
    return io;
  }

  async function look(io: Server): Promise<AdminSocket> {
    const socket = ended(visit(io.port));
    expect(await entered(socket)).toBe('connected');
    return socket;
  }

  describe('the page', () => {
    test('is there at its path alone, and its policy lets it run and show nothing but itself', async () => {
      const io = await serve();
      const get = (path: string, method = 'GET') => fetch(`http://127.0.0.1:${io.port}${path}`, { method });
      const answer = await get('/halyard-admin?x=1');
      const policy = answer.headers.get('content-security-policy');
      expect(policy).toMatch(
        /^default-src 'none'; script-src 'sha256-[+/\w]+='; style-src 'sha256-[+/\w]+='; connect-src 'self'; /,
      );
      expect(policy).toContain("frame-ancestors 'none'");
      expect(answer.headers.get('cache-control')).toBe('no-store');
      const html = await answer.text();
      expect(html).toContain('data-path="/halyard-admin" data-halyard="/halyard" data-door="password"');
      expect(html.match(/<script/g)).toHaveLength(1);
      expect(html).not.toMatch(/(src|href)="(?!data:)/);
      expect(html).not.toContain(password);
      expect([(await get('/halyard-admin/')).status, (await get('/halyard-admin', 'POST')).status]).toEqual([200, 405]);
      expect(await (await get('/halyard-admins')).text()).toBe('the app');
      expect(await (await get('/halyard-admin', 'HEAD')).text()).toBe('');
    });

    test('is a listener of an app of its own too', async () => {
      const io = new Server();
      const page = admin(io, { password, path: '/ops/halyard' });
      const app = createServer((request, response) => page(request, response, () => response.end('the app')));
      await new Promise<void>((resolve) => app.listen(0, '127.0.0.1', resolve));
      cleanUp.push(() => app.close());
      const get = (path: string) => fetch(`http://127.0.0.1:${(app.address() as AddressInfo).port}${path}`);
      expect(await (await get('/ops/halyard')).text()).toContain('data-path="/ops/halyard"');
      expect(await (await get('/ops')).text()).toBe('the app');
    });
  });

  describe('the door', () => {
    test('lets nobody in without the password, and says why', async () => {
      const io = await serve();
      expect(await entered(ended(visit(io.port, {})))).toBe(
        'ERR_ADMIN_PASSWORD: This namespace is entered with the password: auth: { password }.',
      );
      for (const wrong of ['correct horse batterz', 'x'.repeat(2_000)])
        expect(await entered(ended(visit(io.port, { password: wrong })))).toBe(
          'ERR_ADMIN_PASSWORD: The password is another one.',
        );
      expect(await entered(ended(visit(io.port)))).toBe('connected');
    });

    test('looks at no password of an address that has guessed too often, not even at the right one', async () => {
      const io = await serve();
      for (let i = 0; i < 10; i++) await entered(ended(visit(io.port, { password: `guess ${i}` })));
      expect(await entered(ended(visit(io.port)))).toMatch(/^ERR_ADMIN_ATTEMPTS: Too many wrong passwords .* \d+ more/);
    });

    test('is shut for pages of other origins', async () => {
      const io = await serve();
      const socket = new WebSocket(`ws://127.0.0.1:${io.port}/halyard`, { origin: 'https://evil.example' });
      const status = await new Promise((resolve) => {
        socket.on('unexpected-response', (_request, { statusCode }) => resolve(statusCode)).on('error', () => {});
      });
      expect(status).toBe(403);
    });

    test('may be a guard of the app, which is asked again when somebody comes back', async () => {
      let isBanned = false;
      const io = await serve({
        guard: ({ headers }) => {
          if (isBanned) throw new PublicError('ERR_BANNED', 'Not any more.');
          return headers.get('x-user') === 'ada';
        },
      });
      const eve = ended(visit(io.port, {}, { 'x-user': 'eve' }));
      expect(await entered(eve)).toBe('ERR_ADMIN_GUARD: You may not look at this server: its guard says so.');
      const cable = await Cable.open(io.port);
      cleanUp.push(() => cable.close());
      const ada = ended(visit(cable.port, {}, { 'x-user': 'ada' }));
      expect(await entered(ada)).toBe('connected');
      isBanned = true;
      cable.cut();
      expect(await entered(ada)).toBe('ERR_BANNED: Not any more.');
      const left = [...io.inspect().sessions()].filter(({ sockets }) => sockets.length > 0);
      expect(left).toEqual([]);
    });

    test('keeps nothing of the password', async () => {
      const io = await serve();
      await look(io);
      const sockets = [...io.of('/halyard-admin').sockets.values()];
      expect(sockets.map(({ handshake }) => handshake.auth)).toEqual([{}]);
      expect(JSON.stringify(sockets.map(({ data }) => data))).not.toContain(password);
    });
  });

  describe('who looks', () => {
    test('is told what there is, and what has gone through since', async () => {
      const io = await serve();
      io.on('connection', (socket) => {
        socket.join(['lobby', '<b>']);
        socket.on('echo', (text: string) => text);
      });
      const socket = await look(io);
      const guest = connect(`http://127.0.0.1:${io.port}`);
      cleanUp.push(() => guest.connection.close());
      await guest.emitWithAck('echo', 'x');
      expect(await socket.emitWithAck('look')).toEqual({ node: io.node, isReadOnly: false });
      await reports(socket);
      await guest.emitWithAck('echo', 'y'.repeat(10_000));
      const report = (await reports(socket)).get(io.node);
      expect(report).toMatchObject({
        ...{ isReady: true, isDraining: false, reasons: [], pid: process.pid, connections: 2, sockets: 2, store: '' },
        sessions: { live: 2, catchingUp: 0, away: 0 },
        readers: { rows: [], others: 0, isPartial: false },
      });
      expect(report?.perSecond.bytesIn).toBeGreaterThan(1_000);
      expect(report?.perSecond.bytesIn).toBeLessThan(20_000);
      expect(report?.namespaces.rows).toContainEqual({ name: '/', sockets: 1, rooms: 2 });
      expect(report?.rooms.rows.map(({ namespace, room, members }) => [namespace, room, members]).sort()).toEqual([
        ['/', '<b>', 1],
        ['/', 'lobby', 1],
        ['/halyard-admin', 'looking', 1],
      ]);
    });

    test('and looks away, goes away or is lost costs nothing any more', async () => {
      const timers = new Map<object, number>();
      const clock: ServerOptions['clock'] = {
        now: () => Math.floor(performance.now()),
        after(delayMs, run) {
          const key = {};
          timers.set(key, delayMs);
          const timer = setTimeout(() => {
            timers.delete(key);
            run();
          }, delayMs);
          return () => {
            clearTimeout(timer);
            timers.delete(key);
          };
        },
      };
      const io = await serve({ password }, { clock });
      /** Of reports, and of what is said to other servers again. */
      const running = () => [...timers.values()].filter((ms) => ms >= 1_000).length;
      const delays = () =>
        io
          .inspect()
          .metrics()
          .find(({ name }) => name === 'halyard_loop_delay_seconds');
      const cable = await Cable.open(io.port);
      cleanUp.push(() => cable.close());
      const socket = ended(visit(cable.port));
      expect(await entered(socket)).toBe('connected');
      const before = running();
      for (const end of [() => socket.emitWithAck('look-away'), () => cable.pull(), () => socket.connection.close()]) {
        if (!socket.connected) {
          cable.mend();
          await expect.poll(() => socket.connected).toBe(true);
        }
        await socket.emitWithAck('look');
        await reports(socket);
        expect(running()).toBe(before + 2);
        await end();
        await expect.poll(running).toBe(before);
      }
      const counted = delays();
      await new Promise((resolve) => setTimeout(resolve, 250));
      expect(delays()).toEqual(counted);
    });

    test('finds sessions by what is said of them, looks into one, and ends it', async () => {
      const io = await serve({ password, describe: ({ data }) => (data as { name?: string }).name });
      io.use(({ auth, data }) => {
        data.name = auth.name;
      });
      io.on('connection', (socket) => socket.join(`user:${socket.data.name}`));
      const guests = ['ada', 'ben'].map((name) => connect(`http://127.0.0.1:${io.port}`, { auth: { name } }));
      for (const guest of guests) {
        cleanUp.push(() => guest.connection.close());
        await expect.poll(() => guest.connected).toBe(true);
      }
      const socket = await look(io);
      const [all] = await ask(socket, { what: 'sessions', search: '' });
      expect(all?.rows.map(({ description }) => description).sort()).toEqual(['', 'ada', 'ben']);
      const [found] = await ask(socket, { what: 'sessions', search: 'ben' });
      expect(found).toMatchObject({
        rows: [{ description: 'ben', state: 'live', transport: 'websocket', codec: 'json', address: '127.0.0.1' }],
        ...{ others: 0, isPartial: false },
      });
      const { id = '' } = found?.rows[0] ?? {};
      for (const search of [id, guests[1]?.id ?? ''])
        expect((await ask(socket, { what: 'sessions', search }))[0]?.rows).toHaveLength(1);
      const [details] = await ask(socket, { what: 'session', id });
      expect(details).toMatchObject({
        ...{ id, outboxPackets: expect.any(Number), connection: 2 },
        socketList: {
          rows: [{ id: guests[1]?.id, namespace: '/', rooms: { rows: ['user:ben'] }, description: 'ben' }],
        },
      });
      const over = new Promise((resolve) => guests[1]?.on('disconnect', resolve));
      expect(await ask(socket, { what: 'end', id })).toEqual([true]);
      expect(await over).toMatchObject({ code: 1000, reason: 'disconnected by an operator', by: 'server' });
      expect(guests[1]?.active).toBe(false);
      expect(await ask(socket, { what: 'end', id })).toEqual([false]);
      expect(await ask(socket, { what: 'session', id })).toEqual([null]);
      expect(guests[0]?.connected).toBe(true);
    });

    test('is shown who does not read, and how much waits for them', async () => {
      const io = await serve({ password }, { backpressureBytesMax: 64 << 20 });
      const cable = await Cable.open(io.port);
      cleanUp.push(() => cable.close());
      const guest = connect(`http://127.0.0.1:${cable.port}`, { transports: ['websocket'] });
      cleanUp.push(() => guest.connection.close());
      await expect.poll(() => guest.connected).toBe(true);
      const [{ id } = { id: '' }] = io.inspect().sessions();
      cable.stall('down');
      for (let i = 0; i < 200; i++) io.emit('big', 'x'.repeat(100_000));
      const socket = await look(io);
      const report = new Promise<Report>((resolve) => socket.once('report', resolve));
      await socket.emitWithAck('look');
      const { readers } = await report;
      expect(readers.rows.map((row) => row.id)).toEqual([id]);
      expect(readers.rows[0]?.bufferedBytes).toBeGreaterThan(1 << 20);
    });

    test('may be let look alone', async () => {
      const io = await serve({ password, readOnly: true });
      const socket = await look(io);
      expect((await socket.emitWithAck('look')).isReadOnly).toBe(true);
      const [{ id } = { id: '' }] = io.inspect().sessions();
      await expect(ask(socket, { what: 'end', id })).rejects.toMatchObject({ code: 'ERR_ADMIN_READ_ONLY' });
      expect(io.inspect().sessionCount).toBe(1);
    });

    test('is told which rule a question breaks, and nobody else notices', async () => {
      const io = await serve();
      const socket = await look(io);
      const wrong: unknown[] = [undefined, {}, { what: 'all' }, { what: 'sessions' }, { what: 'end', id: '' }];
      wrong.push({ what: 'rooms', search: 'x'.repeat(300) });
      for (const question of wrong)
        await expect(socket.emitWithAck('ask', 1, question as never)).rejects.toMatchObject({ code: 'ERR_INVALID' });
      await expect(socket.emitWithAck('ask', 'x' as never, { what: 'problems' })).rejects.toMatchObject({
        code: 'ERR_INVALID',
      });
      const many = Array.from({ length: 200 }, (_item, i) => socket.emitWithAck('ask', i, { what: 'problems' }));
      const settled = await Promise.allSettled(many);
      const refused = settled.filter(({ status }) => status === 'rejected');
      expect(refused.length).toBeGreaterThan(50);
      expect(refused[0]).toMatchObject({ reason: { code: 'ERR_ADMIN_BUSY' } });
    });

    test('is shown errors and warnings, and what happens, without what the app has thrown', async () => {
      const io = await serve();
      io.on('connection', (socket) =>
        socket.on('fail', () => {
          throw new TypeError('secret');
        }),
      );
      const socket = await look(io);
      const items: Item[] = [];
      socket.on('happened', (_node, _number, its) => void items.push(...its));
      await socket.emitWithAck('tail');
      const guest = connect(`http://127.0.0.1:${io.port}`);
      cleanUp.push(() => guest.connection.close());
      await guest.emitWithAck('fail').catch(() => {});
      guest.connection.close();
      await expect.poll(() => items.map(({ happening }) => happening)).toContain('session ended');
      expect(items.map(({ happening }) => happening)).toEqual(
        expect.arrayContaining(['connection opened', 'session begun', 'event failed', 'error', 'connection closed']),
      );
      const [problems] = await ask(socket, { what: 'problems' });
      const message = 'the handler of "fail" in namespace / failed.';
      expect(problems).toEqual([{ level: 'error', code: 'TypeError', message, count: 1, at: expect.any(Number) }]);
      expect(JSON.stringify([items, problems])).not.toContain('secret');
    });
  });
});
