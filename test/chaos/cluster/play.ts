// A run: a Redis, servers behind a balancer that knows nothing of sessions, and clients, each in processes of their own. Traffic and
// faults for a time; then all has to come to rest, everybody leaves, and what all of them have written is judged.
import { type ChildProcess, fork } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { seededRandom } from '@halyard/harness/random';
import { RedisServer } from '../../kit/redis-server';
import { roundRobin } from '../../kit/round-robin';
import { nowMs } from '../client-traffic';
import { type Books, booksOf } from './books';
import { type Faults, runFaults } from './faults';
import { Fleet } from './fleet';
import { judge, type Verdict } from './judge';
import {
  type ClientsData,
  type ClientsOrder,
  type ClientsReport,
  type Look,
  type NodeData,
  recoveryWindowMs,
} from './plan';
import { type ClientRecord, type NodeRecord, readRecords } from './records';
import { runRestarts } from './rolling';

export interface Run {
  readonly seconds: number;
  readonly seed: number;
  readonly nodes: number;
  readonly clients: number;
  /** Processes of clients. */
  readonly processes: number;
  /** How long a server stands still. */
  readonly stopMs: number;
  /** Who hears nothing for twice as long takes its connection for dead. */
  readonly heartbeatMs: number;
  /** The longest wait between two faults. */
  readonly pauseMs: number;
  /** How often each client and each server says something. */
  readonly sayMs: number;
  /** How soon everybody is back after a kill. */
  readonly backMsMax: number;
  /** Servers are restarted one after the other, and none is killed or stands still. */
  readonly isRolling: boolean;
  /** How long a server may take to go. */
  readonly drainMs: number;
  /** Whether what was written stays. */
  readonly keeps: boolean;
  /** Where the programs are. */
  readonly programs: URL;
  /** Is told how far the run is. */
  note(text: string): void;
}

export interface Outcome extends Verdict {
  readonly books: Books;
  readonly faultsMade: Faults;
  readonly seconds: number;
}

/** Nothing has happened for this long: what has not come by now never will. */
const quietMsMax = 45_000;
/** A session that its client was told is lost may still be kept by a server: for a recovery window, and as long as that takes. */
const ghostMsMax = recoveryWindowMs + 15_000;

export async function play(run: Run): Promise<Outcome> {
  const folder = await mkdtemp(join(tmpdir(), 'halyard-chaos-'));
  const redis = await RedisServer.start();
  const program = (name: string) => new URL(name, run.programs).pathname;
  const fleet = new Fleet({
    count: run.nodes,
    folder,
    seed: run.seed,
    program: program('node.js'),
    redis: redis.url,
    heartbeatMs: run.heartbeatMs,
    sayMs: run.sayMs / 4,
    drainMs: run.drainMs,
  } satisfies Omit<NodeData, 'file'> & { count: number; folder: string; program: string });
  const balancer = await roundRobin(() => fleet.ports);
  const crowd = new Crowd();
  try {
    await fleet.startAll();
    crowd.open(run, program('clients.js'), balancer.port, folder);
    await crowd.until('ready');
    run.note('all are connected');
    await fleet.begin();
    const startedAt = nowMs();
    crowd.order('begin');
    const stopped = () => nowMs() - startedAt >= run.seconds * 1_000;
    const { stopMs, pauseMs } = run;
    const killed = (probe: number, at: number) => {
      run.note(`${Math.round((at - startedAt) / 1_000)} s: a server is killed`);
      crowd.order({ probe, at });
    };
    const note = (text: string) => run.note(`${Math.round((nowMs() - startedAt) / 1_000)} s: ${text}`);
    const faultsMade: Faults = run.isRolling
      ? { kills: 0, stops: 0, timed: new Set(), restarts: await runRestarts(fleet, { pauseMs, note }, stopped) }
      : await runFaults(fleet, seededRandom(run.seed), { stopMs, pauseMs, killed }, stopped);
    const seconds = (nowMs() - startedAt) / 1_000;
    run.note('traffic ends');
    crowd.order('stop');
    await crowd.until('settled');
    run.note('nobody waits for an answer');
    await fleet.askAll('stop');
    await fleet.ask(0, 'last');
    run.note('the last word is said');
    await crowd.until('rested');
    const atRest = await lookUntil(fleet, (looks) => {
      const listed = looks.every((look) => {
        return Object.keys(look.sockets).length === run.clients && look.missing.length === 0 && isOfOneMoment(look);
      });
      return listed && sum(looks, ({ present }) => present.length) === run.clients;
    });
    run.note('all are at rest');
    crowd.order('close');
    // What clients say as they leave is on its way for as long as it takes.
    const atEnd = await lookUntil(fleet, (looks) => {
      return sum(looks, ({ present, sockets }) => present.length + Object.keys(sockets).length) === 0;
    });
    run.note('all clients have gone');
    crowd.order('exit');
    await crowd.ended();
    await fleet.askAll('end');
    const books = booksOf(
      fleet.files.map((file) => readRecords<NodeRecord>(file)),
      crowd.files.map((file) => readRecords<ClientRecord>(file)),
    );
    books.breaches.push(...[...fleet.breaches, ...crowd.breaches].map((text) => ['the run', text] as const));
    const { timed } = faultsMade;
    const returnsMax = run.isRolling ? returnsPerSecondMax(run) : Infinity;
    const verdict = judge(books, { timed, backMsMax: run.backMsMax, returnsMax, atRest, atEnd });
    return { ...verdict, books, faultsMade, seconds };
  } finally {
    crowd.end();
    fleet.end();
    await balancer.close();
    await redis.end();
    if (!run.keeps) await rm(folder, { recursive: true, force: true });
    else console.error(`what was written is in ${folder}`);
  }
}

/** A server sends its clients away in the first six tenths of its time, and no fewer than a hundred in a second; all of them may be its. */
function returnsPerSecondMax({ clients, drainMs }: Run): number {
  return 1.5 * Math.max(100, clients / (drainMs * 0.0006));
}

/** Whether all that a server has asked one after the other says the same: on a busy machine a session may go on elsewhere between two questions. */
function isOfOneMoment({ sockets, counts }: Look): boolean {
  const rooms = Object.values(sockets).flat();
  return Object.entries(counts).every(([room, count]) => rooms.filter((one) => one === room).length === count);
}

/** @returns what all servers know, once something holds of it, or when it has not for long */
async function lookUntil(fleet: Fleet, holds: (looks: readonly Look[]) => boolean): Promise<readonly Look[]> {
  const startedAt = nowMs();
  for (;;) {
    const looks = (await fleet.askAll('look')).filter((look) => look !== null);
    if (holds(looks) || nowMs() - startedAt > ghostMsMax) return looks;
    await delay(100);
  }
}

/** All clients, in their processes. */
class Crowd {
  readonly files: string[] = [];
  readonly breaches: string[] = [];
  readonly #processes: ChildProcess[] = [];
  readonly #reports = new Map<ChildProcess, ClientsReport>();
  readonly #exits: Promise<unknown>[] = [];

  open({ clients, processes, seed, sayMs }: Run, program: string, port: number, folder: string): void {
    for (let i = 0; i < processes; i++) {
      const file = join(folder, `clients-${i}.jsonl`);
      this.files.push(file);
      const from = Math.floor((clients * i) / processes);
      const to = Math.floor((clients * (i + 1)) / processes);
      const data: ClientsData = { port, file, from, to, sayMs, seed: seed + 1_000_000 * (i + 1) };
      const child = fork(program, [JSON.stringify(data)], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
      this.#processes.push(child);
      child.on('message', (report: ClientsReport) => this.#reports.set(child, report));
      this.#exits.push(new Promise((resolve) => child.once('exit', resolve)));
      child.once('exit', (code) => {
        if (code !== 0) this.breaches.push(`a process of clients has ended with ${code}`);
      });
    }
  }

  order(order: ClientsOrder): void {
    for (const child of this.#processes) child.send(order);
  }

  /** @returns once all have come so far, or nothing more comes: then the judge says what is missing */
  async until(state: ClientsReport['state']): Promise<void> {
    const all = () => this.#processes.map((child) => this.#reports.get(child));
    const isThere = () =>
      all().every((report) => report?.state === state || (state === 'settled' && report?.state === 'rested'));
    const progress = () => sum(all(), (report) => report?.progress ?? 0);
    let before = progress();
    let movedAt = nowMs();
    while (!isThere() && nowMs() - movedAt < quietMsMax) {
      await delay(20);
      if (progress() === before) continue;
      before = progress();
      movedAt = nowMs();
    }
    if (isThere()) return;
    const states = all().map((report) => `${report?.state}, ${report?.unsettled} unanswered`);
    this.breaches.push(`clients do not become ${state}: ${states.join('; ')}`);
  }

  async ended(): Promise<void> {
    await Promise.all(this.#exits);
  }

  end(): void {
    for (const child of this.#processes) child.kill('SIGKILL');
  }
}

function sum<Item>(items: readonly Item[], of: (item: Item) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}
