// What the tests need from the system: Chromium, for those in a browser, Redis, for those of the store in it, HAProxy, for those of
// many servers, and with nginx for those of proxies. Installed where that is ours to do, else named.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { findChromium, isStrict } from './e2e/chromium.mjs';

let isUpdated = false;

const { CHROMIUM_PATH } = process.env;
let found = findChromium();
if (found === undefined && !CHROMIUM_PATH && mayInstall()) {
  console.log('The browser tests need Chromium, which is not here: installing it with apt-get.');
  install('chromium');
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

need('redis-server', ['--version'], 'The tests of the store in Redis', 'redis-server, 7.0 or later', 'redis');
need('haproxy', ['-v'], 'The tests of servers behind a balancer', 'haproxy, 2.4 or later', 'haproxy');
need('nginx', ['-v'], 'The tests of servers behind a proxy', 'nginx, 1.20 or later', 'nginx');

/** Each test starts a program of its own: that of the system is stopped as soon as it is installed. */
function need(program, args, what, which, brew) {
  let isHere = canRun(program, ...args);
  if (!isHere && mayInstall()) {
    console.log(`${what} need ${program}, which is not here: installing it with apt-get.`);
    install(program);
    run('service', program, 'stop');
    isHere = canRun(program, ...args);
  }
  if (isHere) {
    console.log(`${what} start a ${program} of their own.`);
    return;
  }
  console.error(`${what} need ${which}: it was not found.`);
  console.error(`  Debian:  sudo apt-get install ${program}`);
  console.error(`  macOS:   brew install ${brew}`);
  console.error(isStrict() ? 'CI is set, so this is a failure.' : 'Without it they are skipped.');
  if (isStrict()) process.exitCode = 1;
}

function install(name) {
  isUpdated ||= run('apt-get', 'update');
  if (isUpdated) run('apt-get', 'install', '-y', '--no-install-recommends', name);
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
