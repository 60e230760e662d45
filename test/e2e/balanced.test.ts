// Three servers on a Redis behind an HAProxy that gives every request to the next one: clients that poll, and those on a WebSocket,
// lose nothing, also with the server that they are at.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { connect, polling, sse, type Transport, websocket } from '@halyard/client/core';
import { json } from '@halyard/codec/json';
import { msgpack } from '@halyard/codec-msgpack';
import { afterEach, describe, expect, test } from 'vitest';
import { Haproxy, hasHaproxy } from '../kit/haproxy';
import { freePort } from '../kit/ports';
import { hasRedis, RedisServer } from '../kit/redis-server';

const program = fileURLToPath(new URL('balanced-node.mjs', import.meta.url));
const names = ['one', 'two', 'three'] as const;
type Name = (typeof names)[number];

describe.skipIf(!hasRedis || !hasHaproxy)('behind HAProxy, without stickiness', () => {
  const cleanUp: (() => unknown)[] = [];
  afterEach(async () => {
    for (const end of cleanUp.splice(0).reverse()) await end();
  });

  async function start() {
    const redis = await RedisServer.start();
    cleanUp.push(() => redis.end());
    const ports = [await freePort(), await freePort(), await freePort()] as const;
    const nodes = new Map<Name, ChildProcess>();
    const run = async (name: Name): Promise<void> => {
      const node = fork(program, [name, `${ports[names.indexOf(name)]}`, redis.url], { execArgv: [] });
      nodes.set(name, node);
      const over = once(node, 'exit').then(() => Promise.reject(new Error(`server ${name} has ended`)));
      await Promise.race([once(node, 'message'), over]);
      over.catch(() => {});
    };
    const kill = async (name: Name): Promise<void> => {
      const node = nodes.get(name);
      if (node === undefined || node.exitCode !== null || node.signalCode !== null) return;
      const exit = once(node, 'exit');
      node.kill('SIGKILL');
      await exit;
    };
    cleanUp.push(() => Promise.all(names.map(kill)));
    await Promise.all(names.map(run));
    const haproxy = await Haproxy.start(ports);
    cleanUp.push(() => haproxy.end());
    return { url: haproxy.url, run, kill };
  }

  function client(url: string, name: string, transport: Transport, codec = json()) {
    const socket = connect(url, { transport, codec, reconnect: { delayMinMs: 10, delayMaxMs: 100 } });
    cleanUp.push(() => socket.connection.close());
    const said: string[] = [];
    const counted: number[] = [];
    const connects: boolean[] = [];
    socket.on('said', (who: string, i: number) => void said.push(`${who} ${i}`));
    socket.on('counted', (i: number) => void counted.push(i));
    socket.on('connect', ({ recovered }) => void connects.push(recovered));
    return { name, socket, said, counted, connects };
  }

  test('every message comes once and in order, both ways, though a server is killed and comes back', async () => {
    const { url, run, kill } = await start();
    const asked = new Set<string>();
    while (asked.size < names.length) asked.add(await (await fetch(url)).text());

    const clients = [
      client(url, 'ann', polling()),
      client(url, 'ben', polling(), msgpack()),
      client(url, 'cid', sse()),
      client(url, 'cat', sse(), msgpack()),
      client(url, 'dot', websocket()),
      client(url, 'eve', websocket(), msgpack()),
      client(url, 'fay', websocket()),
    ];
    // All are in the room before anything is said.
    const places = await Promise.all(clients.map(({ socket }) => socket.emitWithAck('where') as Promise<Name>));
    expect(places).toContain('one');
    const count = 40;
    const replies = clients.map(({ socket, name }) =>
      (async () => {
        const replies: unknown[] = [];
        for (let i = 0; i < count; i++) {
          if (i % 3 > 0) socket.emit('say', name, i);
          else replies.push(await socket.emitWithAck('say', name, i));
        }
        return replies;
      })(),
    );
    const heardMin = () => Math.min(...clients.map(({ said }) => said.length));
    await expect.poll(heardMin).toBeGreaterThan(0);
    await kill('one');
    await run('one');

    const all = Array.from({ length: count }, (_, i) => i);
    expect(await Promise.all(replies)).toEqual(clients.map(() => all.filter((i) => i % 3 === 0)));
    await expect.poll(heardMin).toBe(count * clients.length);
    for (const { said, counted, connects } of clients) {
      // A room has one order for all.
      expect(said).toEqual(clients[0]?.said);
      expect(counted).toEqual(all);
      expect(connects.every((recovered, i) => recovered || i === 0)).toBe(true);
    }
    for (const { name } of clients) {
      expect(clients[0]?.said.filter((text) => text.startsWith(name))).toEqual(all.map((i) => `${name} ${i}`));
    }
    for (const [i, { connects }] of clients.entries()) expect(connects.length > 1).toBe(places[i] === 'one');
  });
});
