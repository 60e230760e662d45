// `npm run conformance`: plays the cases against a server, or to a client, and fails if one of them does.
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { node, uws } from '@halyard/server';
import { wholeNumber } from '../kit/whole-number';
import { conformanceServer } from './app';
import { type Case, readCases, type Subject } from './case';
import { runAgainstClient } from './client-run';
import { codecNames } from './line';
import { lineOf, type Outcome, summaryOf } from './report';
import { runAgainstServer } from './server-run';
import { transportNames, type Ways } from './ways';

const usage = `npm run conformance -- URL              plays a client against the server at URL
npm run conformance -- --client CMD     plays a server to the client that CMD starts
npm run conformance -- --ours           both, with this project's own
npm run conformance -- --serve PORT     serves the app that a server under test has, at that port

  --only WORD     cases whose name has this in it, or that cite it, such as R4 or §5.8
  --over A,B      transports (websocket, sse, polling) and codecs (json, msgpack, protobuf), of those that are there
  --patience N    seconds: cases that take longer are left out (default 5)
  --within N      milliseconds that each step waits (default 5000)
  --host NAME     of --serve and --ours: uws or node (default: uws)
  --quiet         failures and the sum only
  --list          the cases, and what they cite
  --help          this

What a server and a client have to have for it stands in docs/CONFORMANCE.md.
`;

/** Clients are processes: more at a time only wait for each other. */
const clientsAtATime = 4;

interface Order extends Partial<Ways> {
  readonly kind: 'server' | 'client' | 'ours' | 'serve' | 'list';
  /** A URL, a command or a port. */
  readonly what: string;
  readonly only: string;
  readonly patienceMs: number;
  readonly withinMs: number;
  readonly host: 'uws' | 'node';
  readonly quiet: boolean;
}

/** @returns undefined if only the usage was asked for */
function readArguments(): Order | undefined {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      client: { type: 'string' },
      serve: { type: 'string' },
      ours: { type: 'boolean', default: false },
      only: { type: 'string', default: '' },
      over: { type: 'string', default: '' },
      patience: { type: 'string', default: '5' },
      within: { type: 'string', default: '5000' },
      host: { type: 'string', default: 'uws' },
      quiet: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return undefined;
  const { host, only, quiet } = values;
  if (host !== 'uws' && host !== 'node') throw new Error(`--host is uws or node, not "${host}"`);
  const kinds = [
    ...positionals.map((what) => ({ kind: 'server', what }) as const),
    ...(values.client === undefined ? [] : [{ kind: 'client', what: values.client } as const]),
    ...(values.serve === undefined ? [] : [{ kind: 'serve', what: values.serve } as const]),
    ...(values.ours ? [{ kind: 'ours', what: '' } as const] : []),
    ...(values.list ? [{ kind: 'list', what: '' } as const] : []),
  ];
  const [chosen, second] = kinds;
  if (chosen === undefined || second !== undefined) throw new Error('one of URL, --client, --ours, --serve and --list');
  if (chosen.kind === 'server' && !/^https?:\/\/[^/]+\/[^?#]*$/.test(chosen.what))
    throw new Error(`URL is the path of a server, such as http://localhost:3000/halyard, not "${chosen.what}"`);
  if (chosen.kind === 'serve') wholeNumber('--serve', chosen.what, 0, 65_535);
  return {
    ...chosen,
    ...waysIn(values.over.split(',').filter((word) => word !== '')),
    only,
    quiet,
    host,
    patienceMs: wholeNumber('--patience', values.patience, 0, 3_600) * 1_000,
    withinMs: wholeNumber('--within', values.within, 10, 600_000),
  };
}

function waysIn(words: readonly string[]): Partial<Ways> {
  const names: readonly string[] = [...transportNames, ...codecNames];
  const odd = words.find((word) => !names.includes(word));
  if (odd !== undefined) throw new Error(`--over takes ${names.join(', ')}, not "${odd}"`);
  const transports = transportNames.filter((name) => words.includes(name));
  const codecs = codecNames.filter((name) => words.includes(name));
  return { ...(transports.length > 0 && { transports }), ...(codecs.length > 0 && { codecs }) };
}

const fileOf = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** The program is built into a folder of `dist`, which is beside the cases. */
function casesOf(subject: Subject, only: string): Case[] {
  const cases = readCases(fileOf(`../../cases/${subject}`), subject);
  return cases.filter(({ name, cites }) => name.includes(only) || cites.includes(only));
}

async function againstServer(url: string, order: Order): Promise<Outcome[]> {
  return runAgainstServer(casesOf('server', order.only), { ...order, url, tell: (one) => tell(one, order) });
}

async function againstClient(command: string, order: Order): Promise<Outcome[]> {
  const run = { ...order, command, atATime: clientsAtATime, tell: (one: Outcome) => tell(one, order) };
  return runAgainstClient(casesOf('client', order.only), run);
}

async function againstOurs(order: Order): Promise<Outcome[]> {
  const io = conformanceServer(order.host === 'uws' ? uws() : node());
  await io.listen(0, '127.0.0.1');
  try {
    const outcomes = await againstServer(`http://127.0.0.1:${io.port}/halyard`, order);
    return [...outcomes, ...(await againstClient(`"${process.execPath}" "${fileOf('./our-client.js')}"`, order))];
  } finally {
    await io.close();
  }
}

function tell(outcome: Outcome, { quiet }: Order): void {
  if (!quiet || outcome.failure !== undefined) console.log(lineOf(outcome));
}

async function main(): Promise<void> {
  let order: Order | undefined;
  try {
    order = readArguments();
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n\n${usage}`);
    process.exitCode = 2;
    return;
  }
  if (order === undefined) {
    console.log(usage);
    return;
  }
  if (order.kind === 'list') {
    for (const subject of ['server', 'client'] as const)
      for (const { name, cites } of casesOf(subject, order.only))
        console.log(`${subject}  ${name}  ${cites.join(' ')}`);
    return;
  }
  if (order.kind === 'serve') {
    const io = conformanceServer(order.host === 'uws' ? uws() : node());
    await io.listen(Number(order.what), '127.0.0.1');
    console.log(`http://127.0.0.1:${io.port}/halyard`);
    return;
  }
  try {
    const run = { server: againstServer, client: againstClient, ours: (_what: string, all: Order) => againstOurs(all) };
    const outcomes = await run[order.kind](order.what, order);
    console.log(summaryOf(outcomes));
    if (outcomes.length === 0) throw new Error(`no case is named, or cites, "${order.only}"`);
    process.exitCode = outcomes.some(({ failure }) => failure !== undefined) ? 1 : 0;
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}

await main();
