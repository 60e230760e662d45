// What a contract costs an event: `npm run bench:contract`. The same event with its reply goes to servers without a contract and with one of
// each library, one after the other in each round; counted is the processor time of the server's process, and beside it the checks alone.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { connect, websocket } from '@halyard/client';
import { type AnyContract, contract } from '@halyard/contract';
import { Checks } from '@halyard/contract/internal';
import type { Value } from '@halyard/protocol';
import { Server, uws } from '@halyard/server';
import { type } from 'arktype';
import * as v from 'valibot';
import { z } from 'zod';

const rounds = 7;
const events = 20_000;
const inFlight = 64;

const args = ['lobby', { text: 'hello, how are you?', tags: ['a', 'b'], at: 1_700_000_000_000 }] as const;
const reply = { id: '1b4e28ba-2fa1-11d2-883f-0016d3cca427', at: 1_700_000_000_000 };

/** The same event by each of them: a text, an object of three fields, and a reply of two. */
const contracts: Readonly<Record<string, AnyContract | undefined>> = {
  none: undefined,
  zod: contract({
    clientToServer: {
      say: {
        args: [
          z.string().max(64),
          z.object({ text: z.string().min(1).max(500), tags: z.array(z.string()).max(8), at: z.number() }),
        ],
        reply: z.object({ id: z.string(), at: z.number() }),
      },
    },
  }),
  valibot: contract({
    clientToServer: {
      say: {
        args: [
          v.pipe(v.string(), v.maxLength(64)),
          v.object({
            text: v.pipe(v.string(), v.minLength(1), v.maxLength(500)),
            tags: v.pipe(v.array(v.string()), v.maxLength(8)),
            at: v.number(),
          }),
        ],
        reply: v.object({ id: v.string(), at: v.number() }),
      },
    },
  }),
  arktype: contract({
    clientToServer: {
      say: {
        args: [type('string <= 64'), type({ text: '1 <= string <= 500', tags: 'string[] <= 8', at: 'number' })],
        reply: type({ id: 'string', at: 'number' }),
      },
    },
  }),
};

/** In a process of its own: it says its port, and its processor time in µs whenever it is asked. */
async function serve(name: string): Promise<void> {
  const io = new Server({
    host: uws(),
    contract: contracts[name],
    packetsPerSecondMax: 1 << 24,
    bytesPerSecondMax: 1 << 30,
  });
  io.on('connection', (socket) => void socket.on('say' as never, (() => reply) as never));
  await io.listen(0, '127.0.0.1');
  process.on('message', () => {
    const { user, system } = process.cpuUsage();
    process.send?.(user + system);
  });
  process.send?.(io.port);
}

interface Served {
  readonly name: string;
  readonly child: ChildProcess;
  readonly port: number;
  readonly costs: number[];
}

async function served(name: string): Promise<Served> {
  const child = fork(fileURLToPath(import.meta.url), [name]);
  const [port] = await once(child, 'message');
  return { name, child, port, costs: [] };
}

async function usedBy(child: ChildProcess): Promise<number> {
  child.send('used');
  const [used] = await once(child, 'message');
  return used;
}

/** @returns processor time of the server for an event, in µs */
async function round({ child, port }: Served): Promise<number> {
  const socket = connect(`http://127.0.0.1:${port}`, { transports: [websocket()] });
  await new Promise((resolve) => socket.on('connect', resolve));
  const before = await usedBy(child);
  let left = events;
  const ask = async (): Promise<void> => {
    while (left-- > 0) await socket.emitWithAck('say', ...args);
  };
  await Promise.all(Array.from({ length: inFlight }, ask));
  const used = (await usedBy(child)) - before;
  socket.connection.close();
  return used / events;
}

/** @returns what the checks of an event and its reply take alone, in µs */
function alone({ clientToServer }: AnyContract): number {
  const checks = new Checks(clientToServer, 'handler');
  const run = (): number => {
    const startedAt = performance.now();
    for (let i = 0; i < events * 5; i++) {
      checks.args('say', args as readonly Value[]);
      checks.reply('say', reply);
    }
    return ((performance.now() - startedAt) * 1_000) / (events * 5);
  };
  return median(Array.from({ length: rounds }, run));
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] as number;
}

async function main(): Promise<void> {
  const servers: Served[] = [];
  for (const name of Object.keys(contracts)) servers.push(await served(name));
  // The first round is for what is compiled then.
  for (let i = 0; i <= rounds; i++) {
    for (const one of servers) {
      const cost = await round(one);
      if (i > 0) one.costs.push(cost);
    }
  }
  console.log('| contract | server, µs for an event and its reply | lowest to highest | its checks alone, µs |');
  console.log('| --- | --: | --: | --: |');
  for (const { name, child, costs } of servers) {
    const own = contracts[name];
    const range = `${Math.min(...costs).toFixed(2)} to ${Math.max(...costs).toFixed(2)}`;
    console.log(`| ${name} | ${median(costs).toFixed(2)} | ${range} | ${own ? alone(own).toFixed(2) : ''} |`);
    child.kill();
  }
}

const [name] = process.argv.slice(2);
if (name !== undefined && process.send !== undefined) await serve(name);
else await main();
