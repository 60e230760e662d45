// All of it as programs of this machine, until stdin ends: a Redis, three servers of the chat, and an HAProxy in front of them. Who dies is
// started again.
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Program } from './program';

const { PORT = '3000', REDIS_URL } = process.env;
const names = ['one', 'two', 'three'] as const;

const needed = [
  ['haproxy', '-v'] as const,
  ...(REDIS_URL === undefined ? [['redis-server', '--version'] as const] : []),
];
const missing = needed.filter(([name, version]) => spawnSync(name, [version]).status !== 0).map(([name]) => name);
if (missing.length > 0) {
  console.error(`This needs ${missing.join(' and ')}, which cannot be found.`);
  console.error(`  Debian:  sudo apt-get install ${missing.join(' ')}`);
  console.error(`  macOS:   brew install ${missing.join(' ').replace('-server', '')}`);
  console.error('  others:  docker compose -f examples/cluster/compose.yaml up --build');
  if (missing.includes('redis-server'))
    console.error('A Redis that runs already is used with REDIS_URL=redis://host:port.');
  process.exit(1);
}

const port = await freePort(Number(PORT)).catch((error: Error) => {
  console.error(`The chat cannot use port ${PORT}: ${error.message}`);
  console.error('Perhaps another program has it. Choose another one: PORT=3001 npm run demo:cluster');
  process.exit(1);
});
const redisPort = await freePort();
const url = REDIS_URL ?? `redis://127.0.0.1:${redisPort}`;
const nodes = await Promise.all(names.map(async (name) => ({ name, port: await freePort() })));

const storeArgs = ['--port', `${redisPort}`, '--bind', '127.0.0.1', '--save', '', '--dir', tmpdir()];
const store =
  REDIS_URL === undefined ? new Program({ name: 'redis-server', file: 'redis-server', args: storeArgs }) : undefined;
const servers = nodes.map(
  ({ name, port }) =>
    new Program({
      name: `server ${name}`,
      file: process.execPath,
      args: [fileURLToPath(new URL('node.js', import.meta.url))],
      env: { NODE_NAME: name, PORT: `${port}`, REDIS_URL: url },
    }),
);
const balancer = new Program({
  name: 'haproxy',
  file: 'haproxy',
  args: ['-q', '-db', '-f', fileURLToPath(new URL('../haproxy.cfg', import.meta.url))],
  env: {
    HALYARD_BIND: `127.0.0.1:${port}`,
    ...Object.fromEntries(nodes.map(({ name, port }) => [`HALYARD_NODE_${name.toUpperCase()}`, `127.0.0.1:${port}`])),
  },
});

process.stdin.resume().once('end', async () => {
  await Promise.all([balancer, ...servers].map((program) => program.end()));
  // Servers that close have something to store.
  await store?.end();
  process.exit(0);
});

const home = `http://localhost:${port}`;
while (!(await answers(home))) await new Promise((resolve) => setTimeout(resolve, 50));
console.log(`Halyard chat on ${nodes.length} servers: ${home}`);

/** @param wanted 0 finds one. Rejects if it is taken. */
async function freePort(wanted = 0): Promise<number> {
  const server = createServer();
  server.listen(wanted, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function answers(address: string): Promise<boolean> {
  return fetch(address).then(
    ({ ok }) => ok,
    () => false,
  );
}
