// Plays all cases that are about a client to the one that a command starts: over every transport and in every codec that it says
// it has, each in a process of its own, or in one that was told to begin anew.
import type { Case, Need } from './case';
import { ClientPlayer } from './client-player';
import { Driver } from './driver';
import { Lateness } from './lateness';
import { writingOf } from './line';
import { type Outcome, outcomeOf, playAll } from './report';
import { isFor, type Way, type Ways, waysOf } from './ways';

export interface ClientRun extends Partial<Ways> {
  /** As a shell takes it. */
  readonly command: string;
  /** How long a step waits, in milliseconds. */
  readonly withinMs: number;
  /** Cases that take longer are left out, in milliseconds. */
  readonly patienceMs: number;
  /** How many are played at one time. */
  readonly atATime: number;
  readonly tell: (outcome: Outcome) => void;
}

/** How long a program may take to start, in milliseconds. */
const startMs = 20_000;

/** What a client says that it has. */
interface Having extends Ways {
  readonly can: readonly (Need | 'reset')[];
}

/** @throws Error if the command starts no driver */
export async function runAgainstClient(cases: readonly Case[], run: ClientRun): Promise<Outcome[]> {
  const having = await lookAt(run.command);
  const lateness = new Lateness();
  const drivers = new Drivers(run.command, having.can.includes('reset'));
  const jobs = waysOf(having, run).flatMap((way) => {
    const how = `${way.transport} ${way.codec}`;
    return cases
      .filter((one) => isFor(one, way))
      .map((one) => async (): Promise<Outcome> => {
        const why = whyNot(one, having, run.patienceMs);
        if (why !== undefined) return { ...one, how, skipped: why };
        return outcomeOf(one, how, lateness, () => play(one, run, way, drivers));
      });
  });
  try {
    return await playAll(jobs, run.atATime, run.tell);
  } finally {
    lateness.end();
    drivers.end();
  }
}

/** Programs that can be told to begin anew, and have nothing to do. */
class Drivers {
  readonly #command: string;
  readonly #canReset: boolean;
  readonly #idle: Driver[] = [];

  constructor(command: string, canReset: boolean) {
    this.#command = command;
    this.#canReset = canReset;
  }

  async take(): Promise<Driver> {
    const idle = this.#idle.pop();
    return idle ?? (await started(this.#command)).driver;
  }

  /** @param isSound whether it may be believed that it does what it is told */
  async giveBack(driver: Driver, isSound: boolean): Promise<void> {
    if (isSound && this.#canReset) {
      driver.tell({ do: 'reset' });
      const report = await driver.next('"ready"', startMs).catch(() => undefined);
      if (report?.is === 'ready') {
        this.#idle.push(driver);
        return;
      }
    }
    driver.end();
  }

  end(): void {
    for (const driver of this.#idle) driver.end();
  }
}

async function play(one: Case, { withinMs }: ClientRun, { transport, codec }: Way, drivers: Drivers): Promise<void> {
  const driver = await drivers.take();
  let isSound = false;
  try {
    const player = new ClientPlayer({ driver, transport, writing: writingOf(codec), withinMs }, one);
    await player.open();
    await player.play(one);
    isSound = true;
  } finally {
    await drivers.giveBack(driver, isSound);
  }
}

async function lookAt(command: string): Promise<Having> {
  const { driver, ready } = await started(command);
  driver.end();
  const { transports = ['websocket'], codecs = ['json'], can = [] } = ready as Partial<Having>;
  return { transports, codecs, can };
}

async function started(command: string): Promise<{ driver: Driver; ready: object }> {
  const driver = new Driver(command);
  try {
    const ready = await driver.next('"ready"', startMs);
    if (ready.is !== 'ready') throw new Error(`the first report of a driver is "ready", not "${ready.is}"`);
    return { driver, ready };
  } catch (error) {
    driver.end();
    throw error;
  }
}

function whyNot({ needs, waits }: Case, { can }: Having, patienceMs: number): string | undefined {
  const wanted = needs.filter((need) =>
    ['strict', 'resume', 'token', 'namespaces', 'volatile', 'renew', 'drain'].includes(need),
  );
  const missing = wanted.find((need) => !can.includes(need));
  if (missing !== undefined) return `the client says nothing of "${missing}"`;
  const takesMs = waits.reduce<number>((sum, one) => sum + Number(one), 0);
  return takesMs > patienceMs ? `it takes ${Math.ceil(takesMs / 1_000)} s: see --patience` : undefined;
}
