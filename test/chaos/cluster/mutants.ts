// `npm run chaos:cluster:mutants`: single faults of servers that share a store, each of which a run has to find.
import { spawn } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { buildWith, type Fault } from '../../kit/mutant';

const mutants: readonly Fault[] = [
  {
    fault: 'who has claimed a session is written over by who had it before',
    file: 'packages/adapter-redis/src/lua/commit.ts',
    code: 'if s.isThere and (s.nonce ~= r.nonce or s.isOver) then',
    instead: 'if s.isThere and s.isOver then',
  },
  {
    fault: 'what is handled again is not said to be',
    file: 'packages/server/src/namespace/event-socket.ts',
    code: 'redelivered === this',
    instead: 'false',
  },
];

const root = resolve(import.meta.dirname, '../../../..');
const outDir = 'test/chaos/cluster/dist/mutant';
/** How long anything takes says nothing of a fault. */
const options = ['--seconds', '40', '--say-ms', '1000', '--back-ms', '600000', ...process.argv.slice(2)];

/** @returns what was said of the faults that were found; undefined if none were */
async function find(): Promise<string | undefined> {
  const child = spawn(process.execPath, [join(root, outDir, 'run.js'), ...options], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  await new Promise((done) => child.once('close', done));
  return /^\d+ faults, .*\n.*$/m.exec(said)?.[0];
}

let survivors = 0;
for (const mutant of mutants) {
  await buildWith(mutant, { root, config: 'test/chaos/cluster/tsup.config.ts', outDir });
  const found = await find();
  await rm(join(root, outDir), { recursive: true });
  if (found === undefined) survivors++;
  console.log(`${found === undefined ? 'SURVIVES' : 'found   '}  ${mutant.fault}${found ? `\n  ${found}` : ''}`);
}
process.exitCode = survivors > 0 ? 1 : 0;
