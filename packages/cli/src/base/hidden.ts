// What is typed without being shown.
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';

/** @returns what was typed; empty if nothing was, or there is no terminal */
export function askHidden(question: string): Promise<string> {
  const { stdin, stderr } = process;
  if (stdin.isTTY !== true) return Promise.resolve('');
  stderr.write(question);
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const reader = createInterface({ input: stdin, output: nowhere, terminal: true, historySize: 0 });
  return new Promise((resolve) => {
    const done = (text: string): void => {
      reader.close();
      stderr.write('\n');
      resolve(text);
    };
    // As Ctrl-C does anywhere else, which a terminal in this mode leaves to us.
    reader.once('SIGINT', () => {
      done('');
      process.kill(process.pid, 'SIGINT');
    });
    reader.question('', done);
  });
}
