// What a reader must know of the machine, and of what ran on it, to place the numbers.
import { readFileSync } from 'node:fs';
import { arch, availableParallelism, cpus, loadavg, platform, release, totalmem } from 'node:os';
import { dependencies } from '../../package.json';

export interface Machine {
  readonly processor: string;
  readonly processors: number;
  readonly memoryGiB: number;
  readonly system: string;
  readonly node: string;
  readonly v8: string;
  /** Name → pinned version, of all that is compared with or measured through. */
  readonly libraries: Readonly<Record<string, string>>;
  /** Processes that were ready to run on average over the last minute, when the run began. */
  readonly loadBefore: number;
  readonly date: string;
}

export function machine(): Machine {
  return {
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    processors: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${distribution()} (${platform()} ${release()}, ${arch()})`,
    node: process.versions.node,
    v8: process.versions.v8,
    libraries: Object.fromEntries(Object.entries(dependencies).filter(([name]) => !name.startsWith('@halyard/'))),
    loadBefore: loadavg()[0]!,
    date: new Date().toISOString().slice(0, 10),
  };
}

function distribution(): string {
  try {
    return /^PRETTY_NAME="(.*)"/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'unknown';
  } catch {
    return 'unknown';
  }
}
