// The built chat as a child process, as `npm run demo` runs it.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** What `npm run demo` runs. */
export const chatScript = fileURLToPath(new URL('../../examples/chat/dist/server.js', import.meta.url));

export interface ChatServer {
  readonly url: string;
  readonly port: number;
  /** Of what was started. */
  readonly pid: number;
  /** Ends it as Ctrl-C does. @returns its exit code, or the signal that was needed */
  stop(): Promise<number | string | null>;
  /** Ends it as a power cut does. */
  kill(): Promise<void>;
}

/** What `npm run demo:cluster` runs. */
export const clusterScript = fileURLToPath(new URL('../../examples/cluster/dist/start.js', import.meta.url));

/** @param port 0 takes a free one */
export function startChat(port = 0, script = chatScript): Promise<ChatServer> {
  return startProgram([process.execPath, script], port);
}

/** @param command what prints where the chat is. @param cwd where it is started */
export async function startProgram(
  [file, ...args]: [string, ...string[]],
  port = 0,
  cwd?: string,
): Promise<ChatServer> {
  const child = spawn(file, args, {
    env: { ...process.env, PORT: `${port}` },
    stdio: ['ignore', 'pipe', 'inherit'],
    cwd,
  });
  const line = await firstLine(child);
  const url = /http:\S+$/.exec(line)?.[0];
  if (url === undefined) throw new Error(`The chat printed no address: ${line}`);
  return {
    url,
    port: Number(new URL(url).port),
    pid: child.pid as number,
    stop: () => end(child, 'SIGTERM'),
    kill: async () => {
      await end(child, 'SIGKILL');
    },
  };
}

async function firstLine(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error('no stdout');
  const lines = createInterface({ input: child.stdout });
  const ended = once(child, 'exit').then(([code]) => `(it ended with ${code})`);
  return Promise.race([once(lines, 'line').then(([line]) => String(line)), ended]);
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<number | string | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode ?? child.signalCode;
  const exit = once(child, 'exit');
  child.kill(signal);
  const impatience = setTimeout(() => child.kill('SIGKILL'), 5_000);
  const [code, endedBy] = await exit;
  clearTimeout(impatience);
  return code ?? endedBy;
}
