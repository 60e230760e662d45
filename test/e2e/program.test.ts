// A Node program with a client, as a process of its own: it ends by itself once its client is closed, whatever the server
// does then; and it works on a platform that has less than Node.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server as HttpServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { Server, type Socket } from '@halyard/server';
import { afterEach, describe, expect, test } from 'vitest';

const program = fileURLToPath(new URL('program.mjs', import.meta.url));

describe('a Node program', () => {
  const cleanups: (() => unknown)[] = [];

  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  });

  /** @returns what it prints, once it has ended by itself */
  function start(port: number, ...args: string[]): { child: ChildProcess; output: Promise<string> } {
    const child = spawn(process.execPath, [program, `http://127.0.0.1:${port}`, ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    cleanups.push(() => child.kill('SIGKILL'));
    const output = Promise.all([text(child.stdout!), once(child, 'exit')]).then(([printed, [code]]) => {
      expect(code).toBe(0);
      return printed;
    });
    return { child, output };
  }

  async function serve(): Promise<{ io: Server; arrives: Promise<Socket> }> {
    const io = await new Server().listen(0, '127.0.0.1');
    cleanups.push(() => io.close());
    return { io, arrives: new Promise((resolve) => io.on('connection', resolve)) };
  }

  /** @returns a server in front of another, which lets everything through until it is told what to do instead */
  async function gate(port: number): Promise<{ front: HttpServer; port: number; instead: Map<string, Handle> }> {
    const instead = new Map<string, Handle>();
    const front = createServer((incoming, outgoing) => {
      const { method = '', headers } = incoming;
      const handle = instead.get(method);
      if (handle) return handle(incoming, outgoing);
      const onward = request({ port, host: '127.0.0.1', path: incoming.url, method, headers }, (answer) => {
        outgoing.writeHead(answer.statusCode!, answer.headers);
        answer.pipe(outgoing);
      });
      onward.on('error', () => outgoing.destroy());
      outgoing.on('close', () => onward.destroy());
      incoming.pipe(onward);
    });
    front.listen(0, '127.0.0.1');
    await once(front, 'listening');
    cleanups.push(() => {
      front.closeAllConnections();
      front.close();
    });
    return { front, port: (front.address() as AddressInfo).port, instead };
  }

  type Handle = (incoming: IncomingMessage, outgoing: ServerResponse) => void;

  const status =
    (code: number): Handle =>
    (_, outgoing) =>
      outgoing.writeHead(code).end();

  const gone: Handle = (incoming) => {
    (incoming.socket as unknown as { server: HttpServer }).server.close();
    incoming.socket.destroy();
  };

  test.each<[what: string, method: string, handle: Handle]>([
    ['is gone', 'DELETE', gone],
    ['answers 403', 'DELETE', status(403)],
    ['answers 502', 'DELETE', status(502)],
    ['never answers', 'DELETE', () => {}],
    ['is gone when the last event comes', 'POST', gone],
    ['answers 403 to the last event', 'POST', status(403)],
    ['answers 502 to the last event', 'POST', status(502)],
    ['never answers to the last event', 'POST', () => {}],
  ])('that disconnects over polling ends by itself if the server %s', async (_what, method, handle) => {
    const { io, arrives } = await serve();
    const { port, instead } = await gate(io.port);
    const { output } = start(port, 'polling', 'fast');
    const socket = await arrives;
    await socket.emitWithAck('double', 1);
    instead.set(method, handle);
    socket.emit('leave', 'one', 'two');
    expect(await output).toBe('connected over polling\n');
  });

  test.each(['websocket', 'polling'])('that disconnects over %s says its last words, and ends', async (transport) => {
    const { io, arrives } = await serve();
    const { output } = start(io.port, transport, 'patient');
    const socket = await arrives;
    const heard: unknown[] = [];
    socket.on('last', (word) => void heard.push(word));
    const over = new Promise((resolve) => socket.on('disconnect', resolve));
    socket.emit('leave', 'one', 'two');
    expect(await output).toBe(`connected over ${transport}\n`);
    expect(await over).toMatchObject({ code: 1000, by: 'client' });
    expect(heard).toEqual(['one', 'two']);
  });

  test.each([
    // Some WebSockets do not say what went wrong.
    ['websocket', /^.*\n$/],
    ['polling', /^Error: (socket hang up|read ECONNRESET)\n$/],
  ])(
    'notices at its first attempt over %s that a port closes what it accepts, without any timeout',
    async (transport, message) => {
      let accepted = 0;
      const closing = createTcpServer((socket) => {
        accepted++;
        socket.on('error', () => {}).destroy();
      });
      closing.listen(0, '127.0.0.1');
      await once(closing, 'listening');
      cleanups.push(() => closing.close());
      const { output } = start((closing.address() as AddressInfo).port, transport, 'patient');
      expect(await output).toMatch(message);
      expect(accepted).toBe(1);
    },
  );

  test.each(['websocket', 'polling'])('connects over %s where the platform has less than Node', async (transport) => {
    const { io, arrives } = await serve();
    const missing = ['crypto', 'performance', 'TextEncoder', 'navigator', 'location', 'addEventListener'];
    const { output } = start(io.port, transport, 'patient', ...missing);
    const socket = await arrives;
    expect(await socket.emitWithAck('double', 21)).toBe(42);
    socket.emit('leave');
    expect(await output).toBe(`connected over ${transport}\n`);
  });
});
