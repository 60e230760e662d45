// Starts all of it, and ends all of it, however this process ends: what runs is one group of processes, whose first hears by its stdin that
// this one is gone. If that first is gone itself, the rest of the group is killed.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const programs = spawn(process.execPath, [fileURLToPath(new URL('programs.js', import.meta.url))], {
  stdio: ['pipe', 'inherit', 'inherit'],
  // Ctrl-C is for this process alone: it may come twice, by npm too.
  detached: true,
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => programs.stdin.destroy());

programs.once('exit', (code) => {
  try {
    process.kill(-(programs.pid as number), 'SIGKILL');
  } catch {
    // Nobody is left.
  }
  process.exit(code ?? 1);
});
