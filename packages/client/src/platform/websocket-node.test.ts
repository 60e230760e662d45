// Which WebSocket a client in Node takes.
import { once } from 'node:events';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { WebSocketServer } from 'ws';
import { loadWebSocket } from './websocket-node';

afterEach(() => vi.unstubAllGlobals());

class Global {
  readonly url: string;
  constructor(url: string) {
    this.url = url;
  }
}

describe('the class of WebSockets', () => {
  test('is the global one', async () => {
    vi.stubGlobal('WebSocket', Global);
    const make = await loadWebSocket();
    expect(make('ws://127.0.0.1:1/', 'one', undefined, () => {})).toBeInstanceOf(Global);
  });

  test('is told how long a close may take', async () => {
    const made: unknown[][] = [];
    const Given = class {
      constructor(...how: unknown[]) {
        made.push(how);
      }
    };
    const make = await loadWebSocket(Given as never);
    make('ws://127.0.0.1:1/', 'one', { 'x-a': 'b' }, () => {});
    expect(made).toEqual([['ws://127.0.0.1:1/', 'one', { headers: { 'x-a': 'b' }, closeTimeout: 10_000 }]]);
  });

  test('is that of ws where a test runner pretends to be a page by jsdom, whose own does not open in Node', async () => {
    vi.stubGlobal('WebSocket', Global);
    vi.stubGlobal('navigator', {
      userAgent: 'Mozilla/5.0 (linux) AppleWebKit/537.36 (KHTML, like Gecko) jsdom/29.1.1',
    });
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    await once(server, 'listening');
    const make = await loadWebSocket();
    const socket = make(`ws://127.0.0.1:${(server.address() as { port: number }).port}/`, 'one', undefined, () => {});
    expect(socket).not.toBeInstanceOf(Global);
    await new Promise<void>((resolve) => {
      socket.onopen = () => resolve();
    });
    socket.close();
    server.close();
  });
});
