// Programs of our own that tests run as anybody would: built out of the sources, and in a process of their own.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const cwd = fileURLToPath(new URL('../..', import.meta.url));
export const runFile = promisify(execFile);

/** Builds what the tsup.config.ts of a folder says. */
export async function buildOf(folder: string): Promise<void> {
  await runFile('node', ['node_modules/tsup/dist/cli-default.js', '--config', `${folder}/tsup.config.ts`], { cwd });
}

/** @returns what a program has said, whether or not it has failed */
export async function output(program: string, args: readonly string[]): Promise<{ readonly stdout: string }> {
  try {
    return await runFile('node', [program, ...args], { cwd, maxBuffer: 1 << 26 });
  } catch (error) {
    if (error instanceof Error && 'stdout' in error) return { stdout: String(error.stdout) };
    throw error;
  }
}
