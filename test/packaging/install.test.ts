// What an install brings: by the manifests that `pnpm pack` writes, by what pnpm-lock.yaml resolves, and by an install.
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

type Names = Readonly<Record<string, unknown>>;

interface Manifest {
  readonly exports: unknown;
  readonly imports?: unknown;
  readonly unpkg?: string;
  readonly scripts?: Names;
  readonly dependencies?: Names;
  readonly optionalDependencies?: Names;
  readonly peerDependencies?: Names;
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>;
}

/** A package as `pnpm list` shows it. */
interface Listed {
  /** Of the package that was asked for alone. */
  readonly name?: string;
  readonly path: string;
  readonly dependencies?: Readonly<Record<string, Listed>>;
  readonly optionalDependencies?: Readonly<Record<string, Listed>>;
}

/** A package as npm notes it once it is installed. */
interface Installed {
  readonly hasInstallScript?: boolean;
}

/** Each package without its scope, what it brings of Halyard, and which libraries; behind those come more of others. */
const installs = [
  { name: 'protocol', halyard: [], libraries: [], behind: [] },
  { name: 'codec', halyard: ['protocol'], libraries: [], behind: [] },
  { name: 'client', halyard: ['codec', 'protocol'], libraries: [], behind: [] },
  { name: 'server', halyard: ['codec', 'protocol'], libraries: ['ws'], behind: [] },
  { name: 'codec-msgpack', halyard: ['codec', 'protocol'], libraries: ['@msgpack/msgpack', 'msgpackr'], behind: [] },
  { name: 'codec-protobuf', halyard: ['codec', 'protocol'], libraries: ['protobufjs'], behind: ['long'] },
  // Its server is that of the app, as a peer.
  {
    name: 'adapter-redis',
    halyard: ['codec', 'codec-msgpack', 'protocol', 'server'],
    libraries: ['@msgpack/msgpack', 'ioredis', 'msgpackr', 'ws'],
    behind: [
      ...['@ioredis/commands', 'cluster-key-slot', 'debug', 'denque'],
      ...['ms', 'redis-errors', 'standard-as-callback'],
    ],
  },
  // Its client and its server are those of the app, as peers.
  { name: 'testkit', halyard: ['client', 'codec', 'protocol', 'server'], libraries: ['ws'], behind: [] },
] as const;

const root = fileURLToPath(new URL('../..', import.meta.url));
const run = promisify(execFile);
const scoped = (name: string): string => `@halyard/${name}`;

let folder = '';
const manifests = new Map<string, Manifest>();
const trees = new Map<string, Listed>();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'halyard-packaging-'));
  const filters = installs.map(({ name }) => `--filter ${scoped(name)}`).join(' ');
  await pnpm(`${filters} -r pack --out ${folder}/%s.tgz`);
  for (const { name } of installs) {
    const { stdout } = await run('tar', ['-xOzf', archive(name), 'package/package.json']);
    manifests.set(scoped(name), JSON.parse(stdout));
  }
  const list: Listed[] = JSON.parse(await pnpm(`${filters} list --prod --depth Infinity --json --lockfile-only`));
  for (const tree of list) trees.set(tree.name!, tree);
});

afterAll(() => rm(folder, { recursive: true, force: true }));

/** Runs the pnpm that package.json names, wherever the tests were started from. @returns what it prints */
async function pnpm(command: string): Promise<string> {
  const { packageManager } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  const { stdout } = await run('npx', ['--yes', `--package=${packageManager}`, '-c', `pnpm ${command}`], { cwd: root });
  return stdout;
}

function archive(name: string): string {
  return join(folder, `halyard-${name}.tgz`);
}

/** @returns the names of the peers that it cannot be without */
function peersOf(name: string): string[] {
  const { peerDependencies, peerDependenciesMeta } = manifests.get(name) ?? {};
  return Object.keys(peerDependencies ?? {}).filter((peer) => !peerDependenciesMeta?.[peer]?.optional);
}

/** @returns the names of what an install brings by the packed manifests, as far as the first libraries */
function followed(name: string, found = new Set<string>()): Set<string> {
  const { dependencies, optionalDependencies } = manifests.get(name) ?? {};
  for (const next of [...Object.keys({ ...dependencies, ...optionalDependencies }), ...peersOf(name)]) {
    if (!found.has(next)) followed(next, found.add(next));
  }
  return found;
}

/** @returns what it brings by the lockfile, each with its folder; it lists no peers of a package, so that those are found here */
function resolved({ name: own, dependencies, optionalDependencies }: Listed, found = new Map<string, string>()) {
  for (const peer of own === undefined ? [] : peersOf(own)) {
    const tree = trees.get(peer)!;
    resolved(tree, found.set(peer, tree.path));
  }
  for (const [name, next] of Object.entries({ ...dependencies, ...optionalDependencies })) {
    resolved(next, found.set(name, next.path));
  }
  return found;
}

/** @returns every file that a part of a manifest names for those who have installed it */
function filesNamed(part: unknown): string[] {
  if (typeof part === 'string') return [part.replace('./', 'package/')];
  return Object.entries(part ?? {}).flatMap(([key, next]) => (key === '@halyard/source' ? [] : filesNamed(next)));
}

function installScripts({ scripts }: Manifest): string[] {
  return Object.keys(scripts ?? {}).filter((script) => /^(pre|post)?install$/.test(script));
}

describe.each(installs)('an install of $name', ({ name, halyard, libraries, behind }) => {
  const brought = [...halyard.map(scoped), ...libraries];

  test('brings what the packed manifests say', () => {
    expect([...followed(scoped(name))].sort()).toEqual([...brought].sort());
  });

  test('brings what the lockfile says', () => {
    expect([...resolved(trees.get(scoped(name))!).keys()].sort()).toEqual([...brought, ...behind].sort());
  });

  test('runs no script', async () => {
    expect(installScripts(manifests.get(scoped(name))!)).toEqual([]);
    const found = resolved(trees.get(scoped(name))!);
    const absent: string[] = [];
    for (const path of found.values()) {
      const manifest: Manifest = JSON.parse(await readFile(join(path, 'package.json'), 'utf8'));
      expect(installScripts(manifest)).toEqual([]);
      absent.push(...Object.keys(manifest.optionalDependencies ?? {}).filter((next) => !found.has(next)));
    }
    // It has a script, so pnpm-workspace.yaml leaves it out; an install by an app may bring it.
    expect(absent).toEqual(brought.concat(scoped(name)).includes(scoped('codec-msgpack')) ? ['msgpackr-extract'] : []);
  });

  test('has every file that its manifest names, the licence and the protocol', async () => {
    const { exports, imports, unpkg } = manifests.get(scoped(name))!;
    const { stdout } = await run('tar', ['-tzf', archive(name)]);
    const named = [exports, imports, unpkg].flatMap(filesNamed);
    expect(stdout.split('\n')).toEqual(expect.arrayContaining([...named, 'package/LICENSE', 'package/PROTOCOL.md']));
  });
});

test('npm installs the client with nothing but Halyard and without a script, and it loads', async () => {
  const cwd = await mkdtemp(join(folder, 'app-'));
  await writeFile(join(cwd, 'package.json'), '{}');
  // Not the settings of the npm that runs the tests. Offline, so that a library it should not need fails it.
  const env = Object.fromEntries(Object.entries(process.env).filter(([key]) => !/^npm_/i.test(key)));
  const archives = ['client', 'codec', 'protocol'].map(archive);
  await run('npm', ['install', '--offline', '--no-audit', '--no-fund', ...archives], { cwd, env });
  const { packages } = JSON.parse(await readFile(join(cwd, 'node_modules/.package-lock.json'), 'utf8'));
  const installed = Object.entries<Installed>(packages);
  const wanted = ['client', 'codec', 'protocol'].map((name) => `node_modules/${scoped(name)}`);
  expect(installed.map(([path]) => path)).toEqual(wanted);
  expect(installed.filter(([, { hasInstallScript }]) => hasInstallScript)).toEqual([]);
  const program = `import { connect } from '@halyard/client'; console.log(typeof connect);`;
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', program], { cwd, env });
  expect(stdout).toBe('function\n');
});

test("npm installs the testkit beside the app's client and server, and a world runs", async () => {
  const cwd = await mkdtemp(join(folder, 'app-'));
  await writeFile(join(cwd, 'package.json'), '{}');
  const env = Object.fromEntries(Object.entries(process.env).filter(([key]) => !/^npm_/i.test(key)));
  const names = ['testkit', 'client', 'server', 'codec', 'protocol'];
  // What the server needs besides Halyard is the workspace's, because this is offline.
  const flags = ['--offline', '--no-audit', '--no-fund'];
  const { path } = trees.get(scoped('server'))!.dependencies!.ws!;
  await run('npm', ['install', ...flags, `file:${path}`, ...names.map(archive)], { cwd, env });
  const program = `
    import { simulate } from '@halyard/testkit';
    const world = simulate();
    world.server().on('connection', (socket) => socket.on('add', (a, b) => a + b));
    console.log(await world.until(world.connect().emitWithAck('add', 1, 2)), (await world.close()).timers);`;
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', program], { cwd, env });
  expect(stdout).toBe('3 []\n');
});
