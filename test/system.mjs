// What the tests need from the system: Chromium, for those in a browser, and Redis, for those of the store in it. Installed where that is
// ours to do, else named.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { findChromium, isStrict } from './e2e/chromium.mjs';

const { CHROMIUM_PATH } = process.env;
let found = findChromium();
if (found === undefined && !CHROMIUM_PATH && mayInstall()) {
  console.log('The browser tests need Chromium, which is not here: installing it with apt-get.');
  if (run('apt-get', 'update')) run('apt-get', 'install', '-y', '--no-install-recommends', 'chromium');
  found = findChromium();
}

if (found !== undefined) console.log(`The browser tests run in ${found}.`);
else {
  const where = CHROMIUM_PATH ? `CHROMIUM_PATH is ${CHROMIUM_PATH}, which cannot be run` : 'it was not found';
  console.error(`The browser tests need Chromium or Chrome: ${where}.`);
  console.error('  Debian:  sudo apt-get install chromium');
  console.error('  macOS:   brew install --cask chromium');
  console.error('  others:  https://www.google.com/chrome, or CHROMIUM_PATH=/path/to/chromium');
  console.error(isStrict() ? 'CI is set, so this is a failure.' : 'Without it they are skipped.');
  if (isStrict()) process.exitCode = 1;
}

let hasRedis = canRun('redis-server', '--version');
if (!hasRedis && mayInstall()) {
  console.log('The tests of the store in Redis need redis-server, which is not here: installing it with apt-get.');
  if (run('apt-get', 'update')) run('apt-get', 'install', '-y', '--no-install-recommends', 'redis-server');
  // Each test starts its own.
  run('service', 'redis-server', 'stop');
  hasRedis = canRun('redis-server', '--version');
}

if (hasRedis) console.log('The tests of the store in Redis start a redis-server of their own.');
else {
  console.error('The tests of the store in Redis need redis-server, 7.0 or later: it was not found.');
  console.error('  Debian:  sudo apt-get install redis-server');
  console.error('  macOS:   brew install redis');
  console.error(isStrict() ? 'CI is set, so this is a failure.' : 'Without it they are skipped.');
  if (isStrict()) process.exitCode = 1;
}

function canRun(command, ...args) {
  return spawnSync(command, args).status === 0;
}

function mayInstall() {
  return process.getuid?.() === 0 && existsSync('/etc/debian_version') && existsSync('/usr/bin/apt-get');
}

function run(command, ...args) {
  console.log(`> ${command} ${args.join(' ')}`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  return spawnSync(command, args, { stdio: 'inherit', env }).status === 0;
}
