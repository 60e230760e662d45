// What an install brings: by the manifests that are packed, by what pnpm-lock.yaml resolves, and by an install.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { env, libraries, type Manifest, type PackageName, packageNames, packages, pnpm, run, scoped } from './packages';

/** A package as `pnpm list` shows it. */
interface Listed {
  /** Of the package that was asked for alone. */
  readonly name?: string;
  readonly path: string;
  readonly dependencies?: Readonly<Record<string, Listed>>;
  readonly optionalDependencies?: Readonly<Record<string, Listed>>;
  /** It is shown whole elsewhere in the list. */
  readonly deduped?: boolean;
}

/** A package as npm notes it once it is installed. */
interface Installed {
  readonly hasInstallScript?: boolean;
}

interface Install {
  readonly name: PackageName;
  readonly halyard: readonly PackageName[];
  readonly libraries: readonly string[];
  readonly behind: readonly string[];
}

/** Each package without its scope, what it brings of Halyard, and which libraries; behind those come more of others. */
const installs = [
  { name: 'protocol', halyard: [], libraries: [], behind: [] },
  { name: 'codec', halyard: ['protocol'], libraries: [], behind: [] },
  { name: 'contract', halyard: ['protocol'], libraries: [], behind: [] },
  { name: 'client', halyard: ['codec', 'contract', 'protocol'], libraries: [], behind: [] },
  { name: 'server', halyard: ['codec', 'contract', 'protocol'], libraries: ['ws'], behind: [] },
  { name: 'codec-msgpack', halyard: ['codec', 'protocol'], libraries: ['@msgpack/msgpack', 'msgpackr'], behind: [] },
  { name: 'codec-protobuf', halyard: ['codec', 'protocol'], libraries: ['protobufjs'], behind: ['long'] },
  // Its server is that of the app, as a peer.
  {
    name: 'adapter-redis',
    halyard: ['codec', 'codec-msgpack', 'contract', 'protocol', 'server'],
    libraries: ['@msgpack/msgpack', 'ioredis', 'msgpackr', 'ws'],
    behind: [
      ...['@ioredis/commands', 'cluster-key-slot', 'debug', 'denque'],
      ...['ms', 'redis-errors', 'standard-as-callback'],
    ],
  },
  // Its server is that of the app, as a peer; its page has the client in it.
  { name: 'admin', halyard: ['codec', 'contract', 'protocol', 'server'], libraries: ['ws'], behind: [] },
  // Its client and its server are those of the app, as peers.
  { name: 'testkit', halyard: ['client', 'codec', 'contract', 'protocol', 'server'], libraries: ['ws'], behind: [] },
  {
    name: 'cli',
    halyard: ['client', 'codec', 'codec-msgpack', 'codec-protobuf', 'contract', 'protocol'],
    libraries: ['@msgpack/msgpack', 'msgpackr', 'protobufjs', 'ws'],
    behind: ['long'],
  },
] as const satisfies readonly Install[];

const trees = new Map<string, Listed>();
/** What is shown whole, by its folder. */
const whole = new Map<string, Listed>();

beforeAll(async () => {
  const filters = packageNames.map((name) => `--filter ${scoped(name)}`).join(' ');
  const list: Listed[] = JSON.parse(await pnpm(`${filters} list --prod --depth Infinity --json --lockfile-only`));
  for (const tree of list) {
    trees.set(tree.name!, tree);
    note(tree);
  }
});

function note({ path, deduped, dependencies, optionalDependencies }: Listed): void {
  if (deduped !== true) whole.set(path, { path, dependencies, optionalDependencies });
  for (const next of Object.values({ ...dependencies, ...optionalDependencies })) note(next);
}

/** @returns the names of the peers that it cannot be without */
function peersOf(name: string): string[] {
  const { peerDependencies, peerDependenciesMeta } = packages.manifest(name) ?? {};
  return Object.keys(peerDependencies ?? {}).filter((peer) => !peerDependenciesMeta?.[peer]?.optional);
}

/** @returns the names of what an install brings by the packed manifests, as far as the first libraries */
function followed(name: string, found = new Set<string>()): Set<string> {
  const { dependencies, optionalDependencies } = packages.manifest(name) ?? {};
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
    resolved(whole.get(next.path) ?? next, found.set(name, next.path));
  }
  return found;
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
    expect(installScripts(packages.manifest(scoped(name))!)).toEqual([]);
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
});

test('npm installs the client with nothing but Halyard and without a script, and it loads', async () => {
  const cwd = await packages.install(['client', 'codec', 'contract', 'protocol']);
  const lock = JSON.parse(await readFile(join(cwd, 'node_modules/.package-lock.json'), 'utf8'));
  const installed = Object.entries<Installed>(lock.packages);
  const wanted = (['client', 'codec', 'contract', 'protocol'] as const).map((name) => `node_modules/${scoped(name)}`);
  expect(installed.map(([path]) => path)).toEqual(wanted);
  expect(installed.filter(([, { hasInstallScript }]) => hasInstallScript)).toEqual([]);
  const program = `import { connect } from '@halyard/client'; console.log(typeof connect);`;
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', program], { cwd, env });
  expect(stdout).toBe('function\n');
});

test('a CommonJS program loads what was installed by `require`', async () => {
  const cwd = await packages.install(['client', 'server', 'codec', 'contract', 'protocol'], [libraries.ws]);
  const program = `
    const { connect } = require('@halyard/client');
    const { Server } = require('@halyard/server');
    console.log(typeof connect, typeof Server);`;
  const { stdout } = await run(process.execPath, ['--input-type=commonjs', '-e', program], { cwd, env });
  expect(stdout).toBe('function function\n');
});

test("npm installs the testkit beside the app's client and server, and a world runs", async () => {
  const cwd = await packages.install(['testkit', 'client', 'server', 'codec', 'contract', 'protocol'], [libraries.ws]);
  const program = `
    import { simulate } from '@halyard/testkit';
    const world = simulate();
    world.server().on('connection', (socket) => socket.on('add', (a, b) => a + b));
    console.log(await world.until(world.connect().emitWithAck('add', 1, 2)), (await world.close()).timers);`;
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', program], { cwd, env });
  expect(stdout).toBe('3 []\n');
});
