// Longer than other files: a case for each kind of server, and each kind of neighbour on it.
import { once } from 'node:events';
import {
  createServer,
  get,
  type Server as HttpServer,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
} from 'node:http';
import { type AddressInfo, connect as tcp } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect, polling, websocket } from '@halyard/client';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { Server, type ServerOptions } from '../index';

const transports = { websocket, polling };
type TransportName = keyof typeof transports;

const apps: HttpServer[] = [];
const servers: Server[] = [];
/** Unheard errors: each would have ended the process. */
const fatal: unknown[] = [];
const onFatal = (error: unknown): void => {
  fatal.push(error);
};
process.on('uncaughtException', onFatal);

afterEach(async () => {
  vi.restoreAllMocks();
  for (const io of servers.splice(0)) await io.close();
  for (const app of apps.splice(0)) {
    app.closeAllConnections();
    app.close();
  }
  expect(fatal.splice(0)).toEqual([]);
});

function appServer(listener?: RequestListener): HttpServer {
  const app = createServer(listener);
  apps.push(app);
  return app;
}

async function listening(app: HttpServer): Promise<number> {
  if (!app.listening) await new Promise<void>((resolve) => app.listen(0, '127.0.0.1', resolve));
  return (app.address() as AddressInfo).port;
}

/** A Halyard server that says its name to who asks. */
async function halyard(app: HttpServer, name: string, options: ServerOptions = {}): Promise<Server> {
  const io = new Server(options);
  io.on('connection', (socket) => {
    socket.on('who', () => name);
  });
  servers.push(io);
  return io.attach(app);
}

/** @returns who answers there, or why nobody does */
async function who(app: HttpServer, transport: TransportName, path = '/halyard'): Promise<unknown> {
  const socket = connect(`http://127.0.0.1:${await listening(app)}`, {
    path,
    transports: [transports[transport]()],
    reconnect: { attemptsMax: 0 },
  });
  try {
    return await Promise.race([
      socket.emitWithAck('who'),
      new Promise((resolve) => socket.on('connect_error', (error: Error) => resolve(error.message))),
    ]);
  } finally {
    socket.disconnect();
  }
}

async function bothSay(app: HttpServer, name: string, path?: string): Promise<void> {
  for (const transport of ['websocket', 'polling'] as const) expect(await who(app, transport, path)).toBe(name);
}

async function page(app: HttpServer, path: string): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${await listening(app)}${path}`);
  return `${response.status} ${await response.text()}`;
}

const upgrade = (path: string): string =>
  `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n` +
  'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n';

/** Asks for a WebSocket by hand. @returns all that came until the server closed */
async function asks(app: HttpServer, path: string): Promise<string> {
  const peer = tcp(await listening(app), '127.0.0.1');
  peer.write(upgrade(path));
  let text = '';
  peer.on('data', (chunk) => {
    text += chunk;
  });
  await once(peer, 'close');
  return text;
}

/** Asks for a WebSocket, waits until the server has it, and resets the connection. */
async function asksAndResets(app: HttpServer, path: string): Promise<void> {
  const port = await listening(app);
  const arrived = new Promise<Duplex>((resolve) => {
    app.once('connection', (socket: Duplex) => resolve(socket));
  });
  const peer = tcp(port, '127.0.0.1');
  peer.on('error', () => {});
  const theirs = await arrived;
  // Beside what the server does with it.
  const gone = new Promise((resolve) => theirs.once('close', resolve));
  const upgraded = new Promise((resolve) => app.once('upgrade', resolve));
  peer.write(upgrade(path));
  await upgraded;
  peer.resetAndDestroy();
  await gone;
  // An error nobody hears would be thrown by now.
  await new Promise((resolve) => setImmediate(resolve));
}

/** The whole of what one may see of an http.Server from outside. */
function traces(app: HttpServer): unknown {
  return [
    app.eventNames().map((name) => [name, ...app.rawListeners(name)]),
    Object.getOwnPropertyDescriptor(app, 'emit'),
    app.emit,
  ];
}

describe('what nobody wants', () => {
  test('an upgrade to a path of no server is answered and closed, beside two of ours', async () => {
    const app = appServer();
    await halyard(app, 'a', { path: '/a' });
    await halyard(app, 'b', { path: '/b' });
    expect(await asks(app, '/elsewhere')).toMatch(/^HTTP\/1\.1 404 .*ERR_PATH/s);
    await bothSay(app, 'a', '/a');
    await bothSay(app, 'b', '/b');
  });

  test('a request to a path of no server is answered where the app has no listener', async () => {
    const app = appServer();
    await halyard(app, 'a');
    expect(await page(app, '/elsewhere')).toMatch(/^404 .*ERR_PATH/);
  });

  test('a reset of an upgrade that nobody answers ends no process', async () => {
    const app = appServer();
    await halyard(app, 'a', { path: '/a' });
    await halyard(app, 'b', { path: '/b' });
    const seen: unknown[] = [];
    app.on('upgrade', ({ url }) => seen.push(url));
    for (let round = 0; round < 3; round++) {
      await asksAndResets(app, '/elsewhere');
      expect(fatal).toEqual([]);
    }
    expect(seen).toEqual(['/elsewhere', '/elsewhere', '/elsewhere']);
    await bothSay(app, 'b', '/b');
  });
});

describe('several servers', () => {
  test('a path that is taken is refused at attach', async () => {
    const app = appServer();
    const first = await halyard(app, 'first');
    const second = new Server();
    servers.push(second);
    await expect(second.attach(app)).rejects.toMatchObject({
      name: 'LocalUsageError',
      code: 'ERR_ATTACHED',
      message: expect.stringMatching(/\/halyard.*option: path/),
    });
    await bothSay(app, 'first');
    // It may live elsewhere, and here when the other is gone.
    await first.close();
    await second.attach(app);
    second.on('connection', (socket) => {
      socket.on('who', () => 'second');
    });
    await bothSay(app, 'second');
  });

  test('a server is attached once, also if it is asked twice in one turn', async () => {
    const io = new Server();
    servers.push(io);
    const attached = io.attach(appServer());
    await expect(io.attach(appServer())).rejects.toMatchObject({ code: 'ERR_LISTENING' });
    await attached;
  });

  test.each([[['a', 'b']], [['b', 'a']]] as const)(
    'closing %s takes away what each has added, and nothing else',
    async (order) => {
      const seen: string[] = [];
      const app = appServer(({ headers, url }, response) => {
        // The last words of a client come when they like.
        if (headers['halyard-ack'] === undefined) seen.push(`${url}`);
        response.end('the app');
      });
      app.on('upgrade', (_request, socket: Duplex) => socket.end('HTTP/1.1 418 Teapot\r\nConnection: close\r\n\r\n'));
      await listening(app);
      const before = traces(app);
      const open = new Map<string, Server>();
      for (const name of ['a', 'b']) open.set(name, await halyard(app, name, { path: `/${name}` }));
      for (const name of order) {
        await open.get(name)?.close();
        open.delete(name);
        expect(await page(app, '/page')).toBe('200 the app');
        expect(await page(app, `/${name}`)).toBe('200 the app');
        expect(await asks(app, `/${name}`)).toContain('418');
        expect(seen.splice(0)).toEqual(['/page', `/${name}`]);
        for (const other of open.keys()) await bothSay(app, other, `/${other}`);
      }
      expect(traces(app)).toEqual(before);
      // As a development server does that loads the app anew.
      for (let round = 0; round < 3; round++) {
        const io = await halyard(app, `again ${round}`, { path: '/a' });
        await bothSay(app, `again ${round}`, '/a');
        expect(seen).toEqual([]);
        await io.close();
      }
      expect(traces(app)).toEqual(before);
    },
  );
});

describe('beside others', () => {
  test.each(['before', 'after'])('a WebSocketServer of ws with a path of its own, made %s', async (when) => {
    const app = appServer((_request, response) => response.end('the app'));
    const beside = (): void => {
      const other = new WebSocketServer({ server: app, path: '/other' });
      other.on('connection', (socket) => socket.send('of ws'));
    };
    if (when === 'before') beside();
    const io = await halyard(app, 'a');
    if (when === 'after') beside();
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    await bothSay(app, 'a');
    const socket = new WebSocket(`ws://127.0.0.1:${await listening(app)}/other`);
    const [message] = await once(socket, 'message');
    expect(String(message)).toBe('of ws');
    socket.terminate();
    expect(await asks(app, '/elsewhere')).toMatch(/^HTTP\/1\.1 400 /);
    await asksAndResets(app, '/elsewhere');
    expect(warn).not.toHaveBeenCalled();
    await io.close();
    expect(await asks(app, '/halyard')).toMatch(/^HTTP\/1\.1 400 /);
  });

  test('listeners of the app hear what is not ours, in their order, whenever they came', async () => {
    const app = createServer();
    apps.push(app);
    const heard: string[] = [];
    const hears =
      (name: string, answers = false) =>
      ({ url }: IncomingMessage, response: ServerResponse): void => {
        heard.push(`${name} ${url}`);
        if (answers) response.end(name);
      };
    const leaves = hears('leaves');
    app.on('request', hears('early'));
    app.once('request', hears('early, once'));
    await halyard(app, 'a');
    await listening(app);
    app.on('request', leaves);
    app.once('request', () => app.off('request', leaves));
    app.prependListener('request', hears('first'));
    app.on('request', hears('late', true));
    await bothSay(app, 'a');
    expect(heard).toEqual([]);
    expect(await page(app, '/1')).toBe('200 late');
    expect(await page(app, '/2')).toBe('200 late');
    expect(heard.filter((line) => line.endsWith('1'))).toEqual([
      'first /1',
      'early /1',
      'early, once /1',
      'leaves /1',
      'late /1',
    ]);
    expect(heard.filter((line) => line.endsWith('2'))).toEqual(['first /2', 'early /2', 'late /2']);
    await bothSay(app, 'a');
  });

  test('a listener that answers every upgrade, or ends its socket, gets none of ours', async () => {
    const app = appServer();
    await halyard(app, 'a');
    app.prependListener('upgrade', (_request, socket: Duplex) => socket.destroy());
    app.on('upgrade', (_request, socket: Duplex) => socket.end('HTTP/1.1 418 Teapot\r\n\r\n'));
    app.on('request', (_request, response) => response.writeHead(418).end());
    await bothSay(app, 'a');
  });

  // As engine.io does: it takes the place of all request listeners, and calls them itself.
  test('who takes the place of all listeners takes nothing from us, and gives no 404 for the app', async () => {
    const app = appServer((_request, response) => response.end('the app'));
    const io = await halyard(app, 'a');
    const taken = app.listeners('request') as RequestListener[];
    app.removeAllListeners('request');
    app.on('request', (request, response) => {
      for (const listener of taken) listener.call(app, request, response);
    });
    expect(await page(app, '/page')).toBe('200 the app');
    await bothSay(app, 'a');
    await io.close();
    expect(await page(app, '/page')).toBe('200 the app');
  });

  test('who puts his own emit over ours and answers first is warned about, once, and ends no process', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const app = appServer();
    await halyard(app, 'a');
    const other = new WebSocketServer({ noServer: true });
    const { emit } = app;
    app.emit = function (this: HttpServer, event: string, ...args: unknown[]) {
      const [request, answer, head] = args as [IncomingMessage, Duplex & ServerResponse, Buffer];
      if (event === 'upgrade') other.handleUpgrade(request, answer, head, (socket) => socket.send('too early'));
      if (event === 'request') answer.writeHead(418).end();
      return Reflect.apply(emit, this, [event, ...args]);
    };
    for (let round = 0; round < 2; round++) {
      const socket = new WebSocket(`ws://127.0.0.1:${await listening(app)}/halyard`);
      const [message] = await once(socket, 'message');
      expect(String(message)).toBe('too early');
      socket.terminate();
      expect(await page(app, '/halyard')).toBe('418 ');
    }
    expect(warn).toHaveBeenCalledTimes(1);
    expect(warn).toHaveBeenCalledWith(expect.stringMatching(/\/halyard.*option: path/));
  });

  test('who has an emit of his own, before or after, keeps it', async () => {
    const app = appServer((_request, response) => response.end('the app'));
    const heard: string[] = [];
    const wrap = (name: string): HttpServer['emit'] => {
      const { emit } = app;
      app.emit = (event: string, ...args: unknown[]) => {
        if (event === 'request' && (args[0] as IncomingMessage).url === '/page') heard.push(name);
        return Reflect.apply(emit, app, [event, ...args]);
      };
      return app.emit;
    };
    const before = wrap('before');
    const first = await halyard(app, 'first');
    await first.close();
    expect(app.emit).toBe(before);
    const second = await halyard(app, 'second');
    const after = wrap('after');
    await bothSay(app, 'second');
    await second.close();
    expect(app.emit).toBe(after);
    expect(await page(app, '/halyard')).toBe('200 the app');
    expect(await page(app, '/page')).toBe('200 the app');
    expect(heard).toEqual(['after', 'before']);
    await halyard(app, 'third');
    await bothSay(app, 'third');
  });

  test('who takes our emit away leaves us our listeners', async () => {
    const app = appServer();
    await halyard(app, 'a');
    Reflect.deleteProperty(app, 'emit');
    await bothSay(app, 'a');
  });

  test('a request behind one that ends the connection is no reason to throw', async () => {
    const app = appServer();
    await halyard(app, 'a', { httpBodyBytesMax: 1024 });
    vi.spyOn(console, 'warn').mockImplementation(() => {});
    const peer = tcp(await listening(app), '127.0.0.1');
    const tooBig = `POST /halyard HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 2048\r\n\r\n${'x'.repeat(2048)}`;
    peer.write(tooBig + upgrade('/halyard'));
    peer.resume();
    await once(peer, 'close');
    await bothSay(app, 'a');
  });

  test('a page may be asked for while ours are', async () => {
    const app = appServer((_request, response) => response.end('the app'));
    await halyard(app, 'a');
    const port = await listening(app);
    const answered = await new Promise<string>((resolve, reject) => {
      get({ port, host: '127.0.0.1', path: '/halyard-not?halyard' }, (response) => {
        response.setEncoding('utf8').once('data', resolve);
      }).on('error', reject);
    });
    expect(answered).toBe('the app');
    expect(await page(app, '/halyard?query')).toMatch(/^426 /);
  });
});
