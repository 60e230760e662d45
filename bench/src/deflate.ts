// What permessage-deflate costs a server, in bytes for each connection and processor time for each message, and what it saves on the
// way: `npm run bench:deflate`. Each combination is a server in a process of its own, one after the other.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { node, Server, type ServerOptions, uws } from '@halyard/server';
import { WebSocket } from 'ws';

const connections = 500;
const messages = 2_000;
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
    ...{ heartbeatMs: 600_000, outboxBytesMax: 1 << 28, backpressureBytesMax: 1 << 28 },
  });
  io.on('connection', (socket) => {
    socket.on('ready', () => true);
  });
  await io.listen(0, '127.0.0.1');
  process.send?.(io.port);
  process.on('message', async (size: number) => {
    if (size === 0) {
      globalThis.gc?.();
      process.send?.(process.memoryUsage().rss);
      return;
    }
    const list = listOf(size);
    const [socket] = [...io.sockets.values()];
    const before = process.cpuUsage();
    for (let i = 0; i < messages; i++) {
      socket?.emit('list', list);
      // Each leaves by itself.
      await new Promise((resolve) => setImmediate(resolve));
    }
    const { user, system } = process.cpuUsage(before);
    process.send?.((user + system) / messages);
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
    // Large enough to be compressed.
    ws.send(JSON.stringify([0, [['/', { filler: 'a'.repeat(2_000) }]]]));
    await once(ws, 'message');
    return ws;
  };
  const first = await open();
  await ask(4_096);
  const before = await ask(0);
  const others = [];
  for (let i = 0; i < connections; i++) others.push(await open());
  const perConnection = ((await ask(0)) - before) / connections;
  for (const ws of others) ws.terminate();
  const costs: Cost[] = [];
  for (const size of [512, 2_048, 16_384]) {
    const from = first.bytes?.() ?? 0;
    const cpuMicros = await ask(size);
    // What is compressed elsewhere comes later.
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    costs.push({ bytes: ((first.bytes?.() ?? 0) - from) / messages, cpuMicros });
  }
  first.terminate();
  child.kill();
  return [perConnection, costs];
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
