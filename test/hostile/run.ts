// `npm run test:hostile`: every case by itself, again and again for a second, but for those that wait, which are played at once, with the server and the honest clients in processes of
// their own. It prints a line for each, and fails if something else was seen than must be, or honest clients have noticed something.
import { parseArgs } from 'node:util';
import { wholeNumber } from '../kit/whole-number';
import type { HostName } from './attacker';
import { hasSeen } from './case';
import { type Play, playsOf, surfaces } from './cases';
import { playOne } from './play';
import { Asked, type Memory, type Noticed } from './processes';

const usage = `npm run test:hostile -- [options]

  --ms N        how long each case is played again and again (default 1000; those that wait are played once, side by side)
  --only TEXT   cases in whose name this is
  --host NAME   uws or node; default both
  --help        this
`;

/** What honest clients may wait for an answer beside each case. */
const p99MsMax = 100;
/** Past that a case is played again, so often, and the best of it counts: others may have taken the processors. */
const triesMax = 4;
/** What the server's process may take of the machine in all, and what may be left of a case. */
const peakBytesMax = 512 << 20;
const heapBytesMax = 16 << 20;

interface Row {
  readonly name: string;
  readonly host: HostName;
  readonly times: number;
  readonly seen: string;
  readonly p99: number;
  readonly peak: number;
  readonly heap: number;
  readonly failures: readonly string[];
}

const mib = (bytes: number): string => (bytes / (1 << 20)).toFixed(1);

async function playFor(play: Play, port: number, host: HostName, ms: number): Promise<{ times: number; seen: string }> {
  const end = performance.now() + ms;
  for (let times = 1; ; times++) {
    const seen = await playOne(play, port, host);
    if (performance.now() >= end || !hasSeen(host, play.case.sees, seen)) return { times, seen };
  }
}

async function attack(host: HostName, plays: readonly Play[], ms: number): Promise<Row[]> {
  const [server, port] = await Asked.start<number, Memory>('server.js', host);
  const [clients] = await Asked.start<string, Noticed>('clients.js', String(port));
  await playFor(plays[0] as Play, port, host, ms);
  await clients.ask();
  const { heap: begun } = await server.ask();
  const rows: Row[] = [];
  const groups = [...plays.filter((play) => !play.case.waits).map((play) => [play])];
  const waiting = plays.filter((play) => play.case.waits);
  if (waiting.length > 0) groups.unshift(waiting);
  for (const group of groups) {
    const play = () => Promise.all(group.map((play) => playFor(play, port, host, play.case.waits ? 0 : ms)));
    let played = await play();
    let { p99, faults } = await clients.ask();
    for (let tries = 1; p99 > p99MsMax && faults.length === 0 && tries < triesMax; tries++) {
      played = await play();
      const again = await clients.ask();
      p99 = Math.min(p99, again.p99);
      faults = again.faults;
    }
    const { heap, peak, errors } = await server.ask();
    const common = [...faults, ...errors];
    if (p99 > p99MsMax) common.push(`the p99 of honest clients is ${p99.toFixed(0)} ms`);
    if (peak > peakBytesMax) common.push(`${mib(peak)} MiB were taken`);
    for (const [i, { name, case: one }] of group.entries()) {
      const { times, seen } = played[i] as { times: number; seen: string };
      const must = hasSeen(host, one.sees, seen) ? [] : [`${JSON.stringify(one.sees)} must be seen`];
      const row = { name, host, times, seen, p99, peak, heap: heap - begun, failures: [...common, ...must] };
      rows.push(row);
      console.log(line(row));
      for (const failure of row.failures) console.log(`    ${failure}`);
    }
  }
  // By then sessions have ended that nobody comes back to, connections are forgotten that are over, and so is what logs have kept.
  await new Promise((resolve) => setTimeout(resolve, 45_000));
  const { heap, sockets } = await server.ask();
  console.log(`${host}: heap ${mib(begun)} MiB at the beginning, ${mib(heap)} MiB at the end, ${sockets} sockets`);
  if (heap - begun > heapBytesMax) rows.push(lasting(host, heap - begun, `${mib(heap - begun)} MiB are left`));
  if (sockets !== 3) rows.push(lasting(host, heap - begun, `${sockets} sockets are left`));
  await clients.end();
  await server.end();
  return rows;
}

function lasting(host: HostName, heap: number, failure: string): Row {
  return { name: 'at the end', host, times: 1, seen: '', p99: 0, peak: 0, heap, failures: [failure] };
}

function line({ name, host, times, seen, p99, peak, heap }: Row): string {
  const numbers = `p99 ${p99.toFixed(1)} ms, ${mib(peak)} MiB, heap ${heap < 0 ? '' : '+'}${mib(heap)} MiB`;
  return `${host.padEnd(4)} | ${name} | ${times} × ${seen.slice(0, 60)} | ${numbers}`;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      ms: { type: 'string', default: '1000' },
      only: { type: 'string', default: '' },
      host: { type: 'string', default: '' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    console.log(usage);
    return;
  }
  const ms = wholeNumber('--ms', values.ms, 0, 600_000);
  const plays = surfaces.flatMap(playsOf).filter(({ name }) => name.includes(values.only));
  const rows: Row[] = [];
  for (const host of ['uws', 'node'] as const) {
    if (values.host === '' || values.host === host) rows.push(...(await attack(host, plays, ms)));
  }
  const failed = rows.filter(({ failures }) => failures.length > 0);
  const worst = Math.max(...rows.map(({ p99 }) => p99));
  const peak = Math.max(...rows.map((row) => row.peak));
  console.log(
    `\n${rows.length} played, ${failed.length} failed; the p99 of honest clients was ${worst.toFixed(1)} ms at most, the server took ${mib(peak)} MiB at most`,
  );
  process.exitCode = failed.length === 0 ? 0 : 1;
}

await main();
