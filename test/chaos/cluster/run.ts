// `npm run chaos:cluster`: plays one run, prints what it came to, and fails on any fault, or if it has tested nothing.
import { parseArgs } from 'node:util';
import { testSeed } from '@halyard/harness/random';
import { wholeNumber } from '../../kit/whole-number';
import { describe } from '../report';
import { type Outcome, play, type Run } from './play';
import { table, unmet } from './tally';

const usage = `npm run chaos:cluster -- [options]

  --seconds N       how long servers are killed and stopped, and clients talk (default 300)
  --seed S          which faults come, and what is said; not when (default: any)
  --nodes N         servers (default 4)
  --clients N       clients (default 400)
  --stop-ms N       how long a server stands still (default 10000)
  --heartbeat-ms N  who hears nothing for twice as long takes its connection for dead (default 3000)
  --pause-ms N      the longest wait between two faults (default 6000)
  --say-ms N        how often each client says something (default 4000)
  --rolling         servers are restarted one after the other, by SIGTERM, and none is killed or stands still
  --drain-ms N      how long a server may take to go (default 10000)
  --back-ms N       how soon all clients are back after a kill (default 5000)
  --keep            leaves what all have written
  --help            this
`;

/** @returns undefined if only the usage was asked for */
function readArguments(): Run | undefined {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string', default: '300' },
      seed: { type: 'string', default: String(testSeed()) },
      nodes: { type: 'string', default: '4' },
      clients: { type: 'string', default: '400' },
      'stop-ms': { type: 'string', default: '10000' },
      'heartbeat-ms': { type: 'string', default: '3000' },
      'pause-ms': { type: 'string', default: '6000' },
      'say-ms': { type: 'string', default: '4000' },
      'back-ms': { type: 'string', default: '5000' },
      rolling: { type: 'boolean', default: false },
      'drain-ms': { type: 'string', default: '10000' },
      keep: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return undefined;
  const number = (name: Exclude<keyof typeof values, 'help' | 'keep' | 'rolling'>, min: number, max: number) =>
    wholeNumber(`--${name}`, values[name], min, max);
  const clients = number('clients', 1, 10_000);
  return {
    seconds: number('seconds', 1, 86_400),
    seed: number('seed', 0, 2 ** 32 - 1),
    nodes: number('nodes', 2, 32),
    clients,
    processes: Math.ceil(clients / 100),
    stopMs: number('stop-ms', 100, 60_000),
    heartbeatMs: number('heartbeat-ms', 100, 60_000),
    pauseMs: number('pause-ms', 100, 600_000),
    sayMs: number('say-ms', 10, 600_000),
    backMsMax: number('back-ms', 100, 600_000),
    isRolling: values.rolling,
    drainMs: number('drain-ms', 100, 600_000),
    keeps: values.keep,
    note: (text) => console.error(text),
    programs: new URL('.', import.meta.url),
  };
}

async function main(run: Run): Promise<void> {
  console.log(`seed ${run.seed}`);
  const outcome: Outcome = await play(run);
  console.log(table(outcome));
  const { faults } = outcome;
  if (faults.length > 0) console.log(`\n${faults.length} faults, of which the first are\n${describe(faults)}`);
  const missing = unmet(outcome);
  if (missing.length > 0) console.log(`\nnever met: ${missing.join(', ')}`);
  const isWell = faults.length === 0 && missing.length === 0;
  console.log(isWell ? '\nno faults' : `\nfailed; --seed ${run.seed} has the same script`);
  process.exitCode = isWell ? 0 : 1;
}

let run: Run | undefined;
try {
  run = readArguments();
  if (run === undefined) console.log(usage);
} catch (error) {
  console.error(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
  process.exitCode = 1;
}
if (run !== undefined) await main(run);
