// A program that is started, and again when it ends.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

export interface Command {
  readonly name: string;
  readonly file: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** So long it is away, in milliseconds. */
const restartMs = 3_000;

export class Program {
  readonly #command: Command;
  #process: ChildProcess | undefined;
  #isOver = false;

  constructor(command: Command) {
    this.#command = command;
    this.#start();
  }

  /** Ends it for good. @returns once it is gone */
  async end(): Promise<void> {
    this.#isOver = true;
    const child = this.#process;
    if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, 'exit');
    child.kill('SIGTERM');
    const impatience = setTimeout(() => child.kill('SIGKILL'), restartMs);
    await exit;
    clearTimeout(impatience);
  }

  #start(): void {
    if (this.#isOver) return;
    const { name, file, args, env } = this.#command;
    const child = spawn(file, args, {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    this.#process = child;
    child.once('error', ({ message }) => console.error(`${name} cannot be started: ${message}`));
    child.once('exit', (code, signal) => {
      if (this.#isOver) return;
      console.log(`${name} has ended with ${signal ?? code}, and comes back in ${restartMs / 1_000} s`);
      setTimeout(() => this.#start(), restartMs);
    });
  }
}
