// The clients of a round, each behind a cable of its own, in a process of their own: what they do goes on while the server
// is busy. Records and counts go to the round's process, `stop` and `close` come from there.
import { setTimeout as delay } from 'node:timers/promises';
import { connect, type Socket } from '@halyard/client';
import { Cable } from '@halyard/harness/cable';
import { seededRandom } from '@halyard/harness/random';
import { ClientTraffic, nowMs } from './client-traffic';
import { combinationsOf, namespaces } from './combinations';
import { type FaultCounts, refuseByTurns, runFaults } from './faults';
import type { ClientRecord } from './ledger';
import { type HttpFaultCounts, LossyHttp } from './lossy-http';

/** What the process is started with, as JSON. */
export interface ClientsData {
  readonly port: number;
  readonly combination: string;
  readonly names: readonly string[];
  readonly seed: number;
}

export interface ClientCounts extends Readonly<FaultCounts>, Readonly<HttpFaultCounts> {
  readonly cuts: number;
  /** Connections that asked for an earlier session, and those that got it. */
  readonly resumes: number;
  readonly recovered: number;
  /** Sessions that went from one transport to another, unnoticed. */
  readonly switches: number;
}

/** Told again and again. */
export interface ClientsReport {
  readonly records: readonly ClientRecord[];
  readonly counts: ClientCounts;
  /** Whether faults and traffic have ended. */
  readonly stopped: boolean;
}

/** `stop`: everything flows from now on, and each client says a last word. `close`: the end. */
export type ClientsOrder = 'stop' | 'close';

const reportMs = 20;

async function main({ port, combination, names, seed }: ClientsData): Promise<void> {
  if (process.send === undefined) throw new Error('this is run by a round, in a process of its own');
  const { transports, codec } = combinationsOf(combination.split(' '))[0] ?? {};
  if (transports === undefined || codec === undefined) throw new Error(`there is no combination "${combination}"`);
  let records: ClientRecord[] = [];
  let stopped = false;
  let rested = false;
  let closed = false;
  let lossy: LossyHttp | undefined;
  process.on('message', (order: ClientsOrder) => {
    stopped = true;
    if (lossy !== undefined) lossy.isCalm = true;
    closed = order === 'close';
  });

  const write = (record: ClientRecord) => records.push(record);
  const traffic = new ClientTraffic(write, seededRandom(seed), seededRandom(seed + 1));
  const faults: FaultCounts = { stalls: 0, longStalls: 0, halfOpens: 0, crawls: 0 };
  const requests: HttpFaultCounts = { requestsLost: 0, answersLost: 0, requestsDoubled: 0, delays: 0 };
  if (transports.length > 1 || !transports.includes('websocket'))
    lossy = await LossyHttp.open(port, seededRandom(seed + 3_000), requests);
  const opened = { resumes: 0, recovered: 0, switches: 0 };
  const cables: Cable[] = [];
  const sockets: Socket[] = [];
  const scripts: Promise<void>[] = [];
  for (const [i, client] of names.entries()) {
    const cable = await Cable.open(lossy?.port ?? port);
    cables.push(cable);
    const chances = seededRandom(seed + 2_000 + i);
    const socket = connect(cable.url, {
      auth: { client },
      codec: codec(),
      transports,
      fallbackDelayMs: 50,
      // A preferred transport is tried again soon, and it is not held against it for long that it is cut.
      switchDelayMs: 20,
      random: () => chances.next(),
      reconnect: { delayMinMs: 5, delayMaxMs: 40 },
      connectTimeoutMs: 2_000,
      ackTimeoutMs: 600_000,
      offlinePacketsMax: 1_000_000,
      offlineBytesMax: 1 << 30,
    });
    sockets.push(socket);
    let isFirst = true;
    socket.connection.on('state', (change) => {
      if (change.to !== 'open') return;
      if (change.reason === 'moved') {
        opened.switches++;
        return;
      }
      if (!isFirst) opened.resumes++;
      if (!isFirst && change.reason === 'recovered') opened.recovered++;
      isFirst = false;
    });
    for (const namespace of namespaces) {
      traffic.add({ client, namespace }, socket.of(namespace, { auth: { client } }));
    }
    const note = (text: string) => write(['note', client, text, nowMs()]);
    if (transports.length > 1) scripts.push(refuseByTurns(cable, seededRandom(seed + 1_000 + i), () => stopped));
    scripts.push(runFaults({ cable, note, counts: faults }, seededRandom(seed + 2 + i), () => stopped));
  }
  void Promise.all([...scripts, traffic.run(() => stopped)]).then(() => {
    traffic.sayLast();
    rested = true;
  });

  while (!closed) {
    await delay(reportMs);
    const cuts = cables.reduce((sum, cable) => sum + cable.cuts, 0);
    const report: ClientsReport = { records, counts: { ...faults, ...requests, ...opened, cuts }, stopped: rested };
    records = [];
    process.send(report);
  }
  for (const socket of sockets) socket.connection.close();
  for (const cable of cables) await cable.close();
  await lossy?.close();
  process.exit(0);
}

await main(JSON.parse(process.argv[2] ?? '') as ClientsData);
