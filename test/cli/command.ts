// The command `halyard` as it was built, in a process of its own, as anybody runs it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cert } from '@halyard/harness/certificate';
import { expired, misnamed } from './certificates';

const program = fileURLToPath(new URL('../../packages/cli/dist/bin.js', import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Run {
  readonly env?: Readonly<Record<string, string>>;
  /** What is typed. */
  readonly input?: string;
}

const folder = mkdtempSync(join(tmpdir(), 'halyard-command-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

/** @returns the path of a file with this text, which is gone with the process that runs the tests */
export function fileOf(name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

const endsWithinMs = 60_000;

/** The certificates of all tests are trusted, so that each is refused for what it is about alone. */
const trusted = { NODE_EXTRA_CA_CERTS: fileOf('ca.pem', [cert, expired, misnamed].join('')) };
export const trustsNobody = { NODE_EXTRA_CA_CERTS: '' };

export async function halyard(args: readonly string[], { env = {}, input = '' }: Run = {}): Promise<Ended> {
  const child = spawn(process.execPath, [program, ...args], {
    env: { ...process.env, NO_COLOR: '1', ...trusted, ...env },
    // Whoever lets a connection stay open ends once the other side has had enough: nginx after 75 s.
    timeout: endsWithinMs,
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  child.stdin.end(input);
  const [code] = await once(child, 'close');
  return { code, stdout, stderr };
}
