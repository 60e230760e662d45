// The packages as they are published: packed once by `pnpm pack`, and installed from these archives into empty folders.
import { execFile } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

type Names = Readonly<Record<string, string>>;

/** What `exports` and `imports` have. */
export type Entries = string | { readonly [key: string]: Entries };

export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly description?: string;
  readonly keywords?: readonly string[];
  readonly homepage?: string;
  readonly bugs?: string;
  readonly repository?: { readonly type: string; readonly url: string; readonly directory?: string };
  readonly license?: string;
  readonly type?: string;
  readonly engines?: Names;
  readonly exports: { readonly [path: string]: Entries };
  readonly imports?: Entries;
  readonly unpkg?: string;
  readonly scripts?: Names;
  readonly dependencies?: Names;
  readonly devDependencies?: Names;
  readonly optionalDependencies?: Names;
  readonly peerDependencies?: Names;
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>;
}

/** Without their scope. */
export const packageNames = [
  ...(['protocol', 'codec', 'contract', 'client', 'server', 'codec-msgpack', 'codec-protobuf'] as const),
  ...(['adapter-redis', 'admin', 'testkit', 'cli'] as const),
];

export type PackageName = (typeof packageNames)[number];

export const root = fileURLToPath(new URL('../..', import.meta.url));
export const run = promisify(execFile);
export const scoped = (name: PackageName): string => `@halyard/${name}`;

/** Not the settings of the npm that runs the tests. */
export const env = Object.fromEntries(Object.entries(process.env).filter(([key]) => !/^npm_/i.test(key)));

/** Runs the pnpm that package.json names, wherever the tests were started from. @returns what it prints */
export async function pnpm(command: string): Promise<string> {
  const { packageManager } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  const { stdout } = await run('npx', ['--yes', `--package=${packageManager}`, '-c', `pnpm ${command}`], { cwd: root });
  return stdout;
}

const serverFolder = join(root, 'packages/server');

/** What the packages need of others, as the workspace has it: each for `install`. */
export const libraries = {
  ws: folderOf('ws', serverFolder),
  uws: `uWebSockets.js@file:${folderOf('uWebSockets.js', serverFolder)}`,
  ioredis: folderOf('ioredis', join(root, 'packages/adapter-redis')),
  msgpackr: folderOf('msgpackr', join(root, 'packages/codec-msgpack')),
  msgpack: folderOf('@msgpack/msgpack', join(root, 'packages/codec-msgpack')),
  protobufjs: folderOf('protobufjs', join(root, 'packages/codec-protobuf')),
  typescript: folderOf('typescript', root),
  oldestTypescript: folderOf('typescript-oldest', root),
  nodeTypes: folderOf('@types/node', root),
  tsx: folderOf('tsx', root),
  promClient: folderOf('prom-client', serverFolder),
  openTelemetry: folderOf('@opentelemetry/api', serverFolder),
};

function folderOf(library: string, from: string): string {
  return realpathSync(join(from, 'node_modules', library));
}

class Packages {
  folder = '';
  readonly #manifests = new Map<string, Manifest>();

  async pack(): Promise<void> {
    this.folder = await mkdtemp(join(tmpdir(), 'halyard-packaging-'));
    const filters = packageNames.map((name) => `--filter ${scoped(name)}`).join(' ');
    await pnpm(`${filters} -r pack --out ${this.folder}/%s.tgz`);
    for (const name of packageNames) {
      this.#manifests.set(scoped(name), JSON.parse(await this.read(name, 'package.json')));
    }
  }

  end(): Promise<void> {
    return rm(this.folder, { recursive: true, force: true });
  }

  archive(name: PackageName): string {
    return join(this.folder, `halyard-${name}.tgz`);
  }

  /** @param name with its scope @returns undefined of a package of others */
  manifest(name: string): Manifest | undefined {
    return this.#manifests.get(name);
  }

  /** @returns the paths of all its files */
  async files(name: PackageName): Promise<string[]> {
    const { stdout } = await run('tar', ['-tzf', this.archive(name)]);
    return stdout
      .trim()
      .split('\n')
      .map((path) => path.replace('package/', ''));
  }

  async read(name: PackageName, path: string): Promise<string> {
    const { stdout } = await run('tar', ['-xOzf', this.archive(name), `package/${path}`], { maxBuffer: 1 << 26 });
    return stdout;
  }

  /**
   * Installs packages into an empty folder, by npm and offline, so that a library which is not named fails it.
   * @param libraries folders of packages of others, or `name@file:folder`
   * @returns the folder
   */
  async install(names: readonly PackageName[], libraries: readonly string[] = []): Promise<string> {
    const cwd = await mkdtemp(join(this.folder, 'app-'));
    await writeFile(join(cwd, 'package.json'), '{ "type": "module" }');
    const packages = [...libraries, ...names.map((name) => this.archive(name))];
    // A folder of a library has scripts that are for who works on it.
    const flags = ['--offline', '--no-audit', '--no-fund', ...(libraries.length > 0 ? ['--ignore-scripts'] : [])];
    await run('npm', ['install', ...flags, ...packages], { cwd, env });
    return cwd;
  }
}

export const packages = new Packages();

/** @returns a folder with all packages, and what they need, installed once */
export function everything(): Promise<string> {
  const { typescript: _typescript, oldestTypescript: _oldest, tsx: _tsx, ...others } = libraries;
  installed ??= packages.install(packageNames, Object.values(others));
  return installed;
}

let installed: Promise<string> | undefined;
