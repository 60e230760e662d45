import { createServer, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer, globalAgent } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Server as TcpServer } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { fetch } from './fetch-node';

describe('fetch of Node', () => {
  const servers: (Server | TcpServer)[] = [];

  afterEach(async () => {
    for (const server of servers.splice(0)) {
      if ('closeAllConnections' in server) server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  });

  async function listen<Some extends Server | TcpServer>(server: Some): Promise<string> {
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  }

  /** A server that answers with what it was sent, and the ports that it was sent it from. */
  async function echo(): Promise<{ url: string; ports: Set<number | undefined> }> {
    const ports = new Set<number | undefined>();
    const url = await listen(
      createServer((request, response) => {
        ports.add(request.socket.remotePort);
        const { 'content-type': type = 'none', 'content-length': length = 'none', own = '' } = request.headers;
        response.writeHead(request.method === 'DELETE' ? 204 : 200, { type, length, own });
        request.pipe(response);
      }),
    );
    return { url, ports };
  }

  test('a kept connection that the other side closes without a word costs nothing but another one', async () => {
    let connections = 0;
    const url = await listen(
      createTcpServer((socket) => {
        connections++;
        socket.on('error', () => {});
        socket.once('data', () => {
          socket.write('HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nlogin');
          // What comes after that is not looked at.
          socket.once('data', () => socket.destroy());
        });
      }),
    );
    for (let i = 0; i < 3; i++) expect(await (await post(url, 'x')).text()).toBe('login');
    expect(connections).toBe(3);
  });

  const { signal } = new AbortController();
  const post = (url: string, body?: string | Uint8Array, headers: Record<string, string> = {}) =>
    fetch(url, { method: 'POST', headers, body, signal });

  test('headers and bodies of text and of bytes go and come, and none', async () => {
    const { url } = await echo();
    const text = await post(url, 'ü𝄞\n', { own: 'mine' });
    expect([text.status, text.headers.get('own'), text.headers.get('none')]).toEqual([200, 'mine', null]);
    expect([text.headers.get('type'), text.headers.get('length')]).toEqual(['text/plain; charset=utf-8', '7']);
    expect(await text.text()).toBe('ü𝄞\n');
    const bytes = Uint8Array.of(0, 255, 10, 128);
    const binary = await post(url, bytes.subarray(1), { 'content-type': 'application/octet-stream' });
    expect(binary.headers.get('type')).toBe('application/octet-stream');
    expect(new Uint8Array(await binary.arrayBuffer())).toEqual(bytes.subarray(1));
    const none = await post(url);
    expect([none.headers.get('type'), none.headers.get('length'), await none.text()]).toEqual(['none', '0', '']);
    const empty = await fetch(url, { method: 'DELETE', headers: {}, signal, keepalive: true });
    expect([empty.status, await empty.text()]).toEqual([204, '']);
  });

  test('a large body, there and back', async () => {
    const { url } = await echo();
    const body = 'ü'.repeat(2 ** 22);
    expect((await (await post(url, body)).text()) === body).toBe(true);
  });

  test('one request after the other takes one connection', async () => {
    const { url, ports } = await echo();
    for (let i = 0; i < 5; i++) {
      await (await post(url, 'x')).text();
      // The connection is free once the answer's end was handled.
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(ports.size).toBe(1);
  });

  test('https, as the global agent of Node trusts', async () => {
    // A secret of both sides does what a certificate would, which ends one day.
    const shared = { ciphers: 'PSK', maxVersion: 'TLSv1.2' } as const;
    const psk = Buffer.from('for tests');
    const server = createSecureServer({ ...shared, pskCallback: () => psk }, (request, response) => {
      request.pipe(response);
    });
    const url = (await listen(server)).replace('http:', 'https:');
    await expect(post(url, 'x')).rejects.toThrow('handshake failure');
    const before = globalAgent.options;
    globalAgent.options = {
      ...before,
      ...shared,
      pskCallback: () => ({ psk, identity: 'test' }),
      checkServerIdentity: () => undefined,
    };
    try {
      expect(await (await post(url, 'secret')).text()).toBe('secret');
    } finally {
      globalAgent.options = before;
      globalAgent.destroy();
    }
  });

  test('stopped before the answer, in the midst of it, and before it began', async () => {
    for (const start of ['', 'half']) {
      const controller = new AbortController();
      const url = await listen(
        createServer((_, response) => {
          if (start) response.writeHead(200, { 'content-length': 8 }).write(start);
          setImmediate(() => controller.abort());
        }),
      );
      const gone = fetch(url, { method: 'GET', headers: {}, signal: controller.signal });
      await expect(gone).rejects.toThrow('abort');
      await expect(fetch(url, { method: 'GET', headers: {}, signal: controller.signal })).rejects.toThrow('abort');
    }
  });

  test('an answer that is cut is an error', async () => {
    const url = await listen(
      createServer((_, response) => {
        response.writeHead(200, { 'content-length': 8 }).write('half', () => response.socket?.destroy());
      }),
    );
    await expect(post(url).then((answer) => answer.text())).rejects.toThrow('aborted');
  });

  test('an answer that does not end is read as it comes, and ends when it is stopped', async () => {
    let answer: ServerResponse | undefined;
    const url = await listen(
      createServer((_, response) => {
        answer = response;
        response.write('one');
      }),
    );
    const controller = new AbortController();
    const { body } = await fetch(url, { method: 'GET', headers: {}, signal: controller.signal });
    const reader = body!.getReader();
    const next = async () => new TextDecoder().decode((await reader.read()).value);
    expect(await next()).toBe('one');
    answer?.write('two');
    expect(await next()).toBe('two');
    const rest = reader.read();
    controller.abort();
    await expect(rest).rejects.toThrow('abort');
  });

  test('errors say what went wrong', async () => {
    const closing = await listen(createTcpServer((socket) => socket.destroy()));
    await expect(post(closing)).rejects.toThrow(/^(socket hang up|read ECONNRESET)$/);
    const strange = await listen(
      createTcpServer((socket) =>
        socket
          .on('error', () => {})
          .resume()
          .end('SSH-2.0-OpenSSH_9.2\r\n'),
      ),
    );
    await expect(post(strange)).rejects.toThrow('Parse Error');
    const server = createTcpServer();
    const gone = await listen(server);
    await new Promise((resolve) => server.close(resolve));
    servers.pop();
    await expect(post(gone)).rejects.toThrow('connect ECONNREFUSED 127.0.0.1:');
  });
});
