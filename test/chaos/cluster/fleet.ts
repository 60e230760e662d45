// The servers of a run: each in a place, with a process that is killed, stopped, and started again.
import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import type { Look, NodeAnswer, NodeData, NodeOrder } from './plan';

interface Berth {
  process: ChildProcess | undefined;
  port: number | undefined;
  isHalted: boolean;
  /** How often it was started. */
  starts: number;
  waiting: ((answer: Look | null) => void)[];
}

export interface FleetOptions extends Omit<NodeData, 'file' | 'seed'> {
  readonly count: number;
  readonly folder: string;
  readonly seed: number;
  /** The program. */
  readonly program: string;
}

export class Fleet {
  /** Where all servers have written to. */
  readonly files: string[] = [];
  /** What must not happen: a process that has ended by itself. */
  readonly breaches: string[] = [];
  readonly #berths: Berth[];
  #hasBegun = false;
  readonly #options: FleetOptions;

  constructor(options: FleetOptions) {
    this.#options = options;
    this.#berths = Array.from({ length: options.count }, () => ({
      process: undefined,
      port: undefined,
      isHalted: false,
      starts: 0,
      waiting: [],
    }));
  }

  async startAll(): Promise<void> {
    await Promise.all(this.#berths.map((_, place) => this.start(place)));
  }

  /** All say something now and then, also those that are started later. */
  async begin(): Promise<void> {
    this.#hasBegun = true;
    await this.askAll('begin');
  }

  /** Ports of all that run, also if they stand still. */
  get ports(): readonly number[] {
    return this.#berths.flatMap(({ port }) => (port === undefined ? [] : [port]));
  }

  /** Places whose server is well. */
  get well(): readonly number[] {
    return this.#berths.flatMap(({ port, isHalted }, place) => (port === undefined || isHalted ? [] : [place]));
  }

  start(place: number): Promise<void> {
    const berth = this.#at(place);
    const { folder, program, redis, heartbeatMs, sayMs, drainMs, seed } = this.#options;
    const file = join(folder, `node-${place}-${++berth.starts}.jsonl`);
    this.files.push(file);
    const data: NodeData = { redis, heartbeatMs, sayMs, drainMs, file, seed: seed + place * 1_000 + berth.starts };
    const child = fork(program, [JSON.stringify(data)], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    berth.process = child;
    return new Promise((resolve, reject) => {
      child.on('message', (message: NodeAnswer) => {
        if ('answer' in message) berth.waiting.shift()?.(message.answer);
        else {
          berth.port = message.up;
          if (this.#hasBegun) void this.ask(place, 'begin');
          resolve();
        }
      });
      child.once('error', reject);
      child.once('exit', (code) => {
        if (code === null || code === 0) return;
        this.breaches.push(`server ${place} has ended by itself, with ${code}`);
        reject(new Error(`server ${place} has ended with ${code}`));
      });
    });
  }

  /** @returns once its process is gone */
  async kill(place: number): Promise<void> {
    const berth = this.#at(place);
    const child = berth.process as ChildProcess;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    Object.assign(berth, { process: undefined, port: undefined, isHalted: false, waiting: [] });
    await gone;
  }

  /** It is told to stop, and is started again once it is gone. */
  async restart(place: number): Promise<void> {
    const berth = this.#at(place);
    const child = berth.process as ChildProcess;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    berth.port = undefined;
    child.kill('SIGTERM');
    await gone;
    Object.assign(berth, { process: undefined, waiting: [] });
    await this.start(place);
  }

  halt(place: number): void {
    const berth = this.#at(place);
    berth.isHalted = true;
    berth.process?.kill('SIGSTOP');
  }

  goOn(place: number): void {
    const berth = this.#at(place);
    berth.isHalted = false;
    berth.process?.kill('SIGCONT');
  }

  ask(place: number, order: NodeOrder): Promise<Look | null> {
    const { process: child, waiting } = this.#at(place);
    return new Promise((resolve) => {
      waiting.push(resolve);
      child?.send(order);
    });
  }

  askAll(order: NodeOrder): Promise<(Look | null)[]> {
    return Promise.all(this.#berths.map((_, place) => this.ask(place, order)));
  }

  /** Whatever is still there. */
  end(): void {
    for (const { process: child } of this.#berths) child?.kill('SIGKILL');
  }

  #at(place: number): Berth {
    const berth = this.#berths[place];
    if (berth === undefined) throw new Error(`there is no place ${place}`);
    return berth;
  }
}
