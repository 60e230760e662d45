// `npm run sim`: plays seeds, prints what they have met, and fails on the first that breaks the promise, or if something was never
// met.
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { wholeNumber } from '../kit/whole-number';
import { add, type Counters, noCounts, table, unmet } from './counters';
import { playAny } from './play-any';
import { sceneNames, sceneOf } from './scenes';
import { Failure, type Script } from './script';
import { shrink } from './shrink';

const usage = `npm run sim -- [options]

  --seeds N     how many seeds are played (default 200)
  --from S      the first of them (default: any)
  --steps N     steps of each (default 300; with a scene 20)
  --nodes K     servers at a time (default 1: one alone, or one after the other; with a scene 3)
  --scene NAME  runs of one scene of several servers, and a short beginning:
                ${sceneNames.join(', ')}
  --workers N   threads (default: one for each processor)
  --no-shrink   a seed that fails is told as it is
  --help        this
`;

interface Order {
  readonly from: number;
  readonly seeds: number;
  readonly steps: number;
  readonly nodes: number;
  readonly scene: string | undefined;
  readonly shrinks: boolean;
  /** Of this worker, and how many there are: it plays every so manieth seed. */
  readonly worker: number;
  readonly workers: number;
}

interface Report {
  readonly counters: Counters;
  readonly seed: number;
  /** How a seed failed. */
  readonly failure?: string;
}

/** Seeds after which something that was never met is taken for a fault of the simulator. */
const enoughSeeds = 100;

function readArguments(): Omit<Order, 'worker'> | undefined {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string', default: '200' },
      from: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
      steps: { type: 'string' },
      nodes: { type: 'string' },
      scene: { type: 'string' },
      workers: { type: 'string', default: String(cpus().length) },
      'no-shrink': { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return undefined;
  const { scene } = values;
  // Else it is found out in a worker.
  if (scene !== undefined) sceneOf(scene);
  const { steps = scene === undefined ? '300' : '20', nodes = scene === undefined ? '1' : '3' } = values;
  return {
    seeds: wholeNumber('--seeds', values.seeds, 1, 10_000_000),
    from: wholeNumber('--from', values.from, 0, 2 ** 31),
    steps: wholeNumber('--steps', steps, 1, 100_000),
    nodes: wholeNumber('--nodes', nodes, scene === undefined ? 1 : 2, 16),
    scene,
    shrinks: !values['no-shrink'],
    workers: wholeNumber('--workers', values.workers, 1, 64),
  };
}

/** A worker's part. */
async function work({ from, seeds, steps, nodes, scene, shrinks, worker, workers }: Order): Promise<void> {
  // Limits are met on purpose.
  console.warn = () => {};
  for (let i = worker; i < seeds; i += workers) {
    const seed = from + i;
    try {
      parentPort?.postMessage({ counters: await playAny({ seed, steps, nodes, scene }), seed } satisfies Report);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      const whole: Script = { seed, steps, nodes, scene };
      const { script, failure } = shrinks ? await shrink(whole, error) : { script: whole, failure: error };
      const left = steps - (script.without?.size ?? 0);
      const cause = failure.cause instanceof Error ? failure.cause.stack : String(failure.cause);
      const text = [
        `seed ${seed}: ${error.message}`,
        `with ${left} of its ${steps} steps: ${failure.message}`,
        ...failure.transcript,
        cause,
        `npm run sim -- --seeds 1 --from ${seed} --steps ${steps} --nodes ${nodes}${scene === undefined ? '' : ` --scene ${scene}`}`,
      ].join('\n');
      parentPort?.postMessage({ counters: noCounts(), seed, failure: text } satisfies Report);
      return;
    }
  }
}

async function main(): Promise<number> {
  let order: Omit<Order, 'worker'> | undefined;
  try {
    order = readArguments();
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n\n${usage}`);
    return 2;
  }
  if (order === undefined) {
    console.log(usage);
    return 0;
  }
  return playAll(order);
}

async function playAll(order: Omit<Order, 'worker'>): Promise<number> {
  const started = performance.now();
  const sum = noCounts();
  let played = 0;
  let failure: string | undefined;
  const workers = Array.from({ length: Math.min(order.workers, order.seeds) }, (_, worker, all = order.seeds) => {
    const count = Math.min(order.workers, all);
    return new Worker(new URL(import.meta.url), { workerData: { ...order, workers: count, worker } satisfies Order });
  });
  await Promise.all(
    workers.map(
      (worker) =>
        new Promise<void>((resolve, reject) => {
          worker.on('message', (report: Report) => {
            played++;
            add(sum, report.counters);
            if (report.failure === undefined) return;
            failure ??= report.failure;
            for (const one of workers) void one.terminate();
          });
          worker.on('error', reject);
          worker.on('exit', () => resolve());
        }),
    ),
  );
  const seconds = (performance.now() - started) / 1_000;
  console.log(`${played} seeds from ${order.from}, ${(played / seconds).toFixed(1)} a second\n${table(sum)}`);
  if (failure !== undefined) {
    console.error(failure);
    return 1;
  }
  const missing = played < enoughSeeds || order.scene !== undefined ? [] : unmet(sum, order.nodes, played);
  if (missing.length > 0) console.error(`never met: ${missing.join(', ')}`);
  return missing.length > 0 ? 1 : 0;
}

if (isMainThread) process.exitCode = await main();
else await work(workerData as Order);
