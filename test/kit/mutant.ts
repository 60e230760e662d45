// A single fault in the real code, and a program that is built with it: what is to find faults has to find it.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'tsup';

export interface Fault {
  /** What the code does wrong. */
  readonly fault: string;
  /** From the top of the repository. */
  readonly file: string;
  /** What stands there, once. */
  readonly code: string;
  readonly instead: string;
}

export interface Program {
  /** Top of the repository; the rest is from there. */
  readonly root: string;
  readonly config: string;
  /** Undefined: those of the configuration. */
  readonly entry?: readonly string[];
  readonly outDir: string;
}

/** Builds a program with a fault in it. @throws Error if the code that it changes is not there, once */
export async function buildWith({ file, code, instead, fault }: Fault, program: Program): Promise<void> {
  const { root, config, entry, outDir } = program;
  const parts = (await readFile(join(root, file), 'utf8')).split(code);
  if (parts.length !== 2) throw new Error(`"${fault}": its code is ${parts.length - 1} times in ${file}`);
  await build({
    config: join(root, config),
    ...(entry && { entry: entry.map((one) => join(root, one)) }),
    outDir: join(root, outDir),
    silent: true,
    esbuildPlugins: [
      {
        name: 'mutant',
        setup({ onLoad }) {
          onLoad({ filter: new RegExp(`${file.replaceAll('.', '\\.')}$`) }, () => ({
            contents: parts.join(instead),
            loader: 'ts',
          }));
        },
      },
    ],
  });
}
