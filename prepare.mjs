// What the commands of package.json need first: everything installed, and built what they name. It prints a line for each, and all that there is to
// read of the one that fails. Arguments: what turbo is to build, such as `--filter=@halyard/bench...`; `--none` builds nothing.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const { packageManager } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'));
const filters = process.argv.slice(2);

step('Installing', 'pnpm install --frozen-lockfile --prefer-offline');
if (!filters.includes('--none')) step('Building', `pnpm exec turbo run build ${filters.join(' ')}`);

/** @param command of pnpm, which need not be installed */
function step(what, command) {
  process.stdout.write(`${what} … `);
  const begun = performance.now();
  const { status, stdout, stderr, error } = spawnSync(`npx --yes --package=${packageManager} -c "${command}"`, {
    shell: true,
    cwd: new URL('.', import.meta.url),
    env: { ...process.env, TURBO_TELEMETRY_DISABLED: '1' },
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  if (status === 0) {
    console.log(`${((performance.now() - begun) / 1_000).toFixed(1)} s`);
    return;
  }
  console.log('it failed.');
  console.error(`${stdout ?? ''}${stderr ?? ''}${error ?? ''}\n${what} has failed: ${command}`);
  process.exit(status || 1);
}
