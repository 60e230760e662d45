// Imports point downward only, and there is no cycle: in the workspace as it is, and shown on a small one that each of some
// lines breaks.
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Imports, readImports } from './imports';
import { type Layers, layers } from './layers';

const root = fileURLToPath(new URL('../..', import.meta.url));

describe('the workspace', () => {
  let imports: Imports;
  beforeAll(async () => {
    imports = await readImports(root, layers);
  });

  test('goes by its layers', () => {
    expect(imports.faults).toEqual([]);
  });

  test('is read across packages, by their conditions and with imports of types', () => {
    // An alias of package.json `exports`, from a package's node_modules.
    expect(imports.of.get('packages/server/src/index.ts')).toContain('packages/protocol/src/index.ts');
    // An import of types alone.
    expect(imports.of.get('packages/codec/src/codec.ts')).toContain('packages/protocol/src/index.ts');
    // A dynamic one.
    expect(imports.of.get('bench/src/subjects/halyard.ts')).toContain('packages/server/src/index.ts');
  });

  test('has no file over 320 lines that does not say why in its first comment', async () => {
    const long: string[] = [];
    for (const file of imports.of.keys()) {
      if (!file.endsWith('.ts')) continue;
      const text = await readFile(join(root, file), 'utf8');
      const comment = /^(?:\/\/.*\n)*/.exec(text)?.[0] ?? '';
      if (text.split('\n').length > 320 && !/Longer\s(\/\/ )?than other files/.test(comment)) long.push(file);
    }
    expect(long).toEqual([]);
  });

  test('has every package and every part in the list', async () => {
    const folders = (await Promise.all(['packages', 'examples'].map(foldersOf))).flat();
    expect(layers.parts.flat().map(({ path }) => path)).toEqual(expect.arrayContaining(folders));
  });

  async function foldersOf(parent: string): Promise<string[]> {
    const entries = await readdir(join(root, parent), { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => `${parent}/${name}`);
  }
});

describe('a small workspace', () => {
  const small: Layers = {
    parts: [
      [{ path: 'packages/low' }],
      [
        { path: 'packages/high', inside: [['src/base'], ['src/left', 'src/right'], ['src/index.ts']] },
        { path: 'packages/side' },
      ],
      [{ path: 'packages/kit', imports: ['packages/low'] }],
    ],
    tests: layers.tests,
    testing: ['packages/kit'],
  };
  const manifest = (name: string) =>
    JSON.stringify({
      name: `@halyard/${name}`,
      exports: { '.': { '@halyard/source': './src/index.ts', default: './gone.js' } },
    });
  const sound: Readonly<Record<string, string>> = {
    'packages/low/package.json': manifest('low'),
    'packages/low/src/index.ts': 'export interface Low { n: number }\n',
    'packages/low/src/one.ts': 'export const one = 1;\n',
    'packages/low/src/two.ts': "export type { Low } from './index';\n",
    'packages/low/src/low.test.ts': "import './one';\n",
    'packages/high/package.json': manifest('high'),
    'packages/high/src/base/base.ts': "import type { Low } from '@halyard/low';\nexport const base: Low = { n: 1 };\n",
    'packages/high/src/left/left.ts': "export { base as left } from '../base/base';\n",
    'packages/high/src/right/right.ts': "export { base as right } from '../base/base';\n",
    'packages/high/src/index.ts': "export * from './left/left';\n",
    'packages/high/src/high.test.ts': "import '@halyard/kit';\nimport '@halyard/low';\n",
    'packages/side/package.json': manifest('side'),
    'packages/side/src/index.ts': "export type { Low } from '@halyard/low';\n",
    'packages/kit/package.json': manifest('kit'),
    'packages/kit/src/index.ts': "export type { Low } from '@halyard/low';\n",
  };
  const folders: string[] = [];

  afterEach(async () => {
    for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
  });

  /** @returns the faults of the sound workspace with one line more */
  async function faultsWith(file?: string, line = '', given: Partial<Layers> = {}): Promise<readonly string[]> {
    const folder = await mkdtemp(join(tmpdir(), 'halyard-layers-'));
    folders.push(folder);
    for (const [path, text] of Object.entries(sound)) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), path === file ? `${text}${line}\n` : text);
    }
    if (file !== undefined && !(file in sound)) {
      await mkdir(dirname(join(folder, file)), { recursive: true });
      await writeFile(join(folder, file), `${line}\n`);
    }
    const modules = join(folder, 'node_modules/@halyard');
    await mkdir(modules, { recursive: true });
    for (const name of ['low', 'high', 'side', 'kit'])
      await symlink(join(folder, 'packages', name), join(modules, name));
    return (await readImports(folder, { ...small, ...given })).faults;
  }

  test('is sound', async () => {
    expect(await faultsWith()).toEqual([]);
  });

  test.each([
    [
      'a lower package imports a higher one',
      'packages/low/src/one.ts',
      "import '@halyard/high';",
      'upward: packages/low/src/one.ts → packages/high/src/index.ts',
    ],
    [
      'so for a type alone',
      'packages/low/src/one.ts',
      "import type { left } from '@halyard/high';",
      'upward: packages/low/src/one.ts → packages/high/src/index.ts',
    ],
    [
      'when the program asks for it',
      'packages/low/src/one.ts',
      "await import('@halyard/high');",
      'upward: packages/low/src/one.ts → packages/high/src/index.ts',
    ],
    [
      'packages that stand beside each other',
      'packages/side/src/index.ts',
      "import '@halyard/high';",
      'upward: packages/side/src/index.ts → packages/high/src/index.ts',
    ],
    [
      'a lower folder imports a higher one',
      'packages/high/src/base/base.ts',
      "import type { right } from '../right/right';",
      'upward: packages/high/src/base/base.ts → packages/high/src/right/right.ts',
    ],
    [
      'folders that stand beside each other',
      'packages/high/src/left/left.ts',
      "import '../right/right';",
      'upward: packages/high/src/left/left.ts → packages/high/src/right/right.ts',
    ],
    [
      'two files import each other, one of them a type',
      'packages/low/src/index.ts',
      "import type { Low as Same } from './two';",
      'cycle: packages/low/src/index.ts → packages/low/src/two.ts → packages/low/src/index.ts',
    ],
    [
      'a test imports a package that imports its own',
      'packages/low/src/low.test.ts',
      "import '@halyard/kit';",
      'a test of what is imported: packages/low/src/low.test.ts → packages/kit/src/index.ts',
    ],
    [
      'published code imports a test',
      'packages/low/src/one.ts',
      "import './low.test';",
      'published code imports a test: packages/low/src/one.ts → packages/low/src/low.test.ts',
    ],
    [
      'the testkit imports more than it may',
      'packages/kit/src/index.ts',
      "import '@halyard/side';",
      'upward: packages/kit/src/index.ts → packages/side/src/index.ts',
    ],
    [
      'a file is in no layer',
      'packages/high/src/lost/lost.ts',
      'export const lost = 1;',
      'in no layer: packages/high/src/lost/lost.ts',
    ],
    [
      'an import leads nowhere',
      'packages/low/src/one.ts',
      "import './gone';",
      'not found: packages/low/src/one.ts → ./gone',
    ],
  ])('%s', async (_what, file, line, fault) => {
    expect(await faultsWith(file, line)).toContain(fault);
  });
});
