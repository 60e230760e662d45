// The HAProxy of a test, as examples/cluster has it: every request goes to the next of three servers.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from './ports';

/** Whether there is one to start. In CI it is a failure if there is not. */
export const hasHaproxy = spawnSync('haproxy', ['-v']).status === 0;
if (!hasHaproxy) {
  const message = 'What needs HAProxy is not tested, because haproxy is not here: see test/system.mjs.';
  if (process.env.CI === 'true') throw new Error(message);
  console.warn(message);
}

const config = fileURLToPath(new URL('../../examples/cluster/haproxy.cfg', import.meta.url));

export class Haproxy {
  readonly url: string;
  readonly #process: ChildProcess;

  private constructor(port: number, child: ChildProcess) {
    this.url = `http://127.0.0.1:${port}`;
    this.#process = child;
  }

  /** @param ports of the three servers. @returns once one of them answers through it */
  static async start(ports: readonly [number, number, number]): Promise<Haproxy> {
    const port = await freePort();
    const [one, two, three] = ports.map((port) => `127.0.0.1:${port}`);
    const nodes = { HALYARD_NODE_ONE: one, HALYARD_NODE_TWO: two, HALYARD_NODE_THREE: three };
    const env = { ...process.env, HALYARD_BIND: `127.0.0.1:${port}`, ...nodes };
    // It warns of every server that is gone.
    const child = spawn('haproxy', ['-q', '-db', '-f', config], { env, stdio: 'ignore' });
    const haproxy = new Haproxy(port, child);
    while (!(await answers(haproxy.url))) {
      if (child.exitCode !== null) throw new Error(`haproxy has ended with ${child.exitCode}`);
      await sleep(10);
    }
    return haproxy;
  }

  async end(): Promise<void> {
    if (this.#process.exitCode !== null) return;
    const exit = once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await exit;
  }
}

function answers(url: string): Promise<boolean> {
  return fetch(url).then(
    ({ ok }) => ok,
    () => false,
  );
}
