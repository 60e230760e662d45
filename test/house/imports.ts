// Who imports whom, types included, as dependency-cruiser reads it, and what of that goes against the layers.
import { cruise, type ICruiseResult, type IForbiddenRuleType } from 'dependency-cruiser';
import type { Layers, Part } from './layers';

/** `what` is not to import any of `others`. Both are paths of files or folders. */
interface Ban {
  readonly what: string;
  readonly others: readonly string[];
}

/** What a workspace is found to be, read once. */
export interface Imports {
  /** An import, a cycle or a file each that goes against the layers. */
  readonly faults: readonly string[];
  /** For each file the files it imports. */
  readonly of: ReadonlyMap<string, readonly string[]>;
}

/** @param root the workspace: the layers' paths are in it */
export async function readImports(root: string, layers: Layers): Promise<Imports> {
  const parts = layers.parts.flat();
  const { modules, summary } = await read(
    root,
    parts.map(({ path }) => path),
    rulesOf(layers),
  );
  const faults: string[] = [];
  for (const { rule, from, to, cycle } of summary.violations) {
    const ring = [from, ...(cycle ?? [{ name: to }]).map(({ name }) => name)];
    faults.push(`${rule.name}: ${ring.join(' → ')}`);
  }
  for (const { source, dependencies, coreModule } of modules) {
    if (coreModule) continue;
    if (layerOf(source, layers) === undefined) faults.push(`in no layer: ${source}`);
    for (const { module, couldNotResolve } of dependencies) {
      if (couldNotResolve) faults.push(`not found: ${source} → ${module}`);
    }
  }
  const of = new Map(modules.map(({ source, dependencies }) => [source, dependencies.map(({ resolved }) => resolved)]));
  return { faults: faults.sort(), of };
}

async function read(root: string, paths: readonly string[], forbidden: IForbiddenRuleType[]): Promise<ICruiseResult> {
  const { output } = await cruise(
    [...paths],
    {
      baseDir: root,
      validate: true,
      ruleSet: { forbidden },
      // A copy comes and goes with a test.
      exclude: { path: '(^|/)(node_modules|dist)/|\\.copy\\.[jt]s$' },
      // Imports of types are gone once it is JavaScript.
      tsPreCompilationDeps: true,
    },
    // As in tsconfig.base.json, so that a package is read from its sources.
    {
      conditionNames: ['@halyard/source', 'node', 'import', 'default'],
      exportsFields: ['exports'],
      extensions: ['.ts', '.mts', '.mjs', '.js', '.json'],
    },
  );
  if (typeof output === 'string') throw new Error(output);
  return output;
}

function rulesOf(layers: Layers): IForbiddenRuleType[] {
  const tests = layers.tests.source;
  const packages = layers.parts.flat().filter(isPackage);
  return [
    { name: 'cycle', severity: 'error', from: {}, to: { circular: true } },
    ...bansOf(layers).map(
      ({ what, others }): IForbiddenRuleType => ({
        name: 'upward',
        severity: 'error',
        from: { path: under([what]), ...(what.startsWith('packages/') ? { pathNot: tests } : {}) },
        to: { path: under(others) },
      }),
    ),
    // Their tests may import what is for tests, and never a package that imports theirs.
    ...packages.map(
      (part): IForbiddenRuleType => ({
        name: 'a test of what is imported',
        severity: 'error',
        from: { path: `${under([part.path])}.*(${tests})` },
        to: { path: under(bannedForTests(part, layers)) },
      }),
    ),
    {
      name: 'published code imports a test',
      severity: 'error',
      from: { path: under(packages.map(({ path }) => path)), pathNot: tests },
      to: { path: tests },
    },
  ];
}

/** For each layer, all that is neither itself nor below it. */
function bansOf({ parts }: Layers): Ban[] {
  const all = parts.flat();
  return parts.flatMap((line, height) =>
    line.flatMap((part) => {
      const below = parts.slice(0, height).flat();
      const allowed = part.imports === undefined ? below : below.filter(({ path }) => part.imports?.includes(path));
      const others = all.filter((other) => other !== part && !allowed.includes(other)).map(({ path }) => path);
      if (part.inside === undefined) return [{ what: part.path, others }];
      const inner = part.inside.map((names) => names.map((name) => `${part.path}/${name}`));
      return inner.flatMap((names, depth) =>
        names.map((what) => ({
          what,
          others: [
            ...others,
            ...inner
              .slice(depth)
              .flat()
              .filter((path) => path !== what),
          ],
        })),
      );
    }),
  );
}

/** All that the tests of a package may not import: what is above it, unless it is for tests and does not import the package itself. */
function bannedForTests(part: Part, layers: Layers): string[] {
  const height = layers.parts.findIndex((line) => line.includes(part));
  return layers.parts.slice(height + 1).flatMap((line) =>
    line.flatMap((other) => {
      const mayImport = other.imports?.includes(part.path) ?? true;
      if (layers.testing.includes(other.path)) return mayImport && isPackage(other) ? [other.path] : [];
      if (other.inside === undefined) return [other.path];
      const inner = other.inside.flat().map((name) => `${other.path}/${name}`);
      return inner.filter((path) => !layers.testing.includes(path));
    }),
  );
}

/** @returns the layer a file is in; the tests of a package are one together */
function layerOf(file: string, { parts, tests }: Layers): string | undefined {
  const part = parts.flat().find(({ path }) => file.startsWith(`${path}/`));
  if (part !== undefined && isPackage(part) && tests.test(file)) return part.path;
  const places = parts.flat().flatMap(({ path, inside }) => inside?.flat().map((name) => `${path}/${name}`) ?? [path]);
  return places.find((place) => new RegExp(under([place])).test(file));
}

function isPackage({ path }: Part): boolean {
  return path.startsWith('packages/');
}

/** @returns a regular expression for files that are, or lie in, one of these */
function under(paths: readonly string[]): string {
  return `^(${paths.map((path) => path.replaceAll('.', '\\.')).join('|')})(/|$)`;
}
