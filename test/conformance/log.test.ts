// What a logger is told: what happens to connections, sessions and namespaces, by ids and codes; and nothing that was sent or opens anything.
import { EventEmitter, once } from 'node:events';
import { connect } from '@halyard/client';
import { type HostFactory, type Logger, memory, PublicError, Server, type ServerOptions } from '@halyard/server';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { hosts } from '../kit/hosts';
import { WireClient } from '../kit/wire';
import { Poller } from './poller';

const secret = 'PLANTED-SECRET';
const cleanUp: (() => unknown)[] = [];

afterEach(async () => {
  for (const run of cleanUp.splice(0).reverse()) await run();
});

interface Line {
  readonly level: string;
  readonly message: string;
  readonly [field: string]: unknown;
}

class Log implements Logger {
  readonly lines: Line[] = [];
  readonly #heard = new EventEmitter();
  debug = this.#at('debug');
  info = this.#at('info');
  warn = this.#at('warn');
  error = this.#at('error');

  /** Waits for a line with these fields. */
  async until(fields: object): Promise<void> {
    const isThere = (): boolean =>
      this.lines.some((line) => Object.entries(fields).every(([key, value]) => line[key] === value));
    while (!isThere()) await once(this.#heard, 'line');
  }

  #at(level: string) {
    return (fields: object, message: string): void => {
      this.lines.push({ level, message, ...fields });
      this.#heard.emit('line');
    };
  }
}

async function start(host: HostFactory, log: Logger | undefined, options: ServerOptions = {}): Promise<Server> {
  const io = new Server({ host, logger: log, origins: '*', ...options });
  cleanUp.push(() => io.close());
  return io.listen(0, '127.0.0.1');
}

/** A server with a secret wherever a client or an app can put one that is not an error of its own. */
function furnish(io: Server): void {
  io.of('/members').use(() => {
    throw new PublicError('ERR_TOKEN', secret, { secret });
  });
  io.on('connection', (socket) => {
    socket.data.password = secret;
    socket.on('ask', () => secret);
    socket.on('break', () => {
      throw new TypeError('of the app');
    });
    socket.on('refuse', () => {
      throw new PublicError('ERR_NOT_NOW', secret);
    });
    socket.on('unsendable', () => ({ secret, number: Number.NaN }));
    socket.join(secret);
    socket.emit('hi', secret);
    socket.volatile.emit('hi', secret);
    io.to(secret).emit('all', secret);
  });
}

const fields = [
  'level',
  'message',
  'node',
  'code',
  'session',
  'connection',
  'transport',
  'namespace',
  'reason',
  'where',
];

describe.each(hosts)('on %s', (_name, host) => {
  test('a life over all transports, with secrets wherever there can be one, is told without any', async () => {
    const log = new Log();
    const adapter = memory({ shared: true });
    const options = { adapter, allowRequest: ({ url }: { url: string }) => !url.includes('banned') };
    const [io, other] = [await start(host(), log, options), await start(host(), log, options)];
    const opening: string[] = [];
    for (const one of [io, other]) furnish(one);
    for (const transport of ['websocket', 'sse', 'polling'] as const) {
      const socket = connect(`http://127.0.0.1:${io.port}`, {
        transports: [transport],
        auth: { token: secret },
        extraHeaders: { cookie: `session=${secret}`, authorization: secret },
      });
      cleanUp.push(() => socket.connection.close());
      expect(await socket.emitWithAck('ask', secret)).toBe(secret);
      for (const event of ['break', 'refuse', 'unsendable', 'nothing']) {
        await expect(socket.emitWithAck(event, secret)).rejects.toThrow();
      }
      socket.emit(secret, secret);
      await log.until({ message: 'A session has begun.', transport });
    }
    const cookie = `session=${secret}`;
    const token = `${secret}-of-16-characters`;
    const wire = await WireClient.open(io.port, { cookie, authorization: secret });
    wire.send([
      0,
      [['/', { token: secret }], ['/members', { token: secret }], [`/${'n'.repeat(8)}`]],
      '',
      null,
      token,
      1,
    ]);
    const [, session, its] = (await wire.packet(1)) as [number, string, string];
    opening.push(its);
    await wire.packet(12);
    wire.cut();
    await log.until({ message: 'A session has lost its connection.', session });
    const poller = await Poller.open(other.port);
    opening.push(poller.connection);
    await poller.send([0, [], '', [session, its, 1, 0], '', 2]);
    await poller.packet(1);
    await log.until({ message: 'A session has come from another server.', session });
    await log.until({ message: 'A session goes on at another server.', session });
    await log.until({ message: 'A session is back on another connection.', session, transport: 'polling' });
    await poller.send([13, '/', secret]);
    await poller.request('DELETE', { 'halyard-close': '1000' });
    await log.until({ message: 'A session is over.', session, code: 1000 });
    const broken = await WireClient.open(io.port);
    broken.send([0]);
    await broken.packet(11);
    broken.send([0, secret]);
    await broken.until(({ closed }) => closed);
    const leaving = await WireClient.open(io.port);
    leaving.send([0]);
    await leaving.packet(1);
    await leaving.close(4999, secret);
    await log.until({ message: 'A connection is closed.', code: 4999 });
    const lost = await WireClient.open(io.port);
    lost.send([0, [], '', ['nobody', secret, 0, 0]]);
    await lost.packet(1);
    await log.until({ message: 'A session was not resumed.', code: 'unknown-session' });
    const url = `http://127.0.0.1:${io.port}/halyard?token=${secret}`;
    await fetch(`${url}&banned`, { method: 'POST', headers: { cookie } });
    await fetch(url, { method: 'POST', headers: { 'halyard-connection': secret } });
    await fetch(url, { method: 'POST', headers: { 'halyard-protocol': secret } });
    await fetch(`http://127.0.0.1:${io.port}/elsewhere?token=${secret}`);
    for (const run of cleanUp.splice(0).reverse()) await run();

    const text = JSON.stringify(log.lines, (_key, value: unknown) =>
      value instanceof Error ? `${value.stack} ${JSON.stringify(value)}` : value,
    );
    expect(text).not.toContain(secret);
    for (const one of opening) expect(text).not.toContain(one);
    const nodes = [io.node, other.node];
    expect(log.lines.every(({ node }) => nodes.includes(node as string))).toBe(true);
    for (const line of log.lines) {
      expect(fields.concat('err', 'count', 'leftOut')).toEqual(expect.arrayContaining(Object.keys(line)));
    }
    for (const line of [
      { level: 'debug', message: 'A connection is open.', transport: 'sse' },
      { level: 'debug', message: 'A connection is closed.', transport: 'websocket', code: 1006 },
      { level: 'debug', message: 'An event has failed.', code: 'ERR_NOT_NOW', namespace: '/' },
      { level: 'info', message: 'A session has begun.', transport: 'websocket' },
      { level: 'info', message: 'A session is over.', code: 4400, reason: 'ERR_PACKET_SHAPE' },
      { level: 'info', message: 'A session goes on at another server.', code: 1001, reason: 'the server shuts down' },
      { level: 'warn', message: 'A namespace was refused.', code: 'ERR_TOKEN', namespace: '/members' },
      { level: 'warn', message: 'A namespace was refused.', code: 'ERR_NAMESPACE_UNKNOWN' },
      { level: 'warn', message: 'A request was refused.', code: 'ERR_REFUSED' },
      { level: 'warn', message: 'A request was refused.', code: 'ERR_NO_COMMON_PROTOCOL' },
      { level: 'error', message: 'Something has failed that nobody waits for.', code: 'TypeError' },
    ]) {
      expect(log.lines).toContainEqual(expect.objectContaining(line));
    }
  });

  test('errors and warnings go to the log in place of stderr, each code once a minute with what was left out', async () => {
    let now = 0;
    const stderr = [vi.spyOn(console, 'error'), vi.spyOn(console, 'warn')];
    const log = new Log();
    const clock = { now: () => now, after: () => () => {} };
    const io = await start(host(), log, { clock, origins: [] });
    io.on('connection', (socket) => {
      socket.on('break', () => {
        throw new RangeError('again');
      });
    });
    const refuse = (): Promise<unknown> =>
      fetch(`http://127.0.0.1:${io.port}/halyard`, { method: 'POST', headers: { origin: 'http://foreign.test' } });
    const wire = await WireClient.open(io.port);
    wire.send([0, [['/']]]);
    await wire.packet(11);
    wire.send(...Array.from({ length: 5 }, (_, i) => [2, '/', 'break', [], i + 1]));
    await wire.packet(4, ([, ack]) => ack === 5);
    await refuse();
    await refuse();
    now = 60_000;
    wire.send([2, '/', 'break', [], 6]);
    await wire.packet(4, ([, ack]) => ack === 6);
    await refuse();
    const told = log.lines.filter(({ level }) => level === 'warn' || level === 'error');
    const where = 'the handler of "break" in namespace /';
    expect(told.map(({ code, where, count, leftOut }) => ({ code, where, count, leftOut }))).toEqual([
      { code: 'RangeError', where },
      { code: 'ERR_ORIGIN', count: 1 },
      { code: 'ERR_ORIGIN' },
      { code: 'RangeError', where, leftOut: 4 },
      { code: 'ERR_ORIGIN', count: 2 },
      { code: 'ERR_ORIGIN', leftOut: 1 },
    ]);
    expect(told[0]?.err).toBeInstanceOf(RangeError);
    for (const spy of stderr) {
      expect(spy).not.toHaveBeenCalled();
      spy.mockRestore();
    }
  });

  test('without a logger stderr has errors that nobody hears: of those that are alike ten in a minute', async () => {
    let now = 0;
    const stderr = vi.spyOn(console, 'error').mockImplementation(() => {});
    const clock = { now: () => now, after: () => () => {} };
    const io = await start(host(), undefined, { clock });
    io.on('connection', (socket) => {
      socket.on('break', (text: string) => {
        throw new RangeError(text);
      });
    });
    const wire = await WireClient.open(io.port);
    wire.send([0, [['/']]]);
    await wire.packet(11);
    const fails = async (from: number, to: number, text: string): Promise<void> => {
      for (let i = from; i <= to; i++) wire.send([2, '/', 'break', [text], i]);
      await wire.packet(4, ([, ack]) => ack === to);
    };
    await fails(1, 25, 'again');
    await fails(26, 26, 'something else');
    now = 60_000;
    await fails(27, 27, 'again');
    const where = 'Halyard: the handler of "break" in namespace /';
    const lines = stderr.mock.calls.map(([line, error]) => `${line} ${error.message}`);
    stderr.mockRestore();
    expect(lines).toEqual([
      ...Array(10).fill(`${where} failed: again`),
      `${where} failed: something else`,
      `${where} failed (and 15 times more that were not printed; io.on("error", …) hears all): again`,
    ]);
  });

  test('without a logger stderr says of middleware that throws no PublicError that its client is not told what', async () => {
    const stderr = vi.spyOn(console, 'error').mockImplementation(() => {});
    const io = await start(host(), undefined, {});
    io.use(() => {
      throw new Error('not allowed');
    });
    const wire = await WireClient.open(io.port);
    wire.send([0, [['/']]]);
    expect(await wire.packet(12)).toEqual([12, '/', 'ERR_REFUSED', 'The connection was refused.']);
    const lines = stderr.mock.calls.map(([line, error]) => `${line} ${error.message}`);
    stderr.mockRestore();
    expect(lines).toEqual([
      'Halyard: middleware in namespace / failed, and its client is told no more than that it was refused; what a PublicError says is told: not allowed',
    ]);
  });

  test('a logger that throws disturbs nobody', async () => {
    const stderr = vi.spyOn(console, 'error').mockImplementation(() => {});
    const broken = (): never => {
      throw new Error('the disk is full');
    };
    const io = await start(host(), { debug: broken, info: broken, warn: broken, error: broken });
    const wire = await WireClient.open(io.port);
    wire.send([0, [['/']]]);
    await wire.packet(11);
    expect(stderr).toHaveBeenCalledWith(
      'Halyard: the logger failed:',
      expect.objectContaining({ message: 'the disk is full' }),
    );
    await io.close();
    stderr.mockRestore();
  });
});

test('what is no logger is refused when the server is made', () => {
  expect(() => new Server({ logger: { info() {} } as never })).toThrow(/option "logger".*debug, info, warn and error/);
});
