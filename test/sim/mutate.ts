// `npm run sim:mutants`: builds the simulator once with each fault, and plays seeds until it is found. As many at a time as there are
// processors.
import { spawn } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { buildWith } from '../kit/mutant';
import { type Mutant, mutants } from './mutants';

const seedsDefault = 30;

const usage = `npm run sim:mutants -- [options]

  --seeds N    how many seeds a fault may take (default ${seedsDefault}), from where it was found before
  --from S     from this seed on instead
  --only TEXT  faults whose words contain it
  --help       this
`;

const root = resolve(import.meta.dirname, '../../..');

/** @returns where the simulator with this fault is. @throws Error if the code that it changes is not there, once */
async function buildMutant(mutant: Mutant, number: number): Promise<string> {
  const outDir = `test/sim/dist/mutant-${number}`;
  await buildWith(mutant, { root, config: 'test/sim/tsup.config.ts', entry: ['test/sim/run.ts'], outDir });
  return join(root, outDir);
}

/** @returns the line that says how it was found; undefined if it was not */
async function find(
  folder: string,
  seeds: number,
  from: number,
  { nodes = 1, scene }: Mutant,
): Promise<string | undefined> {
  const options = ['--seeds', `${seeds}`, '--from', `${from}`, '--no-shrink', '--workers', '1'];
  if (scene === undefined) options.push('--nodes', `${nodes}`);
  else options.push('--scene', scene);
  const child = spawn(process.execPath, [join(folder, 'run.js'), ...options], { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  await new Promise((done) => child.once('close', done));
  return (
    /^seed \d+: .*$/m.exec(said)?.[0] ?? (said.includes('never met') ? undefined : said.split('\n')[0] || undefined)
  );
}

function readArguments():
  | { readonly seeds: number; readonly from: number | undefined; readonly only: string }
  | undefined {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string', default: `${seedsDefault}` },
      from: { type: 'string' },
      only: { type: 'string', default: '' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return undefined;
  const from = values.from === undefined ? undefined : Number(values.from);
  return { seeds: Number(values.seeds), from, only: values.only };
}

async function main(): Promise<number> {
  let order: ReturnType<typeof readArguments>;
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
  const { seeds, from, only } = order;
  const chosen = mutants.filter(({ fault }) => fault.includes(only));
  let survivors = 0;
  const waiting = [...chosen.entries()];
  const lane = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [i, mutant] = next;
      const folder = await buildMutant(mutant, i);
      const found = await find(folder, seeds, from ?? mutant.from ?? 1, mutant);
      await rm(folder, { recursive: true });
      if (found === undefined) survivors++;
      console.log(
        `${found === undefined ? 'SURVIVES' : 'found   '}  ${mutant.fault}${found ? `\n            ${found}` : ''}`,
      );
    }
  };
  await Promise.all(Array.from({ length: cpus().length }, lane));
  console.log(`${chosen.length - survivors} of ${chosen.length} found`);
  return survivors > 0 ? 1 : 0;
}

process.exitCode = await main();
