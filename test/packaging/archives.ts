// What is in an archive: what its manifest says, where it comes from, and what publint and @arethetypeswrong find in it, which is nothing.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, posix } from 'node:path';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { describe, expect, test } from 'vitest';
import { isLong } from '../kit/long';
import { type Entries, env, packageNames, packages, root, run, scoped } from './packages';

const attw = join(
  dirname(createRequire(import.meta.url).resolve('@arethetypeswrong/cli/package.json')),
  'dist/index.js',
);

/** @returns every condition and path that a part of a manifest has */
function wordsOf(part: Entries): string[] {
  if (typeof part === 'string') return [part];
  return Object.entries(part).flatMap(([key, next]) => [key, ...wordsOf(next)]);
}

/** @returns every file that a part of a manifest names */
function filesNamed(part: Entries): string[] {
  if (typeof part === 'string') return [part.replace('./', '')];
  return Object.values(part).flatMap(filesNamed);
}

describe.each(packageNames)('the archive of %s', (name) => {
  const manifest = () => packages.manifest(scoped(name))!;

  test('says what it is and where it comes from, as package.json of the workspace does', async () => {
    const { homepage, bugs, repository, license, engines } = JSON.parse(
      await readFile(join(root, 'package.json'), 'utf8'),
    );
    const directory = `packages/${name}`;
    const page = homepage.replace('#readme', `/tree/main/${directory}#readme`);
    expect(manifest()).toMatchObject({
      ...{ name: scoped(name), type: 'module', license, engines, bugs, homepage: page },
      repository: { ...repository, directory },
      description: expect.stringMatching(/^.{20,}\.$/),
      keywords: expect.arrayContaining(['halyard', 'realtime']),
    });
  });

  test('has every file that its manifest names, a README, the licence and the protocol', async () => {
    const { exports, imports = {}, unpkg = [] } = manifest();
    const named = [...filesNamed(exports), ...filesNamed(imports), ...(typeof unpkg === 'string' ? [unpkg] : unpkg)];
    expect(await packages.files(name)).toEqual(
      expect.arrayContaining([
        ...named.map((path) => path.replace('./', '')),
        ...['README.md', 'LICENSE', 'PROTOCOL.md', 'package.json'],
      ]),
    );
    expect(await packages.read(name, 'README.md')).toMatch(`# ${scoped(name)}\n`);
  });

  test('leads into no sources, and has nothing of how it is made', async () => {
    const { exports, imports = {}, scripts, devDependencies } = manifest();
    const words = [...wordsOf(exports), ...wordsOf(imports)];
    expect(words.filter((word) => /source|src|\.ts$/.test(word.replace(/\.d\.ts$/, '')))).toEqual([]);
    expect([scripts, devDependencies]).toEqual([undefined, undefined]);
    expect(
      (await packages.files(name)).filter((file) => /(^|\/)(src|test|node_modules)\/|\.test\./.test(file)),
    ).toEqual([]);
  });

  test('has source maps that hold their sources', async () => {
    const files = await packages.files(name);
    for (const file of files.filter((path) => /\.[jt]s$/.test(path))) {
      const [, map] = /\/\/# sourceMappingURL=(\S+)\s*$/.exec(await packages.read(name, file)) ?? [];
      if (map === undefined) {
        // Types have none, and what is loaded by a script tag counts bytes.
        expect(file).toMatch(/\.d\.ts$|\.min\.js$/);
        continue;
      }
      const { sources, sourcesContent } = JSON.parse(await packages.read(name, posix.join(posix.dirname(file), map)));
      expect(sourcesContent?.map((text: string | null) => typeof text)).toEqual(sources.map(() => 'string'));
    }
  });

  test('is right for publint', async () => {
    const tarball = new Uint8Array(await readFile(packages.archive(name))).buffer;
    const { messages, pkg } = await publint({ pack: { tarball }, strict: true });
    expect(messages.map((message) => formatMessage(message, pkg, { color: false }))).toEqual([]);
  });

  // It takes seconds for each: at first of those that every app has.
  test.runIf(isLong || ['client', 'server'].includes(name))('is right for @arethetypeswrong', async () => {
    // What has no types: a script for a page, and the messages of protobuf.
    const untyped = Object.keys(manifest().exports).filter((path) => /\.min\.js$|\.proto$/.test(path));
    const excluded = untyped.length > 0 ? ['--exclude-entrypoints', ...untyped] : [];
    // How TypeScript sees it from a CommonJS project, type-checks.ts says.
    const flags = ['--profile', 'esm-only', '--format', 'ascii', '--no-color', '--no-emoji', ...excluded];
    const failed = ({ stdout, stderr }: { stdout: string; stderr: string }) => stdout + stderr;
    expect(await run(process.execPath, [attw, packages.archive(name), ...flags], { env }).then(() => '', failed)).toBe(
      '',
    );
  });
});
