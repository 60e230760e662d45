// `npm run fuzz`: inputs for every decoder and for the HTTP of both hosts, led by which of our blocks they reach; what reaches a new one is
// kept in test/fuzz/corpus. It prints how many were run, and fails with the first input that breaks a rule.
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { seededRandom, testSeed } from '@halyard/harness/random';
import { wholeNumber } from '../kit/whole-number';
import { corpusOf, keep } from './corpus';
import { Coverage } from './coverage';
import { Loop } from './loop';
import type { Target } from './target';
import { targets } from './targets';

const usage = `npm run fuzz -- [options]

  --seconds N   for how long, each target (default 30)
  --target T    names of targets, with commas between them (default all: ${targets.map(({ name }) => name).join(', ')})
  --seed S      of all chance; the same seed and corpus make the same inputs
  --dry         keeps nothing
  --help        this
`;

const corpus = fileURLToPath(new URL('../corpus', import.meta.url));

async function fuzz(target: Target, seconds: number, seed: number, isKept: boolean): Promise<boolean> {
  const coverage = new Coverage((url) => url.includes('/test/fuzz/dist/'));
  const loop = new Loop(target, seededRandom(seed));
  const end = performance.now() + seconds * 1_000;
  const known = [...target.seeds(), ...corpusOf(corpus, target.name)];
  let outcome = await loop.replay(known);
  if (outcome.failure === undefined) outcome = await loop.go(() => performance.now() >= end, coverage);
  coverage.look();
  const { executions, found, failure, slowest } = outcome;
  if (isKept) for (const input of found) keep(corpus, target.name, input);
  console.log(
    `${target.name.padEnd(14)} ${executions.toLocaleString('en').padStart(12)} executions, ${coverage.blocks} blocks, ${known.length} known, ${found.length} found, ${slowest.toFixed(1)} ms at most`,
  );
  coverage.close();
  await target.close?.();
  if (failure === undefined) return true;
  const file = join(tmpdir(), `halyard-fuzz-${target.name}`);
  writeFileSync(file, failure.input);
  console.log(
    `  ${failure.what}\n  ${JSON.stringify(Buffer.from(failure.input).toString('latin1').slice(0, 500))}\n  ${file}`,
  );
  return false;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string', default: '30' },
      target: { type: 'string', default: '' },
      seed: { type: 'string', default: String(testSeed()) },
      dry: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    console.log(usage);
    return;
  }
  const seconds = wholeNumber('--seconds', values.seconds, 1, 1_000_000);
  const seed = wholeNumber('--seed', values.seed, 0, 2 ** 32 - 1);
  const names = values.target.split(',').filter((name) => name !== '');
  const unknown = names.find((name) => targets.every((target) => target.name !== name));
  if (unknown !== undefined) throw new Error(`there is no target ${unknown}\n\n${usage}`);
  console.log(`seed ${seed}`);
  for (const target of targets) {
    if (names.length > 0 && !names.includes(target.name)) continue;
    if (!(await fuzz(target, seconds, seed, !values.dry))) process.exitCode = 1;
  }
}

await main();
