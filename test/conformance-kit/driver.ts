// A client under test: a program that is told what to do by lines of JSON, and tells what it hears (docs/CONFORMANCE.md).
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { Inbox } from './inbox';

export type Report = Readonly<Record<string, unknown>> & { readonly is: string };

/** What is kept of its standard error, in characters: for whoever looks for what went wrong. */
const errorsMax = 2_000;

export class Driver {
  readonly reports = new Inbox<Report>();
  readonly #child: ChildProcess;
  #errors = '';

  /** @param command as a shell takes it */
  constructor(command: string) {
    this.#child = spawn(command, { shell: true, stdio: ['pipe', 'pipe', 'pipe'], detached: true });
    const { stdin, stdout, stderr } = this.#child;
    createInterface({ input: stdout! }).on('line', (line) => this.#heard(line));
    stderr?.on('data', (chunk: Buffer) => {
      this.#errors = (this.#errors + chunk.toString()).slice(-errorsMax);
    });
    // It may be gone already.
    stdin?.on('error', () => {});
    this.#child.on('error', (error) => this.reports.push({ is: 'gone', why: String(error) }));
    this.#child.on('exit', (code) =>
      this.reports.push({ is: 'gone', why: `it has ended with ${code}: ${this.#errors}` }),
    );
  }

  tell(command: Readonly<Record<string, unknown>>): void {
    this.#child.stdin?.write(`${JSON.stringify(command)}\n`);
  }

  /** @throws Error if it is gone, or says nothing in time */
  async next(what: string, withinMs: number): Promise<Report> {
    const report = await this.reports.take(what, withinMs).catch((error: Error) => {
      throw new Error(this.#errors === '' ? error.message : `${error.message}; it has said ${this.#errors}`);
    });
    if (report.is === 'gone') throw new Error(`the client is gone: ${report.why}`);
    return report;
  }

  /** Ends it, and what it has started. */
  end(): void {
    const { pid, exitCode, signalCode } = this.#child;
    if (pid === undefined || exitCode !== null || signalCode !== null) return;
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      // It has ended meanwhile.
    }
  }

  #heard(line: string): void {
    try {
      const report = JSON.parse(line) as Report;
      if (typeof report?.is !== 'string') throw new Error('no "is"');
      this.reports.push(report);
    } catch {
      this.reports.push({ is: 'gone', why: `it has written what is no report: ${line.slice(0, 200)}` });
    }
  }
}
