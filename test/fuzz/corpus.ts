// The inputs that are kept: for each target a folder of small files, each named for what is in it.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Larger ones help no more, and would fill the repository. */
const fileBytesMax = 2_048;

export function corpusOf(folder: string, target: string): Uint8Array[] {
  const path = join(folder, target);
  if (!existsSync(path)) return [];
  return readdirSync(path)
    .sort()
    .map((name) => new Uint8Array(readFileSync(join(path, name))));
}

export function keep(folder: string, target: string, input: Uint8Array): void {
  if (input.length > fileBytesMax) return;
  const path = join(folder, target);
  mkdirSync(path, { recursive: true });
  writeFileSync(join(path, createHash('sha256').update(input).digest('hex').slice(0, 12)), input);
}
