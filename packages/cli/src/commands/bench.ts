// `halyard bench URL`: many clients of one server, and how long it takes them to open, to be answered, and to be told.
import { parseArgs } from 'node:util';
import { type Auth, connect as connectClient } from '@halyard/client';
import { codecOf } from '../base/codecs';
import { eventName, wholeNumber } from '../base/option';
import { plain } from '../base/plain';
import { targetOf } from '../base/target';
import { Crowd } from '../bench/crowd';
import { Echo } from '../bench/echo';
import { FanOut } from '../bench/fan-out';
import { type Row, tableOf } from '../bench/table';
import { authIn, type Command, commonOptions, commonUsage, headersIn, urlIn } from './command';
import { transportsIn } from './transports';

/** How often the live line is written anew. */
const liveMs = 200;

const usage = `halyard bench URL [options]

Opens connections, each a client with a session, lets each ask an event and ask again when it has its reply, and, if the server helps, looks at how
long a broadcast takes. All of it comes from one process, which has its own limits: it is a look at a server, and no contest.

  --connections N   1 to 50000 (default 100)
  --at-once N       how many may be opening at a time (default 50)
  --transport NAME  websocket, sse or polling (default websocket)
  --duration-ms N   of each of the two (default 5000)
  --event NAME      what is asked (default echo). Without a handler it is the refusal that is measured, which takes the same way
  --bytes N         characters that it carries (default 32)
  --in-flight N     how many of a connection are under way (default 1)
  --fan-out NAME    an event that the server tells to all, with its argument, under any name (default: none)
  --wait-ms N       what a connection, a reply and a broadcast may take (default 10000)
${commonUsage}

It ends with 1 if something has failed.
`;

export const bench: Command = {
  name: 'bench',
  about: 'many clients at once: opening, round trips, fan-out',
  usage,
  async run(args) {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        ...commonOptions,
        connections: { type: 'string', default: '100' },
        'at-once': { type: 'string', default: '50' },
        transport: { type: 'string', default: 'websocket' },
        'duration-ms': { type: 'string', default: '5000' },
        event: { type: 'string', default: 'echo' },
        bytes: { type: 'string', default: '32' },
        'in-flight': { type: 'string', default: '1' },
        'fan-out': { type: 'string' },
        'wait-ms': { type: 'string', default: '10000' },
      },
    });
    const { origin, path, namespace, headers } = targetOf(urlIn(positionals), values.path, headersIn(values.header));
    const codec = await codecOf(values.codec);
    const auth: Auth | undefined = await authIn(values);
    const event = eventName('--event', values.event);
    const told = values['fan-out'] === undefined ? undefined : eventName('--fan-out', values['fan-out']);
    const connections = wholeNumber('--connections', values.connections, 1, 50_000);
    const durationMs = wholeNumber('--duration-ms', values['duration-ms'], 10, 3_600_000);
    const waitMs = wholeNumber('--wait-ms', values['wait-ms'], 100, 600_000);
    const payload = 'x'.repeat(wholeNumber('--bytes', values.bytes, 0, 1 << 24));
    const inFlight = wholeNumber('--in-flight', values['in-flight'], 1, 1_000);
    const transports = transportsIn(values.transport);

    const crowd = new Crowd({
      ...{ connections, waitMs },
      atOnce: wholeNumber('--at-once', values['at-once'], 1, 10_000),
      open: () =>
        connectClient(origin + namespace, {
          ...{ path, codec, auth, transports, extraHeaders: headers },
          ...{ autoConnect: false, ackTimeoutMs: waitMs, connectTimeoutMs: waitMs, reconnect: { attemptsMax: 0 } },
        }),
    });
    const echo = new Echo();
    const fanOut = new FanOut();
    const rows: Row[] = [];
    try {
      await live(
        () => `opening: ${crowd.sockets.length} of ${connections}, ${crowd.failed} failed`,
        () => crowd.gather(),
      );
      const { opening, tookMs, failed } = crowd;
      const { length: open } = crowd.sockets;
      rows.push({ what: 'open', count: open, perSecond: rate(open, tookMs), times: opening.summary(), failed });
      if (open > 0) {
        await live(
          () => `asking ${event}: ${echo.latencies.count} replies`,
          () => echo.run(crowd.sockets, { event, payload, durationMs, inFlight }),
        );
        const { count } = echo.latencies;
        const failures = sumOf(echo.failures);
        const times = echo.latencies.summary();
        rows.push({ what: event, count, perSecond: rate(count, echo.tookMs), times, failed: failures });
      }
      if (open > 0 && told !== undefined) {
        await live(
          () => `telling all ${told}: ${fanOut.rounds} times`,
          () => fanOut.run(crowd.sockets, { event: told, payload, durationMs, waitMs }),
        );
        const { count } = fanOut.latencies;
        const { missing } = fanOut;
        const times = fanOut.latencies.summary();
        rows.push({ what: told, count, perSecond: rate(count, fanOut.tookMs), times, failed: missing });
      }
    } finally {
      crowd.end();
    }

    const notes = notesOf(crowd, echo, fanOut, values);
    if (values.json) console.log(JSON.stringify({ url: origin + namespace, connections, rows, notes }, undefined, 2));
    else console.log([tableOf(rows), ...notes.map(plain)].join('\n'));
    return rows.some(({ failed }) => failed > 0) || crowd.lost > 0 ? 1 : 0;
  },
};

/** @returns what the numbers do not say */
function notesOf(
  { failures, lost }: Crowd,
  echo: Echo,
  { rounds, latencies }: FanOut,
  { event, 'fan-out': told }: { readonly event: string; readonly 'fan-out'?: string | undefined },
): string[] {
  const notes: string[] = [];
  for (const [reason, count] of failures) notes.push(`${count} did not open: ${reason}`);
  if (lost > 0) notes.push(`${lost} connections were lost on the way.`);
  for (const [code, count] of echo.failures) notes.push(`${count} of ${event} failed: ${code}`);
  if (!echo.hasHandler) notes.push(`The server has no handler for "${event}": what was measured is its refusal.`);
  if (rounds > 0 && latencies.count === 0) {
    notes.push(
      `Nobody was told anything when "${told}" was said: has the server  socket.on('${told}', (text) => io.emit('told', text))?`,
    );
  }
  return notes;
}

/** Runs something with a line on the terminal that says how far it is. */
async function live(line: () => string, run: () => Promise<void>): Promise<void> {
  const { stderr } = process;
  if (stderr.isTTY !== true) return run();
  const timer = setInterval(() => stderr.write(`\r\u001b[K${line()}`), liveMs);
  try {
    await run();
  } finally {
    clearInterval(timer);
    stderr.write('\r\u001b[K');
  }
}

function rate(count: number, tookMs: number): number {
  return tookMs > 0 ? (count / tookMs) * 1_000 : 0;
}

function sumOf(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((sum, count) => sum + count, 0);
}
