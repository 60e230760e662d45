// Who answers in place of the server: the proxy, while the server is away, and the login page of a network. A client names it, and goes on
// once the server is there again.
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type HostFactory, memory, Server } from '@halyard/server';
import { afterEach, describe, expect, test } from 'vitest';
import { Front, type FrontName, fronts } from '../kit/front';
import { hosts } from '../kit/hosts';
import { freePort } from '../kit/ports';
import { connectTo, transportNames } from './clients';

const host = hosts[0]?.[1] as () => HostFactory;
const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of cleanUp.splice(0).reverse()) await end();
});

async function listening(port: number, adapter = memory()): Promise<Server> {
  const io = new Server({ host: host(), adapter });
  io.on('connection', (socket) => {
    socket.join('room');
    socket.on('count', (i: number) => i);
  });
  await io.listen(port, '127.0.0.1');
  cleanUp.push(() => io.close());
  return io;
}

/** Clients of every transport, and of all of them together. */
function clientsOf(url: string, lists = [...transportNames.map((one) => [one]), transportNames]) {
  return lists.map((names) => {
    const told = connectTo(url, { names });
    cleanUp.push(() => told.client.disconnect());
    const heard: number[] = [];
    told.client.on('said', (i: number) => void heard.push(i));
    return { ...told, heard };
  });
}

/** What nginx and HAProxy answer for a server that is not there: HTML. */
const awayStatus: Record<FrontName, number> = { nginx: 502, haproxy: 503 };

describe.each(fronts)('%s', (name) => {
  test('without its server, which comes, goes, and comes back', async () => {
    const port = await freePort();
    const front = await Front.start(name, [port]);
    cleanUp.push(() => front.end());
    const clients = clientsOf(front.url);
    const status = awayStatus[name];
    const page = `connect_error no Halyard server, but one that answers ${status}`;
    const errors = [page, page, page, page];
    const meetIt = () => expect.poll(() => clients.map(({ told }) => told.at(-1))).toEqual(errors);
    const isBack = () =>
      expect.poll(() => clients.map(({ client }) => client.connected)).toEqual(errors.map(() => true));
    await meetIt();
    // What the sessions are in outlives each server.
    const adapter = memory({ shared: true });
    const first = await listening(port, adapter);
    await isBack();
    first.to('room').emit('said', 1);
    expect(await Promise.all(clients.map(({ client }) => client.emitWithAck('count', 1)))).toEqual([1, 1, 1, 1]);
    await first.close();
    const replies = clients.map(({ client }) => client.emitWithAck('count', 2));
    await meetIt();
    const second = await listening(port, adapter);
    await isBack();
    second.to('room').emit('said', 2);
    expect(await Promise.all(replies)).toEqual([2, 2, 2, 2]);
    for (const { told, heard } of clients) {
      await expect.poll(() => heard).toEqual([1, 2]);
      expect(told.filter((line) => line.startsWith('connect '))).toEqual(['connect false', 'connect true']);
    }
  });
});

/** What a login page is sent with. */
const pages = [
  ['return 200 "<html>Log in"', 200],
  ['return 302 https://login.example/', 302],
  ['return 403', 403],
] as const;

describe.skipIf(!fronts.includes('nginx'))('a login page', () => {
  async function live(answer: string, status: number) {
    const io = await listening(0);
    const front = await Front.start(
      'nginx',
      [io.port as number],
      [
        ['proxy_pass http://halyard;', `if (-f $document_root/login) { ${answer}; }\n    proxy_pass http://halyard;`],
        ['server_name app.example;', `root .;\n  default_type text/html;`],
      ],
    );
    cleanUp.push(() => front.end());
    const login = join(front.folder, 'login');
    await writeFile(login, '');
    // A WebSocket that is open is none of its concern.
    const clients = clientsOf(front.url, [['sse'], ['polling'], ['sse', 'polling']]);
    const meetIt = () =>
      expect
        .poll(() => clients.map(({ told }) => told.at(-1)))
        .toEqual(clients.map(() => `connect_error no Halyard server, but one that answers ${status}`));
    const isBack = () =>
      expect.poll(() => clients.map(({ client }) => client.connected)).toEqual(clients.map(() => true));
    await meetIt();
    await rm(login);
    await isBack();
    const replies: Promise<number>[] = [];
    const say = () => {
      for (const { client } of clients) replies.push(client.emitWithAck('count', replies.length));
    };
    say();
    await Promise.all(replies);
    // Once for as long as it takes to lose the connection, once for a moment.
    await writeFile(login, '');
    say();
    await meetIt();
    say();
    await rm(login);
    await isBack();
    const before = await front.answered(status);
    await writeFile(login, '');
    say();
    await expect.poll(() => front.answered(status)).toBeGreaterThan(before + 2 * clients.length);
    say();
    await rm(login);
    say();
    expect(await Promise.all(replies)).toEqual(replies.map((_, i) => i));
    for (const { told } of clients) expect(told.filter((line) => /false|^error/.test(line))).toEqual(['connect false']);
  }

  test('of a network, before there is a session and in its midst', async () => {
    await Promise.all(pages.map(([answer, status]) => live(answer, status)));
  });
});
