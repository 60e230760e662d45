// A deploy under load: `npm run bench:deploy`. Three servers that share a Redis are replaced one after the other, each by a new one that is
// there before the old one is told to stop, behind a balancer that knows nothing of sessions. A fourth server, which stays, says something to
// everybody all the time. What do clients notice? Socket.IO has its connection state recovery, by its adapter for Redis streams.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, connect as connectTcp, createServer, type Socket as TcpSocket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { redis } from '@halyard/adapter-redis';
import { connect, type Socket as HalyardSocket } from '@halyard/client';
import { handleSignals, Server, uws } from '@halyard/server';
import { createAdapter } from '@socket.io/redis-streams-adapter';
import { Redis } from 'ioredis';
import { Server as SocketIoServer } from 'socket.io';
import { io as connectSocketIo } from 'socket.io-client';
import { sleep } from './base/sleep';
import { RedisServer } from './testbed/redis-server';

const subjects = ['halyard', 'socketio'] as const;
type Subject = (typeof subjects)[number];

const sayEveryMs = 1_000;
const connectedAtOnce = 50;
/** After the last server was replaced, so long. */
const restMs = 15_000;
const drainMs = 10_000;
const stopMsMax = 60_000;

interface Report {
  /** How many clients are connected. */
  readonly connected: number;
  /** For each time that one was back, when, after how many milliseconds, and whether it was recovered. */
  readonly returns: readonly (readonly [at: number, awayMs: number, recovered: boolean])[];
  readonly missed: number;
  readonly doubled: number;
}

const self = fileURLToPath(import.meta.url);

function child(...args: string[]): ChildProcess {
  return fork(self, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
}

async function answer<Answer>(of: ChildProcess): Promise<Answer> {
  const [message] = await once(of, 'message');
  return message as Answer;
}

function ask<Answer>(of: ChildProcess, order: string | number): Promise<Answer> {
  const answered = answer<Answer>(of);
  of.send(order);
  return answered;
}

/** One server, until it is told to stop. @param speaks whether it says something to everybody all the time */
async function serve(subject: Subject, url: string, speaks: boolean): Promise<void> {
  let said = 0;
  let timer: NodeJS.Timeout | undefined;
  const speak = (emit: (number: number) => void): void => {
    if (speaks) timer = setInterval(() => emit(said++), sayEveryMs);
  };
  process.on('message', () => {
    clearInterval(timer);
    process.send?.(said);
  });
  if (subject === 'halyard') {
    const io = new Server({ host: uws(), adapter: redis({ url }), opensPerAddressPerSecondMax: 1 << 24 });
    handleSignals(io, { drainMs });
    await io.listen(0, '127.0.0.1');
    speak((number) => io.emit('said', number));
    process.send?.(io.port);
    return;
  }
  const http = createHttpServer();
  const client = new Redis(url);
  const io = new SocketIoServer(http, {
    adapter: createAdapter(client),
    connectionStateRecovery: {},
    transports: ['websocket'],
  });
  process.once('SIGTERM', async () => {
    await io.close();
    process.exit(0);
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  speak((number) => io.emit('said', number));
  process.send?.((http.address() as AddressInfo).port);
}

/** What both kinds of clients have. */
interface Socket {
  readonly recovered: boolean;
  on(event: string, handler: (...args: never[]) => void): unknown;
}

async function clients(subject: Subject, port: number, count: number): Promise<void> {
  const url = `http://127.0.0.1:${port}`;
  const returns: [number, number, boolean][] = [];
  const heard: Set<number>[] = [];
  let connected = 0;
  let doubled = 0;
  const open = (): Promise<void> =>
    new Promise((resolve) => {
      const its = new Set<number>();
      heard.push(its);
      const socket =
        subject === 'halyard'
          ? (connect(url, { transports: ['websocket'] }) as unknown as Socket)
          : (connectSocketIo(url, { transports: ['websocket'], forceNew: true }) as unknown as Socket);
      // One that moves was never away.
      if ('connection' in socket)
        (socket as unknown as HalyardSocket).connection.on('state', ({ to, reason }) => {
          if (to === 'open' && reason === 'moved') returns.push([Date.now(), 0, true]);
        });
      let lostAt: number | undefined;
      socket.on('connect', () => {
        connected++;
        if (lostAt !== undefined) returns.push([Date.now(), performance.now() - lostAt, socket.recovered]);
        lostAt = undefined;
        resolve();
      });
      socket.on('disconnect', () => {
        connected--;
        lostAt = performance.now();
      });
      socket.on('said', (number: number) => {
        if (its.has(number)) doubled++;
        its.add(number);
      });
    });
  process.on('message', (said: number) => {
    let missed = 0;
    for (const its of heard) {
      const first = Math.min(...its);
      for (let number = first; number < said; number++) if (!its.has(number)) missed++;
    }
    process.send?.({ connected, returns, missed, doubled } satisfies Report);
  });
  for (let i = 0; i < count; i += connectedAtOnce) {
    await Promise.all(Array.from({ length: Math.min(connectedAtOnce, count - i) }, open));
  }
  process.send?.('connected');
}

/** Each connection goes to the next server. */
async function balancer(ports: readonly number[]): Promise<{ port: number; close(): void }> {
  const sockets = new Set<TcpSocket>();
  let turn = 0;
  const track = (socket: TcpSocket): TcpSocket => {
    sockets.add(socket);
    return socket.on('error', () => {}).on('close', () => sockets.delete(socket));
  };
  const forward = (incoming: TcpSocket, left: number): void => {
    const port = ports[turn++ % ports.length] as number;
    const outgoing = track(connectTcp({ port, host: '127.0.0.1', noDelay: true }));
    let isOpen = false;
    outgoing.on('connect', () => {
      isOpen = true;
      incoming.pipe(outgoing).pipe(incoming);
    });
    incoming.on('close', () => outgoing.destroy());
    outgoing.on('close', () => {
      if (isOpen || left === 0) incoming.destroy();
      else forward(incoming, left - 1);
    });
  };
  const server = createServer({ noDelay: true }, (incoming) => forward(track(incoming), ports.length));
  server.listen({ port: 0, host: '127.0.0.1', backlog: 4_096 });
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

async function deploy(subject: Subject, count: number): Promise<string> {
  const store = await RedisServer.start(undefined);
  const running: ChildProcess[] = [];
  const started = async (speaks: boolean): Promise<{ process: ChildProcess; port: number }> => {
    const process = child('serve', subject, store.url, speaks ? 'speaks' : '');
    running.push(process);
    return { process, port: await answer<number>(process) };
  };
  const servers = [await started(false), await started(false), await started(false)];
  const ports = servers.map(({ port }) => port);
  const front = await balancer(ports);
  try {
    const speaker = await started(true);
    const halves = [count >> 1, count - (count >> 1)].map((its) =>
      child('clients', subject, `${front.port}`, `${its}`),
    );
    running.push(...halves);
    await Promise.all(halves.map((half) => answer(half)));
    await sleep(2_000);
    const begunAt = Date.now();
    for (const [i, { process: before }] of servers.entries()) {
      const { port } = await started(false);
      ports[i] = port;
      const over = once(before, 'exit');
      before.kill('SIGTERM');
      const impatience = setTimeout(() => before.kill('SIGKILL'), stopMsMax);
      await over;
      clearTimeout(impatience);
    }
    const tookMs = Date.now() - begunAt;
    await sleep(restMs);
    const said = await ask<number>(speaker.process, 'silence');
    await sleep(2_000);
    const reports = await Promise.all(halves.map((half) => ask<Report>(half, said)));
    const all = reports.flatMap(({ returns }) => returns);
    const sum = (field: 'connected' | 'missed' | 'doubled'): number =>
      reports.reduce((total, report) => total + report[field], 0);
    const perSecond = new Map<number, number>();
    for (const [at] of all) perSecond.set(Math.floor(at / 1_000), (perSecond.get(Math.floor(at / 1_000)) ?? 0) + 1);
    const away = all.map(([, awayMs]) => awayMs).toSorted((one, other) => one - other);
    const seconds = (ms = 0): string => `${(ms / 1_000).toFixed(2)} s`;
    const cells = [
      subject === 'halyard' ? 'Halyard' : 'Socket.IO with connection state recovery',
      seconds(tookMs),
      `${count - sum('connected')}`,
      `${all.filter(([, , recovered]) => !recovered).length} of ${all.length}`,
      seconds(away[away.length >> 1]),
      seconds(away.at(-1)),
      `${Math.max(0, ...perSecond.values())}`,
      `${sum('missed')} of ${said * count}`,
      `${sum('doubled')}`,
    ];
    return `| ${cells.join(' | ')} |`;
  } finally {
    for (const process of running) process.kill('SIGKILL');
    front.close();
    store.end();
  }
}

const [role, ...args] = process.argv.slice(2);
if (role === 'serve') await serve(args[0] as Subject, args[1] as string, args[2] === 'speaks');
else if (role === 'clients') await clients(args[0] as Subject, Number(args[1]), Number(args[2]));
else {
  const { values } = parseArgs({ options: { clients: { type: 'string', default: '5000' } } });
  console.log(
    `${values.clients} clients, three servers that are replaced one after the other, Node ${process.version}\n`,
  );
  console.log(
    '| | the deploy takes | never back | not recovered, of returns | away, median | away, longest | returns in a second, most | messages missed | doubled |',
  );
  console.log('| --- | --: | --: | --: | --: | --: | --: | --: | --: |');
  for (const subject of subjects) console.log(await deploy(subject, Number(values.clients)));
}
