// What permessage-deflate costs a server, in bytes for each connection and processor time for each message, and what it saves on the
// way: `npm run bench:deflate`. Each combination is a server in a process of its own, one after the other.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { node, Server, type ServerOptions, uws } from '@halyard/server';
import { WebSocket } from 'ws';

const connections = 500;
const messages = 1_000;
/** Of each size so many measurements count, of which the median is taken, and one before them does not. */
const rounds = 5;
/** In place of a size: how large the process is, and what processor time it has taken since the last size. */
const [askBytes, askCpu] = [0, -1];
const settings: Readonly<Record<string, ServerOptions['perMessageDeflate']>> = {
  off: false,
  on: true,
  'on, contextTakeover': { contextTakeover: true },
};

interface Cost {
  readonly bytes: number;
  readonly cpuMicros: number;
}

/** A list as an app would send it. */
function listOf(bytes: number): unknown[] {
  const list: unknown[] = [];
  for (let i = 0; JSON.stringify(list).length < bytes; i++) {
    list.push({ id: i * 7_919, name: `Person ${i}`, email: `person.${i}@app.example`, isAway: i % 3 === 0 });
  }
  return list;
}

/** The server's own process. */
async function serve(host: string, setting: string): Promise<void> {
  const io = new Server({
    host: host === 'uws' ? uws() : node(),
    perMessageDeflate: settings[setting] as boolean,
    ...{ heartbeatMs: 600_000, outboxPacketsMax: 100_000, outboxBytesMax: 1 << 28, backpressureBytesMax: 1 << 28 },
  });
  const large = listOf(4_096);
  io.on('connection', (socket) => void socket.emit('list', large));
  await io.listen(0, '127.0.0.1');
  process.send?.(io.port);
  let before = process.cpuUsage();
  process.on('message', async (size: number) => {
    if (size === askBytes) {
      globalThis.gc?.();
      process.send?.(process.memoryUsage().rss);
      return;
    }
    if (size === askCpu) {
      const { user, system } = process.cpuUsage(before);
      process.send?.((user + system) / messages);
      return;
    }
    const list = listOf(size);
    const [socket] = [...io.sockets.values()];
    before = process.cpuUsage();
    for (let i = 0; i < messages; i++) {
      socket?.emit('list', list);
      // Each leaves by itself.
      await new Promise((resolve) => setImmediate(resolve));
    }
    process.send?.(messages);
  });
}

async function measure(host: string, setting: string): Promise<[perConnection: number, costs: Cost[]]> {
  const child = fork(fileURLToPath(import.meta.url), [host, setting], { execArgv: ['--expose-gc'] });
  const ask = async (size: number): Promise<number> => {
    child.send(size);
    return (await once(child, 'message'))[0] as number;
  };
  const [port] = await once(child, 'message');
  const open = async (): Promise<WebSocket & { bytes?: () => number }> => {
    const ws = new WebSocket(`ws://127.0.0.1:${port}/halyard`, 'halyard.v1+json');
    ws.on('upgrade', ({ socket }) => Object.assign(ws, { bytes: () => socket.bytesRead }));
    await once(ws, 'open');
    // Large enough to be compressed, both ways.
    ws.send(JSON.stringify([0, [['/', { filler: 'a'.repeat(2_000) }]]]));
    await new Promise<void>((resolve) => ws.on('message', (data) => `${data}`.startsWith('[2,') && resolve()));
    return ws;
  };
  const first = await open();
  await ask(4_096);
  const before = await ask(askBytes);
  const others = [];
  for (let i = 0; i < connections; i++) others.push(await open());
  const perConnection = ((await ask(askBytes)) - before) / connections;
  for (const ws of others) ws.terminate();
  const costs: Cost[] = [];
  for (const size of [512, 2_048, 16_384]) {
    const taken: Cost[] = [];
    for (let round = 0; round <= rounds; round++) {
      const from = first.bytes?.() ?? 0;
      await ask(size);
      // What is compressed by other threads comes later, and counts.
      await settled(() => first.bytes?.() ?? 0);
      const cost = { bytes: ((first.bytes?.() ?? 0) - from) / messages, cpuMicros: await ask(askCpu) };
      if (round > 0) taken.push(cost);
    }
    costs.push(taken.toSorted((a, b) => a.cpuMicros - b.cpuMicros)[rounds >> 1] as Cost);
  }
  first.terminate();
  child.kill();
  return [perConnection, costs];
}

/** @returns once a number has stayed the same for a while */
async function settled(value: () => number): Promise<void> {
  let last = -1;
  while (value() !== last) {
    last = value();
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
}

async function main(): Promise<void> {
  console.log(
    '| host | perMessageDeflate | bytes per connection | 512 bytes: on the way, µs | 2,048 bytes | 16,384 bytes |',
  );
  console.log('| --- | --- | --: | --: | --: | --: |');
  for (const host of ['uws', 'node']) {
    for (const setting of Object.keys(settings)) {
      if (host === 'uws' && setting.includes('contextTakeover')) continue;
      const [perConnection, costs] = await measure(host, setting);
      const cells = costs.map(({ bytes, cpuMicros }) => `${Math.round(bytes)}, ${Math.round(cpuMicros)} µs`);
      console.log(`| ${host} | ${setting} | ${Math.round(perConnection)} | ${cells.join(' | ')} |`);
    }
  }
}

const [host, setting] = process.argv.slice(2);
if (host !== undefined && setting !== undefined) await serve(host, setting);
else await main();
