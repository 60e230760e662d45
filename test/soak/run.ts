// `npm run soak`: clients come and go by the hundred thousand, on each host, with the store in memory and with Redis. At the end the heap,
// the handles, what the server says of itself, and the keys in Redis have to be where they began.
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { HostName } from '../hostile/attacker';
import { Asked } from '../hostile/processes';
import { RedisServer } from '../kit/redis-server';
import { wholeNumber } from '../kit/whole-number';
import { come } from './crowd';
import { type Kept, leftOf } from './kept';

const usage = `npm run soak -- [options]

  --connects N  connections that come and go, for each host and store (default 100000)
  --host NAME   uws or node; default both
  --store NAME  memory or redis; default both
  --help        this
`;

/** So many come first: what is made once is there then. */
const warmUpMax = 2_000;
/** Logs are kept for half a minute behind their last message, in Redis for longer. */
const restMsMax = 180_000;
const lookMs = 3_000;

const mib = (bytes: number): string => (bytes / (1 << 20)).toFixed(1);

/** @returns whether all is as it was */
async function soak(host: HostName, store: string, connects: number): Promise<boolean> {
  const redis = store === 'redis' ? await RedisServer.start() : undefined;
  const [server, port] = await Asked.start<number, Kept>('server.js', host, redis?.url ?? '');
  const keys = async (): Promise<number> => (redis === undefined ? 0 : Number((await redis.tell('DBSIZE'))[0]));
  const warm = await come(port, host, Math.min(warmUpMax, connects));
  const before = await rested(server, keys, undefined);
  const begun = performance.now();
  const came = await come(port, host, connects);
  const took = (performance.now() - begun) / 1_000;
  const after = await rested(server, keys, before);
  const left = leftOf(before.kept, after.kept);
  if (after.keys > before.keys) left.push(`keys in Redis: ${before.keys} before, ${after.keys} after`);
  left.push(...warm.failures, ...came.failures);
  const count = (kept: Kept): number => Object.values(kept.handles).reduce((sum, one) => sum + one, 0);
  console.log(
    [
      `${host}, ${store}: ${came.connects} connects, ${came.resumes} of them resumes, in ${took.toFixed(0)} s`,
      `heap ${mib(before.kept.heap)} → ${mib(after.kept.heap)} MiB`,
      `rss ${mib(before.kept.rss)} → ${mib(after.kept.rss)} MiB`,
      `handles ${count(before.kept)} → ${count(after.kept)}`,
      `sessions ${before.kept.objects.Session} → ${after.kept.objects.Session}`,
      `rooms ${before.kept.objects.Room} → ${after.kept.objects.Room}`,
      `logs ${before.kept.objects.Log} → ${after.kept.objects.Log}`,
      `maps ${before.kept.objects.Map} → ${after.kept.objects.Map}`,
      ...(redis === undefined ? [] : [`keys ${before.keys} → ${after.keys}`]),
    ].join(', '),
  );
  for (const what of left) console.log(`  ${what}`);
  await server.end();
  await redis?.end();
  return left.length === 0;
}

interface Rest {
  readonly kept: Kept;
  readonly keys: number;
}

/** Waits until nothing is left, or nothing changes any more. @param before undefined: until there is no session, and no room */
async function rested(server: Asked<Kept>, keys: () => Promise<number>, before: Rest | undefined): Promise<Rest> {
  const end = performance.now() + restMsMax;
  for (;;) {
    await sleep(lookMs);
    const kept = await server.ask();
    const now = { kept, keys: await keys() };
    const isOver =
      before === undefined
        ? kept.objects.Session === 0 && kept.gauges.halyard_log_entries === 0
        : leftOf(before.kept, kept).length === 0 && now.keys <= before.keys;
    if (isOver || performance.now() >= end) return now;
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      connects: { type: 'string', default: '100000' },
      host: { type: 'string', default: '' },
      store: { type: 'string', default: '' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    console.log(usage);
    return;
  }
  const connects = wholeNumber('--connects', values.connects, 1, 100_000_000);
  for (const host of ['uws', 'node'] as const) {
    if (values.host !== '' && values.host !== host) continue;
    for (const store of ['memory', 'redis']) {
      if (values.store !== '' && values.store !== store) continue;
      if (!(await soak(host, store, connects))) process.exitCode = 1;
    }
  }
}

await main();
