// Three times as much as a server can do: `npm run bench:overload`. First its capacity is found: the rate of echoes at which the 99th
// percentile of their times is 50 ms. Then three times as many clients as that takes come to a server that sheds work (its option `overload`), and
// stay for a minute; then all but a third go. Do those who are let in notice, and is everything as before afterwards?
// Longer than other files: what a trial is made of is side by side.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { connect, type Socket } from '@halyard/client';
import { Server, uws } from '@halyard/server';
import { pinnedTo, placesOf } from './base/pinning';
import { percentile } from './base/ratios';
import { sleep } from './base/sleep';

/** Each client asks so often. */
const asksPerSecond = 20;
const capacityP99Ms = 50;
const admittedP99Ms = 250;
const recoveryMsMax = 10_000;
const memoryBytes = 512 << 20;
const utilizationMax = 0.85;
/** Of the search for the capacity: clients that share the rate, how long each step takes, and how much more is asked for in the next one. */
const searchClients = 200;
const stepMs = 4_000;
const stepFactor = 1.15;

/** How a server is. */
interface Condition {
  readonly state: 'normal' | 'shedding';
  readonly bytes: number;
  readonly bytesMost: number;
  readonly refused: number;
  readonly shed: number;
}

/** What came back since it was asked last. */
interface Measured {
  readonly connected: number;
  readonly replies: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Asked, and lost with a connection or not answered in time. */
  readonly failed: number;
  /** How busy the load was, of 1: near that the figures are its own. */
  readonly busy: number;
}

type ServerOrder = 'condition';
type LoadOrder = 'measure' | { readonly clients: number; readonly overMs: number } | { readonly asksPerSecond: number };

const self = fileURLToPath(import.meta.url);
const { nodes, load: loadProcessor } = placesOf();

function child(processor: number | undefined, ...args: string[]): ChildProcess {
  const [execPath = '', ...execArgv] = [...pinnedTo(processor), process.execPath];
  return fork(self, args, {
    execPath,
    execArgv,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    serialization: 'advanced',
  });
}

async function answer<Answer>(of: ChildProcess): Promise<Answer> {
  const [message] = await once(of, 'message');
  return message as Answer;
}

/** What is asked, and its answer, by their number: some answers take long. */
interface Asked<Order> {
  readonly number: number;
  readonly order: Order;
}
interface Answered {
  readonly number: number;
  readonly result: unknown;
}

let asked = 0;

function ask<Answer>(of: ChildProcess, order: ServerOrder | LoadOrder): Promise<Answer> {
  const number = ++asked;
  return new Promise((resolve, reject) => {
    const over = (): void => reject(new Error('the process has ended'));
    const hear = (answered: Answered): void => {
      if (answered.number !== number) return;
      of.off('message', hear).off('exit', over);
      resolve(answered.result as Answer);
    };
    of.on('message', hear).on('exit', over);
    of.send({ number, order } satisfies Asked<ServerOrder | LoadOrder>);
  });
}

function reply(number: number, result: Condition | Measured | undefined): void {
  process.send?.({ number, result } satisfies Answered);
}

/** @param workUs what the handler of each event does @param sheds whether it sheds work @param endsNewest as its option */
async function serve(workUs: number, sheds: boolean, endsNewest: boolean): Promise<void> {
  const io = new Server({
    host: uws(),
    overload: sheds ? { memoryBytes, endsNewest, utilizationMax } : false,
    // All clients are of one address here.
    opensPerAddressPerSecondMax: 1 << 24,
  });
  let state: Condition['state'] = 'normal';
  let bytesMost = 0;
  setInterval(() => {
    bytesMost = Math.max(bytesMost, process.memoryUsage.rss());
  }, 200);
  io.on('warning', () => {});
  io.on('overload', (change) => {
    state = change.state;
  });
  io.on('connection', (socket) => {
    socket.on('echo', (text) => {
      const until = performance.now() + workUs / 1_000;
      while (performance.now() < until);
      return text;
    });
  });
  await io.listen(0, '127.0.0.1');
  const total = (name: string): number => {
    const samples = io.metrics().find((metric) => metric.name === name)?.samples ?? [];
    return samples.reduce((sum, sample) => sum + ('value' in sample ? sample.value : 0), 0);
  };
  process.on('message', ({ number }: Asked<ServerOrder>) => {
    const [refused, shed] = [total('halyard_refused_requests_total'), total('halyard_shed_total')];
    reply(number, { state, bytes: process.memoryUsage.rss(), bytesMost, refused, shed });
  });
  process.send?.(io.port);
}

/** Clients, as many as it is told, each of which asks as often as it is told as long as it is connected. */
function load(port: number): void {
  const clients: Socket[] = [];
  const text = 'x'.repeat(64);
  let rate = asksPerSecond;
  let timesMs: number[] = [];
  let failed = 0;
  let due = 0;
  let before = performance.now();
  let usage = performance.eventLoopUtilization();

  const open = (): void => {
    clients.push(connect(`http://127.0.0.1:${port}`));
  };
  const one = async (client: Socket): Promise<void> => {
    const startedAt = performance.now();
    let isCut = false;
    const cut = (): void => {
      isCut = true;
    };
    client.once('disconnect', cut);
    try {
      await client.timeout(30_000).emitWithAck('echo', text);
      if (isCut) failed++;
      else timesMs.push(performance.now() - startedAt);
    } catch {
      failed++;
    }
    client.off('disconnect', cut);
  };
  setInterval(() => {
    const now = performance.now();
    due += ((now - before) / 1_000) * rate * clients.length;
    before = now;
    for (; due >= 1; due--) {
      const client = clients[Math.floor(Math.random() * clients.length)];
      if (client?.connected) void one(client);
    }
  }, 2);
  process.on('message', async ({ number, order }: Asked<LoadOrder>) => {
    if (order === 'measure') {
      const sorted = Float64Array.from(timesMs).sort();
      const later = performance.eventLoopUtilization();
      reply(number, {
        connected: clients.filter(({ connected }) => connected).length,
        ...{ replies: sorted.length, p50Ms: percentile(sorted, 0.5), p99Ms: percentile(sorted, 0.99), failed },
        busy: performance.eventLoopUtilization(later, usage).utilization,
      });
      usage = later;
      timesMs = [];
      failed = 0;
      return;
    }
    if ('asksPerSecond' in order) rate = order.asksPerSecond;
    else {
      for (const client of clients.splice(order.clients)) client.connection.close();
      const missing = order.clients - clients.length;
      for (let i = 0; i < missing; i++) {
        open();
        await sleep(order.overMs / missing);
      }
    }
    reply(number, undefined);
  });
  process.send?.('ready');
}

async function started(
  server: readonly string[],
  running: ChildProcess[],
): Promise<{ server: ChildProcess; load: ChildProcess }> {
  const its = child(nodes[0], 'serve', ...server);
  running.push(its);
  const port = await answer<number>(its);
  const loading = child(loadProcessor, 'load', `${port}`);
  running.push(loading);
  await answer(loading);
  return { server: its, load: loading };
}

/** @returns echoes in a second */
async function capacityOf(workUs: number, running: ChildProcess[]): Promise<number> {
  const { server, load: loading } = await started([`${workUs}`, '', ''], running);
  await ask(loading, { clients: searchClients, overMs: 1_000 });
  let found = 0;
  // Warm first.
  for (let rate = 1_000; ; rate *= stepFactor) {
    await ask(loading, { asksPerSecond: rate / searchClients });
    await sleep(stepMs / 4);
    await ask<Measured>(loading, 'measure');
    await sleep(stepMs);
    const { replies, p99Ms, busy } = await ask<Measured>(loading, 'measure');
    const echoes = replies / (stepMs / 1_000);
    console.log(
      `  ${Math.round(echoes)} echoes in a second: p99 ${p99Ms.toFixed(1)} ms, the load ${busy.toFixed(2)} busy`,
    );
    if (p99Ms > capacityP99Ms || busy > 0.9) break;
    found = echoes;
  }
  server.kill('SIGKILL');
  loading.kill('SIGKILL');
  return found;
}

/** @param known the capacity, if it need not be found */
async function run(workUs: number, seconds: number, endsNewest: boolean, known: number): Promise<boolean> {
  const running: ChildProcess[] = [];
  try {
    console.log('Capacity:');
    const capacity = known || (await capacityOf(workUs, running));
    const fits = Math.round(capacity / asksPerSecond);
    if (fits < 3) {
      console.log('FAILS: the machine is too busy to find a capacity, or the handlers work for too long (--work-us).');
      return false;
    }
    console.log(`${Math.round(capacity)} echoes in a second, which ${fits} clients ask for.\n`);
    const { server, load: loading } = await started([`${workUs}`, 'sheds', endsNewest ? 'ends' : ''], running);
    let isAlive = true;
    server.on('exit', () => {
      isAlive = false;
    });
    const all = fits * 3;
    console.log(`${all} clients come, and stay for ${seconds} s:\n`);
    console.log(
      '| second | connected | state | echoes | p50, ms | p99, ms | cut | refused | memory, MiB | load busy |',
    );
    console.log('| --: | --: | --- | --: | --: | --: | --: | --: | --: | --: |');
    const row = async (at: number): Promise<Measured & Condition> => {
      const measured = await ask<Measured>(loading, 'measure');
      const condition = await ask<Condition>(server, 'condition');
      const { connected, replies, p50Ms, p99Ms, failed, busy } = measured;
      const { state, bytes, refused } = condition;
      const times = [p50Ms, p99Ms].map((ms) => ms.toFixed(1));
      const cells = [at, connected, state, replies, ...times, failed, refused, bytes >> 20, busy.toFixed(2)];
      console.log(`| ${cells.join(' | ')} |`);
      return { ...measured, ...condition };
    };
    const worst: number[] = [];
    let bytesMost = 0;
    // All of them within the first sixth of the time.
    ask(loading, { clients: all, overMs: (seconds * 1_000) / 6 }).catch(() => {});
    const begunAt = performance.now();
    for (let second = 1; second <= seconds && isAlive; second++) {
      await sleep(Math.max(0, begunAt + second * 1_000 - performance.now()));
      const its = await row(second);
      if (its.replies > 0) worst.push(its.p99Ms);
      bytesMost = its.bytesMost;
    }
    console.log('\nAll but a third of what the server can do go:\n');
    ask(loading, { clients: Math.round(fits / 3), overMs: 0 }).catch(() => {});
    const leftAt = performance.now();
    let recoveredMs = Infinity;
    while (isAlive && recoveredMs === Infinity && performance.now() - leftAt < 3 * recoveryMsMax) {
      await sleep(500);
      const { state, p99Ms, replies } = await row(Math.round((performance.now() - begunAt) / 1_000));
      if (state === 'normal' && replies > 0 && p99Ms <= capacityP99Ms) recoveredMs = performance.now() - leftAt;
    }
    const sorted = Float64Array.from(worst).sort();
    const most = sorted.at(-1) ?? Infinity;
    const verdicts: readonly (readonly [what: string, holds: boolean])[] = [
      ['the server is alive', isAlive],
      [`at most ${bytesMost >> 20} MiB, of ${memoryBytes >> 20}`, bytesMost <= memoryBytes],
      [
        `p99 of admitted clients by second: median ${percentile(sorted, 0.5).toFixed(1)} ms, worst ${most.toFixed(1)} ms, of ${admittedP99Ms}`,
        most <= admittedP99Ms,
      ],
      [
        `normal again after ${(recoveredMs / 1_000).toFixed(1)} s, of ${recoveryMsMax / 1_000}`,
        recoveredMs <= recoveryMsMax,
      ],
    ];
    console.log('');
    for (const [what, holds] of verdicts) console.log(`${holds ? 'holds' : 'FAILS'}: ${what}`);
    return verdicts.every(([, holds]) => holds);
  } finally {
    for (const one of running) one.kill('SIGKILL');
  }
}

const [role, ...args] = process.argv.slice(2);
if (role === 'serve') await serve(Number(args[0]), args[1] !== '', args[2] !== '');
else if (role === 'load') load(Number(args[0]));
else {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string', default: '60' },
      'work-us': { type: 'string', default: '100' },
      'ends-newest': { type: 'boolean', default: false },
      capacity: { type: 'string', default: '0' },
    },
  });
  const workUs = Number(values['work-us']);
  console.log(
    `Node ${process.version}; the handler of each echo works for ${workUs} µs, and the load is real clients.\n`,
  );
  process.exitCode = (await run(workUs, Number(values.seconds), values['ends-newest'], Number(values.capacity)))
    ? 0
    : 1;
}
