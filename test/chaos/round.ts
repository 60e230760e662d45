// A round: one server, some clients in another process, traffic and faults until enough has happened. Then nothing is said
// or broken any more, everything has to come to rest, and the books are checked.
import { fork } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { seededRandom } from '@halyard/harness/random';
import { Server, type ServerOptions } from '@halyard/server';
import { check, type Verdict } from './checker';
import { nowMs } from './client-traffic';
import type { ClientCounts, ClientsData, ClientsOrder, ClientsReport } from './clients';
import { type Combination, namespaces } from './combinations';
import { Ledger } from './ledger';
import { ServerTraffic } from './server-traffic';

export interface Round {
  readonly combination: Combination;
  readonly limits: ServerOptions;
  readonly clients: number;
  /** Of the script. When what happens depends on the machine. */
  readonly seed: number;
  /** Asked all the time: whether the faults and the traffic may end. */
  isEnough(counts: Counts): boolean;
}

export interface Counts extends ClientCounts {
  readonly seconds: number;
  /** Messages that came to clients, and events of theirs that the server handled. */
  readonly deliveries: number;
  readonly handled: number;
}

export interface Outcome extends Counts, Verdict {}

/** Nothing has come for this long: what has not come by now never will. */
const quietMsMax = 8_000;

export async function playRound({ combination, limits, clients, seed, isEnough }: Round): Promise<Outcome> {
  const startedAt = nowMs();
  const ledger = new Ledger(nowMs);
  const traffic = new ServerTraffic(ledger, seededRandom(seed), seededRandom(seed + 1));
  const io = new Server({ ...limits, host: combination.host(), codecs: [combination.codec()] });
  traffic.serve(io);
  await io.listen(0, '127.0.0.1');

  const names = Array.from({ length: clients }, (_, i) => `client ${i + 1}`);
  for (const name of names) ledger.addClient(name, namespaces);
  const data: ClientsData = { port: io.port, combination: combination.name, names, seed: seed + 2 };
  // Not a thread: one of Node 20 may never come to its end if its sockets are cut while it does.
  const them = fork(new URL('./clients.js', import.meta.url), [JSON.stringify(data)], { serialization: 'advanced' });
  const order = (what: ClientsOrder) => them.send(what);
  const ended = new Promise((resolve) => them.once('exit', resolve));
  let theirs: ClientCounts = {
    ...{ cuts: 0, stalls: 0, longStalls: 0, halfOpens: 0, crawls: 0, resumes: 0, recovered: 0, switches: 0 },
    ...{ requestsLost: 0, answersLost: 0, requestsDoubled: 0, delays: 0 },
  };
  let theyStopped = false;
  them.on('error', (error) => ledger.breach('the clients', String(error)));
  them.once('exit', (code) => {
    if (code !== 0) ledger.breach('the clients', `their process ended with ${code}`);
  });
  them.on('message', ({ records, counts, stopped }: ClientsReport) => {
    ledger.copy(records);
    theirs = counts;
    theyStopped = stopped;
  });

  const counts = (): Counts => ({
    ...theirs,
    seconds: (nowMs() - startedAt) / 1_000,
    deliveries: ledger.deliveries,
    handled: ledger.handledCount,
  });
  await traffic.run(() => ledger.breaches.length > 0 || isEnough(counts()));
  order('stop');
  await untilQuiet(ledger, () => theyStopped);
  traffic.sayLast();
  await untilQuiet(ledger, () => ledger.isAtRest);
  const outcome = { ...counts(), ...check(ledger) };
  order('close');
  await ended;
  await io.close();
  return outcome;
}

/** Waits until something holds, or until nothing more comes. */
async function untilQuiet(ledger: Ledger, holds: () => boolean): Promise<void> {
  let progress = ledger.progress;
  let movedAt = nowMs();
  while (!holds() && nowMs() - movedAt < quietMsMax) {
    await delay(10);
    if (ledger.progress === progress) continue;
    progress = ledger.progress;
    movedAt = nowMs();
  }
}
