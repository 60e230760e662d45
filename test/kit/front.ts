// What stands in front of the servers of a test: nginx or HAProxy, with the configuration that examples/proxies ships. Ports, the
// certificate and what a test changes are filled in as an operator would, line by line.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cert, key } from '@halyard/harness/certificate';
import { freePort } from './ports';

export type FrontName = 'nginx' | 'haproxy';

/** A piece of the configuration that is there once, and what takes its place. */
export type Change = readonly [piece: string, instead: string];

/** Those that can be started. In CI it is a failure if one cannot. */
export const fronts = (['nginx', 'haproxy'] as const).filter((name) => {
  if (spawnSync(name, ['-v']).status === 0) return true;
  const message = `What needs ${name} is not tested, because it is not here: see test/system.mjs.`;
  if (process.env.CI === 'true') throw new Error(message);
  console.warn(message);
  return false;
});

export class Front {
  readonly port: number;
  /** What nginx takes relative paths from. */
  readonly folder: string;
  readonly #name: FrontName;
  #process: ChildProcess | undefined;

  private constructor(name: FrontName, port: number, folder: string) {
    this.#name = name;
    this.port = port;
    this.folder = folder;
  }

  /**
   * @param servers their ports
   * @param changes of what is shipped, beyond ports, the certificate and the servers
   * @returns once it accepts connections
   */
  static async start(name: FrontName, servers: readonly number[], changes: readonly Change[] = []): Promise<Front> {
    const folder = await mkdtemp(join(tmpdir(), 'halyard-front-'));
    const front = new Front(name, await freePort(), folder);
    try {
      await writeFile(join(folder, 'cert.pem'), cert);
      await writeFile(join(folder, 'key.pem'), key);
      await writeFile(join(folder, 'both.pem'), cert + key);
      if (name === 'nginx') await front.#writeNginx(servers, changes);
      else await front.#writeHaproxy(servers, changes);
      await front.run();
    } catch (error) {
      await front.end();
      throw error;
    }
    return front;
  }

  get url(): string {
    return `https://127.0.0.1:${this.port}`;
  }

  /** Starts it, also again, at its port. */
  async run(): Promise<void> {
    const file = join(this.folder, 'main.conf');
    const log = join(this.folder, 'error.log');
    const args = this.#name === 'nginx' ? ['-p', this.folder, '-c', file, '-e', log] : ['-q', '-db', '-f', file];
    const child = spawn(this.#name, args, { stdio: 'ignore' });
    this.#process = child;
    while (!(await accepts(this.port))) {
      if (child.exitCode !== null) throw new Error(`${this.#name} has ended with ${child.exitCode}`);
      await sleep(5);
    }
  }

  /** It is gone at once, and all connections with it. */
  async stop(): Promise<void> {
    const child = this.#process;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, 'exit');
    // Both end fast by this. A worker of nginx would outlive a master that is killed.
    child.kill('SIGTERM');
    await exit;
  }

  /** nginx reads its configuration again: new workers take what is new, and those of before end what they have. */
  reload(): void {
    this.#process?.kill('SIGHUP');
  }

  /** How many requests nginx has answered with a status. */
  async answered(status: number): Promise<number> {
    return (await readFile(join(this.folder, 'access.log'), 'utf8')).split(`${status}\n`).length - 1;
  }

  async end(): Promise<void> {
    await this.stop();
    await rm(this.folder, { recursive: true });
  }

  async #writeNginx(servers: readonly number[], changes: readonly Change[]): Promise<void> {
    await this.#write('halyard.conf', 'nginx.conf', [
      ['  server 127.0.0.1:3000;', servers.map((port) => `  server 127.0.0.1:${port};`).join('\n')],
      ['listen 443 ssl', `listen 127.0.0.1:${this.port} ssl`],
      ['/etc/ssl/app.example.crt', join(this.folder, 'cert.pem')],
      ['/etc/ssl/app.example.key', join(this.folder, 'key.pem')],
      ...changes,
    ]);
    const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
    const main = [
      // Else its workers may not write into the folder.
      ...(process.getuid?.() === 0 ? ['user root;'] : []),
      ...['daemon off;', 'worker_processes 1;', 'pid nginx.pid;', 'events {}'],
      ...[
        'http {',
        'log_format status $status;',
        'access_log access.log status;',
        ...paths.map((path) => `${path}_temp_path ${path};`),
      ],
      ...['include halyard.conf;', '}'],
    ];
    await writeFile(join(this.folder, 'main.conf'), main.join('\n'));
  }

  async #writeHaproxy(servers: readonly number[], changes: readonly Change[]): Promise<void> {
    await this.#write('main.conf', 'haproxy.cfg', [
      ['  server one 127.0.0.1:3000', servers.map((port, i) => `  server s${i} 127.0.0.1:${port}`).join('\n')],
      ['bind :443', `bind 127.0.0.1:${this.port}`],
      ['/etc/haproxy/app.example.pem', join(this.folder, 'both.pem')],
      ...changes,
    ]);
  }

  async #write(file: string, shipped: string, changes: readonly Change[]): Promise<void> {
    let text = await readFile(new URL(`../../examples/proxies/${shipped}`, import.meta.url), 'utf8');
    for (const [piece, instead] of changes) {
      if (text.split(piece).length !== 2) throw new Error(`${shipped} does not have once: ${piece}`);
      text = text.replace(piece, () => instead);
    }
    await writeFile(join(this.folder, file), text);
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}
