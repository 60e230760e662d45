// A Redis of a test's own, at a free port and in a folder of its own: it keeps nothing, and is gone with the test.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './ports';

/** Whether there is one to start. In CI it is a failure if there is not. */
export const hasRedis = spawnSync('redis-server', ['--version']).status === 0;
if (!hasRedis) {
  const message = 'The store in Redis is not tested, because redis-server is not here: see test/system.mjs.';
  if (process.env.CI === 'true') throw new Error(message);
  console.warn(message);
}

export class RedisServer {
  readonly port: number;
  readonly #folder: string;
  readonly #options: readonly string[];
  #process: ChildProcess | undefined;

  private constructor(port: number, folder: string, options: readonly string[]) {
    this.port = port;
    this.#folder = folder;
    this.#options = options;
  }

  /** @param options more of its command line */
  static async start(...options: string[]): Promise<RedisServer> {
    const folder = await mkdtemp(join(tmpdir(), 'halyard-redis-'));
    const redis = new RedisServer(await freePort(), folder, options);
    await redis.run();
    return redis;
  }

  /** Where it talks to the others of its Cluster. */
  get busPort(): number {
    return Number(this.#options[this.#options.indexOf('--cluster-port') + 1]);
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** A Sentinel that watches over a master, alone. @param name of the master for those who ask */
  static async watch(name: string, { port: master }: RedisServer): Promise<RedisServer> {
    const folder = await mkdtemp(join(tmpdir(), 'halyard-sentinel-'));
    const port = await freePort();
    const lines = [
      ...[`port ${port}`, 'bind 127.0.0.1', `dir ${folder}`, `sentinel monitor ${name} 127.0.0.1 ${master} 1`],
      ...[`sentinel down-after-milliseconds ${name} 500`, `sentinel failover-timeout ${name} 3000`],
    ];
    const file = join(folder, 'sentinel.conf');
    await writeFile(file, lines.join('\n'));
    const sentinel = new RedisServer(port, folder, [file, '--sentinel']);
    await sentinel.run();
    return sentinel;
  }

  /** Starts it again, at its port and empty. */
  async run(): Promise<void> {
    const args = ['--port', `${this.port}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
    const isSentinel = this.#options.includes('--sentinel');
    const all = isSentinel ? this.#options : [...args, '--dir', this.#folder, ...this.#options];
    const child = spawn('redis-server', all, { stdio: 'ignore' });
    this.#process = child;
    while (!(await answers(this.port))) {
      if (child.exitCode !== null) throw new Error(`redis-server has ended with ${child.exitCode}`);
      await sleep(10);
    }
  }

  /** @param command as a person types it. @returns the lines of its answer, without marks and lengths */
  async tell(command: string): Promise<string[]> {
    // It is Redis that closes: to who has closed it would not say the rest of a long answer.
    const socket = connect(this.port, '127.0.0.1', () => socket.write(`${command}\r\nQUIT\r\n`));
    let answer = '';
    for await (const chunk of socket) {
      answer += chunk;
      // A Sentinel does not close: it has no such command, and says so last.
      if (/-ERR unknown command .QUIT.[^\n]*\n$/.test(answer)) break;
    }
    const lines = answer.split('\r\n').slice(0, -2);
    const said: string[] = [];
    for (let i = 0; i < lines.length; i++) {
      const line = lines[i] as string;
      // What follows its length is not marked: it may begin as a mark does.
      if (/^\$\d/.test(line)) said.push(lines[++i] ?? '');
      else if (!/^[$*]/.test(line)) said.push(line.replace(/^[:+-]/, ''));
    }
    return said;
  }

  /** Kills it. */
  async stop(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined || child.exitCode !== null) return;
    const over = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await over;
  }

  /** Stands still, with its connections open. */
  halt(): void {
    this.#process?.kill('SIGSTOP');
  }

  goOn(): void {
    this.#process?.kill('SIGCONT');
  }

  async end(): Promise<void> {
    await this.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\n'));
    const done = (isUp: boolean): void => {
      socket.destroy();
      resolve(isUp);
    };
    socket.on('data', (data) => done(/PONG|NOAUTH/.test(String(data))));
    socket.on('error', () => done(false));
  });
}
