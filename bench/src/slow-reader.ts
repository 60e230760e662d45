// A slow reader in a room of fast ones: `npm run bench:slow-reader`. The room is told something all the time; one reader takes no more than
// 20 KB of it in a second. Phases without it, with it, and with it and `latest` take turns in one run: do the fast ones notice, what
// does the server hold for it, and has it everything in the end?
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, connect as connectTcp, createServer, type Socket as TcpSocket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { connect } from '@halyard/client';
import { Server, type Socket, uws } from '@halyard/server';
import { WebSocket } from 'ws';
import { percentile } from './base/ratios';
import { sleep } from './base/sleep';

const kinds = ['without', 'with', 'latest'] as const;
type Kind = (typeof kinds)[number];

/** What the slow one takes: so many bytes in each step. */
const stepMs = 50;
const bytesPerStep = 1_000;
/** A key of many: what `latest` leaves is the newest of each. */
const keys = 10;
const connectedAtOnce = 50;
const catchUpMsMax = 300_000;

interface Load {
  readonly perSecond: number;
  readonly bytes: number;
  readonly backpressureBytesMax: number;
}

type ServerOrder = { readonly say: Kind } | 'stop' | 'peak';

/** What the server has said in a phase, and held at most. */
interface Said {
  readonly first: number;
  readonly next: number;
  /** The newest of each key. */
  readonly newest: readonly number[];
}

interface Peak {
  /** Of the slow one's connection. */
  readonly bufferedBytes: number;
  readonly rssBytes: number;
  readonly cuts: number;
  readonly replaced: number;
}

const self = fileURLToPath(import.meta.url);

function child(...args: string[]): ChildProcess {
  return fork(self, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
}

async function ask<Answer>(of: ChildProcess, order: unknown): Promise<Answer> {
  const answered = once(of, 'message');
  of.send(order as never);
  return (await answered)[0] as Answer;
}

async function serve({ perSecond, bytes, backpressureBytesMax }: Load): Promise<void> {
  const io = new Server({
    host: uws(),
    backpressureBytesMax,
    opensPerAddressPerSecondMax: 1 << 24,
    connectionsPerAddressMax: 1 << 24,
    // Whatever is missing is not to be missing for want of room, or of time.
    logPacketsMax: 1 << 20,
    logBytesMax: 1 << 29,
    recoveryWindowMs: 3_600_000,
  });
  let slow: Socket | undefined;
  let peak: Peak = { bufferedBytes: 0, rssBytes: 0, cuts: 0, replaced: 0 };
  io.on('warning', () => {});
  io.on('connection', (socket) => {
    socket.join('room');
    if (socket.handshake.auth.slow) slow = socket;
  });
  await io.listen(0, '127.0.0.1');
  const padding = 'x'.repeat(bytes);
  let number = 0;
  let first = 0;
  let timer: NodeJS.Timeout | undefined;
  const newest: number[] = [];
  const say = (kind: Kind): void => {
    const key = number % keys;
    newest[key] = number;
    const room = io.to('room');
    if (kind === 'latest')
      room.latest('tick', `${key}`).emit(number++, performance.timeOrigin + performance.now(), padding);
    else room.emit('tick', number++, performance.timeOrigin + performance.now(), padding);
    const { cut, replaced } = io.slowReaderCounts;
    peak = {
      bufferedBytes: Math.max(peak.bufferedBytes, slow?.conn?.bufferedBytes ?? 0),
      rssBytes: Math.max(peak.rssBytes, process.memoryUsage.rss()),
      cuts: cut,
      replaced,
    };
  };
  process.on('message', (order: ServerOrder) => {
    if (order === 'peak') {
      const { cuts, replaced } = peak;
      process.send?.(peak);
      peak = { bufferedBytes: 0, rssBytes: 0, cuts, replaced };
      return;
    }
    clearInterval(timer);
    if (order === 'stop') {
      process.send?.({ first, next: number, newest } satisfies Said);
      return;
    }
    first = number;
    newest.length = 0;
    const startedAt = performance.now();
    let said = 0;
    timer = setInterval(() => {
      for (; said < ((performance.now() - startedAt) * perSecond) / 1_000; said++) say(order.say);
    }, 5);
    process.send?.(first);
  });
  process.on('disconnect', () => process.exit());
  process.send?.(io.port);
}

/** The fast ones, as bare WebSockets: so many of them cost less than what is measured. */
async function readers(port: number, count: number): Promise<void> {
  let latencies: number[] = [];
  const open = async (): Promise<void> => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/halyard`, { perMessageDeflate: false });
    await once(socket, 'open');
    socket.send('[0]');
    let handled = 0;
    socket.on('message', (data: Buffer) => {
      const type =
        data[1] === 0x35 && data[2] === 0x2c ? 5 : Number(/^\[(\d+)/.exec(data.toString('latin1', 0, 4))?.[1]);
      if (type === 5) {
        const now = performance.timeOrigin + performance.now();
        const [, at] = /"tick",\[\d+,([\d.]+)/.exec(data.toString('latin1', 0, 200)) ?? [];
        latencies.push(now - Number(at));
      } else if ([2, 3, 4, 11, 12, 13].includes(type)) handled++;
      else if (type === 8) socket.send(`[9,${handled}]`);
    });
  };
  for (let i = 0; i < count; i += connectedAtOnce)
    await Promise.all(Array.from({ length: Math.min(connectedAtOnce, count - i) }, open));
  process.on('message', () => {
    const sorted = Float64Array.from(latencies).sort();
    latencies = [];
    process.send?.({ count: sorted.length, p50: percentile(sorted, 0.5), p99: percentile(sorted, 0.99) });
  });
  process.on('disconnect', () => process.exit());
  process.send?.('connected');
}

/** A way to the server that carries no more than it does towards the client, until it is let go. */
async function narrow(port: number): Promise<{ port: number; widen(): void; close(): void }> {
  const sockets = new Set<TcpSocket>();
  let isWide = false;
  const track = (socket: TcpSocket): TcpSocket => {
    sockets.add(socket);
    return socket.on('error', () => {}).on('close', () => sockets.delete(socket));
  };
  const server = createServer({ noDelay: true }, (client) => {
    const upstream = track(connectTcp({ port, host: '127.0.0.1', noDelay: true }));
    track(client).pipe(upstream);
    client.on('close', () => upstream.destroy());
    upstream.on('close', () => client.destroy());
    const timer = setInterval(() => {
      if (isWide) {
        clearInterval(timer);
        upstream.pipe(client);
        return;
      }
      const part = upstream.read(Math.min(bytesPerStep, upstream.readableLength));
      if (part !== null) client.write(part);
    }, stepMs);
    upstream.on('close', () => clearInterval(timer));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    widen() {
      isWide = true;
    },
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** What has become of the slow one in a phase. */
interface Slow {
  readonly ends: string;
  close(): void;
}

async function slowReader(port: number, kind: Kind): Promise<{ finish(said: Said): Promise<Slow> }> {
  const way = await narrow(port);
  const heard: number[] = [];
  let isLost = false;
  let connections = 0;
  const socket = connect(`http://127.0.0.1:${way.port}`, { auth: { slow: true }, transports: ['websocket'] });
  socket.on('tick', (number: number) => void heard.push(number));
  socket.connection.on('state', ({ to }) => {
    if (to === 'open') connections++;
  });
  await new Promise<void>((resolve) => socket.once('connect', () => resolve()));
  socket.on('connect', ({ recovered }) => {
    isLost ||= !recovered;
  });
  return {
    async finish({ first, next, newest }) {
      const behind = next - first - heard.filter((number) => number >= first).length;
      way.widen();
      const due = kind === 'latest' ? newest : Array.from({ length: next - first }, (_, i) => first + i);
      const limit = performance.now() + catchUpMsMax;
      const lacks = (): number => {
        const its = new Set(heard);
        return due.filter((number) => !its.has(number)).length;
      };
      while (lacks() > 0 && performance.now() < limit) await sleep(100);
      const doubled = heard.length - new Set(heard).size;
      const isOrdered = heard.every((number, i) => i === 0 || number > (heard[i - 1] as number));
      const all = kind === 'latest' ? 'the newest of each key' : 'every message once';
      const isWell = lacks() === 0 && doubled === 0 && isOrdered && !isLost;
      const wrong = `${lacks()} lacking, ${doubled} doubled, ${isOrdered ? 'in' : 'out of'} order${isLost ? ', session lost' : ''}`;
      return {
        ends: `${isWell ? all : wrong}; ${behind} behind when the room fell silent, ${heard.length} came, over ${connections} connections`,
        close() {
          socket.connection.close();
          way.close();
        },
      };
    },
  };
}

async function phase(
  kind: Kind,
  server: ChildProcess,
  port: number,
  fast: ChildProcess,
  seconds: number,
): Promise<string> {
  const slow = kind === 'without' ? undefined : await slowReader(port, kind);
  await ask(fast, 'reset');
  await ask<Peak>(server, 'peak');
  await ask(server, { say: kind });
  await sleep(seconds * 1_000);
  const said = await ask<Said>(server, 'stop');
  await sleep(500);
  const times = await ask<{ count: number; p50: number; p99: number }>(fast, 'report');
  const end = await slow?.finish(said);
  const peak = await ask<Peak>(server, 'peak');
  end?.close();
  const cells = [
    kind,
    times.count.toLocaleString('en'),
    `${times.p50.toFixed(2)} ms`,
    `${times.p99.toFixed(2)} ms`,
    Math.round(peak.bufferedBytes / 1_024).toLocaleString('en'),
    Math.round(peak.rssBytes / (1 << 20)).toLocaleString('en'),
    `${peak.cuts}`,
    peak.replaced.toLocaleString('en'),
    end?.ends ?? '',
  ];
  return `| ${cells.join(' | ')} |`;
}

const [role, ...args] = process.argv.slice(2);
if (role === 'serve') await serve(JSON.parse(args[0] as string) as Load);
else if (role === 'readers') await readers(Number(args[0]), Number(args[1]));
else {
  const { values } = parseArgs({
    options: {
      readers: { type: 'string', default: '1000' },
      rounds: { type: 'string', default: '3' },
      seconds: { type: 'string', default: '60' },
      'per-second': { type: 'string', default: '50' },
      bytes: { type: 'string', default: '1024' },
      'backpressure-bytes-max': { type: 'string', default: '1048576' },
    },
  });
  const load: Load = {
    perSecond: Number(values['per-second']),
    bytes: Number(values.bytes),
    backpressureBytesMax: Number(values['backpressure-bytes-max']),
  };
  console.log(
    `${values.readers} fast readers, ${load.perSecond} messages of ${load.bytes} bytes in a second, one reader of 20 KB/s, ` +
      `backpressureBytesMax ${load.backpressureBytesMax}, phases of ${values.seconds} s, Node ${process.version}\n`,
  );
  const server = child('serve', JSON.stringify(load));
  const port = (await once(server, 'message'))[0] as number;
  const fast = child('readers', `${port}`, values.readers);
  await once(fast, 'message');
  console.log(
    '| slow reader | deliveries to fast ones | p50 | p99 | waits for the slow one, most KiB | server, most MiB | cuts | replaced | the slow one has in the end |',
  );
  console.log('| --- | --: | --: | --: | --: | --: | --: | --: | --- |');
  try {
    for (let round = 0; round < Number(values.rounds); round++)
      for (const kind of kinds) console.log(await phase(kind, server, port, fast, Number(values.seconds)));
  } finally {
    server.kill();
    fast.kill();
  }
}
