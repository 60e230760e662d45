// What runs on this machine, as `ps` says it.
import { spawnSync } from 'node:child_process';

export interface Running {
  readonly pid: number;
  readonly parent: number;
  /** What it was started with. */
  readonly command: string;
}

/** Those that are over but still listed do not run. */
export function running(): Running[] {
  const { stdout } = spawnSync('ps', ['-A', '-o', 'pid=,ppid=,stat=,args='], { encoding: 'utf8' });
  return [...stdout.matchAll(/^\s*(\d+)\s+(\d+)\s+([^Z\s]\S*)\s+(.*)$/gm)].map(([, pid, parent, , command]) => ({
    pid: Number(pid),
    parent: Number(parent),
    command: command as string,
  }));
}

/** @returns what a process has started, and what those have, and so on; the process itself is the first */
export function treeOf(pid: number): Running[] {
  const all = running();
  const tree = all.filter((one) => one.pid === pid);
  for (const { pid } of tree) tree.push(...all.filter(({ parent }) => parent === pid));
  return tree;
}
