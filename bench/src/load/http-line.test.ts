import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { HttpLine, httpRequest } from './http-line';

const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) server.close().closeAllConnections();
});

function listen(server: Server): Promise<number> {
  servers.push(server);
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}

describe('HttpLine', () => {
  it('opens another connection when the server has closed it between two requests', async () => {
    const server = createServer((request, response) => response.end(request.url));
    let connections = 0;
    let closed = (): void => {};
    const close = new Promise<void>((resolve) => {
      closed = resolve;
    });
    server.on('connection', (socket) => {
      connections++;
      socket.on('close', closed);
    });
    const failures: string[] = [];
    const line = new HttpLine(await listen(server), (reason) => failures.push(reason));
    expect((await line.ask(httpRequest('GET', '/one', []))).body).toBe('/one');
    server.closeIdleConnections();
    await close;
    // The other end hears of it a turn of the loop later.
    while (!line.idle) await new Promise((resolve) => setImmediate(resolve));
    expect((await line.ask(httpRequest('GET', '/two', []))).body).toBe('/two');
    expect(connections).toBe(2);
    expect(failures).toEqual([]);
  });

  it('fails when the server closes it before it answers', async () => {
    const server = createServer((request) => request.socket.destroy());
    const port = await listen(server);
    const reason = await new Promise((resolve) => {
      new HttpLine(port, resolve).send(httpRequest('GET', '/', []), () => resolve('answered'));
    });
    expect(reason).toBe('closed by the server before it answered');
  });

  it('tells what comes of an answer that does not end, whole, however it is cut', async () => {
    const parts = ['data: one\n\n', 'data: two\n\n', `data: ${'x'.repeat(100_000)}\n\n`];
    const server = createServer(async (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      for (const part of parts) {
        response.write(part);
        await new Promise((resolve) => setImmediate(resolve));
      }
    });
    const line = new HttpLine(await listen(server), () => {});
    let heard = '';
    const head = await line.follow(httpRequest('GET', '/', []), (part) => {
      heard += part;
    });
    expect(head).toContain('text/event-stream');
    await expect.poll(() => heard).toBe(parts.join(''));
  });
});
