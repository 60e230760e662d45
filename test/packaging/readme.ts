// The quick start as the README of the workspace shows it.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { root } from './packages';

interface QuickStart {
  readonly commands: readonly string[];
  /** By their names. */
  readonly files: ReadonlyMap<string, string>;
}

export async function quickStart(): Promise<QuickStart> {
  const readme = await readFile(join(root, 'README.md'), 'utf8');
  const [, section = ''] = /\n## Quick start\n(.*?)\n## /s.exec(readme) ?? [];
  const commands: string[] = [];
  const files = new Map<string, string>();
  for (const [, language, text = ''] of section.matchAll(/```(\w+)\n(.*?)```/gs)) {
    if (language === 'sh') commands.push(...text.trim().split('\n'));
    else {
      const [, name, code = ''] = /^\/\/ (\S+\.ts)\n(.*)$/s.exec(text) ?? [];
      if (name === undefined) throw new Error(`A file without its name in the first line: ${text}`);
      files.set(name, code);
    }
  }
  return { commands, files };
}

/** @returns the blocks of TypeScript that it shows */
export function codeOf(readme: string): string[] {
  return [...readme.matchAll(/```ts\n(.*?)```/gs)].map(([, code = '']) => code);
}
