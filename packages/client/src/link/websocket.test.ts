import type { AddressInfo } from 'node:net';
import { VirtualClock } from '@halyard/harness/clock';
import type { Close, Frame } from '@halyard/protocol';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { WebSocketServer, type WebSocket as WsSocket } from 'ws';
import { deferred } from '../../testing/fake';
import { websocket } from './websocket';

describe('websocket', () => {
  const servers: WebSocketServer[] = [];

  afterEach(() => {
    vi.unstubAllGlobals();
    for (const server of servers.splice(0)) {
      for (const client of server.clients) client.terminate();
      server.close();
    }
  });

  async function start(options: object = {}) {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1', ...options });
    servers.push(server);
    await new Promise((resolve) => server.once('listening', resolve));
    const peer = new Promise<WsSocket>((resolve) => server.once('connection', resolve));
    return { server, peer, ...dial(`http://127.0.0.1:${(server.address() as AddressInfo).port}/halyard`) };
  }

  function dial(url: string) {
    const frames: Frame[] = [];
    const opened = deferred();
    const closed = deferred<Close>();
    const address = { url, protocol: 'halyard.v1+json', binary: false, batchMax: () => 1, clock: new VirtualClock() };
    const link = websocket().open(address, {
      onOpen: opened.resolve,
      onFrame: (frame) => frames.push(frame),
      onClose: closed.resolve,
    });
    return { link, frames, opened: opened.promise, closed: closed.promise };
  }

  test('offers the subprotocol; messages are frames, text and binary', async () => {
    const { link, peer, frames, opened } = await start();
    await opened;
    const socket = await peer;
    expect(socket.protocol).toBe('halyard.v1+json');
    const heard: unknown[] = [];
    socket.on('message', (data, binary) => heard.push(binary ? data : String(data)));
    link.send('a');
    link.send(new Uint8Array([1, 2]));
    socket.send('b');
    socket.send(new Uint8Array([3]));
    await expect.poll(() => heard.length + frames.length).toBe(4);
    expect(heard).toEqual(['a', Buffer.from([1, 2])]);
    expect(frames).toEqual(['b', new Uint8Array([3])]);
    expect(link.bufferedBytes).toBe(0);
  });

  test('a close of the server is told with its code, a cut as 1006', async () => {
    const first = await start();
    (await first.peer).close(4403, 'not you');
    expect(await first.closed).toEqual({ code: 4403, reason: 'not you', by: 'server' });
    const second = await start();
    (await second.peer).terminate();
    expect(await second.closed).toMatchObject({ code: 1006, by: 'network' });
  });

  test('what cannot open is a close', async () => {
    expect(await dial('http://127.0.0.1:1/halyard').closed).toMatchObject({ code: 1006, by: 'network' });
    const { closed } = await start({ verifyClient: () => false });
    expect(await closed).toMatchObject({ code: 1006 });
    class Forbidden {
      constructor() {
        throw new Error('not allowed here');
      }
    }
    vi.stubGlobal('WebSocket', Forbidden);
    expect(await dial('http://127.0.0.1:1/').closed).toMatchObject({ code: 1006, reason: 'not allowed here' });
  });

  test.each([
    [1000, 1000],
    [4400, 4400],
    [1006, 1005],
    [1001, 1000],
  ])('close(%i) arrives as %i', async (code, arrives) => {
    const { link, peer, opened } = await start();
    await opened;
    const closed = new Promise((resolve) => peer.then((socket) => socket.once('close', resolve)));
    await peer;
    link.close(code, 'x'.repeat(500));
    link.close(code, '');
    link.send('late');
    expect(await closed).toBe(arrives);
  });

  test('closed while it opens, it is not heard of again', async () => {
    const { link, closed, opened } = await start();
    link.close(1000, '');
    const heard = vi.fn();
    closed.then(heard);
    opened.then(heard);
    await new Promise((resolve) => setImmediate(resolve));
    expect(heard).not.toHaveBeenCalled();
  });
});
