// What a slow reader costs the fast ones of its room, and what it gets in the end: `npm run bench:slow`. The server is a process of its own; the
// slow one is behind a link that carries 20 KB a second, and less than it is sent.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, connect as connectTcp, createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { connect } from '@halyard/client';
import { Server, type Socket, uws } from '@halyard/server';
import { WebSocket } from 'ws';

const fastCount = 1_000;
const messageBytes = 1_000;
const perSecond = 50;
const seconds = 10;
const rounds = 3;
const keys = 10;
const linkBytesPerTick = 1_000;
const linkTickMs = 50;
const namespaces = ['/', '/latest'] as const;

type Namespace = (typeof namespaces)[number];
/** Says so many messages in a namespace. */
type Order = readonly [namespace: Namespace, count: number];
/** What it has come to: the most that waited in the connection of the slow one, and memory, in bytes. */
type Told = readonly ['listening', port: number] | readonly ['said', bufferedBytes: number, rssBytes: number];

const now = (): number => performance.timeOrigin + performance.now();

async function serve(): Promise<void> {
  const io = new Server({ host: uws() });
  let slow: Socket | undefined;
  for (const name of namespaces) {
    io.of(name).on('connection', (socket) => {
      socket.join('room');
      if ((socket.handshake.auth as { isSlow?: true }).isSlow) slow = socket;
    });
  }
  await io.listen(0, '127.0.0.1');
  const tell = (told: Told) => process.send?.(told);
  process.on('message', async ([name, count]: Order) => {
    const namespace = io.of(name);
    const filling = 'x'.repeat(messageBytes);
    let bufferedBytes = 0;
    const start = performance.now();
    for (let i = 0; i < count; i++) {
      const key = `${i % keys}`;
      const room = namespace.to('room');
      if (name === '/latest') room.latest('message', key).emit('message', now(), i, key, filling);
      else room.emit('message', now(), i, key, filling);
      bufferedBytes = Math.max(bufferedBytes, slow?.conn?.bufferedBytes ?? 0);
      const waitMs = start + ((i + 1) * 1_000) / perSecond - performance.now();
      if (waitMs > 0) await delay(waitMs);
    }
    tell(['said', bufferedBytes, process.memoryUsage.rss()]);
  });
  tell(['listening', io.port]);
}

/** A link that carries 20 KB a second towards its client. */
async function slowLink(port: number): Promise<{ readonly port: number; close(): void }> {
  const server = createServer({ noDelay: true }, (client) => {
    const upstream = connectTcp({ port, host: '127.0.0.1', noDelay: true });
    client.pipe(upstream);
    const timer = setInterval(() => {
      const chunk = upstream.read(Math.min(linkBytesPerTick, upstream.readableLength)) as Buffer | null;
      if (chunk !== null) client.write(chunk);
    }, linkTickMs);
    for (const socket of [client, upstream]) {
      socket
        .on('error', () => {})
        .on('close', () => {
          clearInterval(timer);
          client.destroy();
          upstream.destroy();
        });
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, close: () => server.close() };
}

/** Those that keep up, by hand: they are many, and only their latencies matter. */
class Fast {
  readonly #sockets: WebSocket[] = [];
  latencies: number[] = [];

  async open(port: number): Promise<void> {
    for (let i = 0; i < fastCount; i++) {
      const ws = new WebSocket(`ws://127.0.0.1:${port}/halyard`, 'halyard.v1+json', { perMessageDeflate: false });
      this.#sockets.push(ws);
      await once(ws, 'open');
      ws.send('[0,[["/"],["/latest"]]]');
      ws.on('message', (data: Buffer) => {
        const text = data.toString('latin1');
        const at = text.indexOf('"message",[');
        if (at >= 0) this.latencies.push(now() - Number.parseFloat(text.slice(at + 11, at + 40)));
        else if (text.startsWith('[8')) ws.send('[9,0]');
      });
    }
  }

  /** @returns the 99th percentile, in milliseconds, of what came since the last time */
  p99(): number {
    const sorted = Float64Array.from(this.latencies).sort();
    this.latencies = [];
    return sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN;
  }

  close(): void {
    for (const ws of this.#sockets) ws.terminate();
  }
}

const median = (numbers: readonly number[]): number => numbers.toSorted((a, b) => a - b)[numbers.length >> 1] as number;

async function main(): Promise<void> {
  const server = fork(new URL(import.meta.url), ['serve']);
  const [listening] = (await once(server, 'message')) as [Told];
  const port = listening[1];
  const fast = new Fast();
  await fast.open(port);
  const say = async (namespace: Namespace, count = perSecond * seconds): Promise<{ p99: number; told: Told }> => {
    server.send([namespace, count] satisfies Order);
    const [told] = (await once(server, 'message')) as [Told];
    await delay(500);
    return { p99: fast.p99(), told };
  };
  await say('/', perSecond * 2);

  console.log(
    `| ${fastCount} fast readers, ${perSecond} messages of ${messageBytes} bytes a second | p99 of the fast | the same alone | waited in its connection, at most | memory of the server | it got |`,
  );
  console.log('| --- | --: | --: | --: | --: | --- |');
  for (const namespace of namespaces) {
    const [alone, beside]: [number[], number[]] = [[], []];
    let bufferedBytes = 0;
    let rssBytes = 0;
    let got = '';
    for (let round = 0; round < rounds; round++) {
      alone.push((await say(namespace)).p99);
      const link = await slowLink(port);
      const client = connect(`http://127.0.0.1:${link.port}${namespace}`, {
        transports: ['websocket'],
        auth: { isSlow: true },
      });
      await new Promise((resolve) => client.once('connect', resolve));
      const heard: number[] = [];
      client.on('message', (_at: number, number: number) => void heard.push(number));
      const { p99, told } = await say(namespace);
      beside.push(p99);
      if (told[0] === 'said')
        [bufferedBytes, rssBytes] = [Math.max(bufferedBytes, told[1]), Math.max(rssBytes, told[2])];
      const last = perSecond * seconds - 1;
      const saidAt = performance.now();
      while (heard.at(-1) !== last) await delay(50);
      const inOrder = heard.every((number, i) => i === 0 || number > (heard[i - 1] as number));
      const newest = new Set(heard.filter((number) => number > last - keys)).size;
      const tookS = ((performance.now() - saidAt) / 1_000).toFixed(1);
      got = `${heard.length} of ${last + 1} messages, each once and ${inOrder ? 'in order' : 'OUT OF ORDER'}, ${newest} of ${keys} newest, the last ${tookS} s after it was said`;
      client.disconnect();
      link.close();
    }
    const kib = (bytes: number): string => `${Math.round(bytes / 1_024).toLocaleString('en')} KiB`;
    console.log(
      `| one at 20 KB/s, \`${namespace === '/' ? 'catch-up' : 'latest'}\` | ${median(beside).toFixed(1)} ms | ${median(alone).toFixed(1)} ms | ${kib(bufferedBytes)} | ${kib(rssBytes)} | ${got} |`,
    );
  }
  fast.close();
  server.kill();
  process.exit(0);
}

await (process.argv[2] === 'serve' ? serve() : main());
