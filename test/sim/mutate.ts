// `npm run sim:mutants`: builds the simulator once with each fault, and plays seeds until it is found.
import { spawn } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from 'tsup';
import { type Mutant, mutants } from './mutants';

const usage = `npm run sim:mutants -- [options]

  --seeds N    how many seeds a fault may take (default 400)
  --only TEXT  faults whose words contain it
  --help       this
`;

const root = resolve(import.meta.dirname, '../../..');

/** @returns where the simulator with this fault is. @throws Error if the code that it changes is not there, once */
async function buildWith({ file, code, instead, fault }: Mutant, number: number): Promise<string> {
  const path = join(root, file);
  const parts = (await readFile(path, 'utf8')).split(code);
  if (parts.length !== 2) throw new Error(`"${fault}": its code is ${parts.length - 1} times in ${file}`);
  const outDir = join(root, `test/sim/dist/mutant-${number}`);
  await build({
    config: join(root, 'test/sim/tsup.config.ts'),
    entry: [join(root, 'test/sim/run.ts')],
    outDir,
    silent: true,
    esbuildPlugins: [
      {
        name: 'mutant',
        setup({ onLoad }) {
          onLoad({ filter: new RegExp(`${file.replaceAll('.', '\\.')}$`) }, () => ({
            contents: parts.join(instead),
            loader: 'ts',
          }));
        },
      },
    ],
  });
  return outDir;
}

/** @returns the line that says how it was found; undefined if it was not */
async function find(folder: string, seeds: number, nodes: number): Promise<string | undefined> {
  const options = ['--seeds', `${seeds}`, '--from', '1', '--no-shrink', '--nodes', `${nodes}`];
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

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '400' },
    only: { type: 'string', default: '' },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
if (values.help) console.log(usage);
else {
  const chosen = mutants.filter(({ fault }) => fault.includes(values.only));
  let survivors = 0;
  for (const [i, mutant] of chosen.entries()) {
    const folder = await buildWith(mutant, i);
    const found = await find(folder, Number(values.seeds), mutant.nodes ?? 1);
    await rm(folder, { recursive: true });
    if (found === undefined) survivors++;
    console.log(
      `${found === undefined ? 'SURVIVES' : 'found   '}  ${mutant.fault}${found ? `\n            ${found}` : ''}`,
    );
  }
  console.log(`${chosen.length - survivors} of ${chosen.length} found`);
  process.exitCode = survivors > 0 ? 1 : 0;
}
