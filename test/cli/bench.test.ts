// `halyard bench`: it counts what is there, and says what is not.
import { type HostFactory, PublicError, type Server } from '@halyard/server';
import { expect, test } from 'vitest';
import { hosts } from '../kit/hosts';
import { freePort } from '../kit/ports';
import { served } from '../kit/served';
import { halyard } from './command';

interface Result {
  readonly rows: readonly {
    readonly what: string;
    readonly count: number;
    readonly failed: number;
    readonly times: object;
  }[];
  readonly notes: readonly string[];
}

const short = ['--duration-ms', '100', '--wait-ms', '2000'];

const { serve } = served(hosts[0]?.[1] as () => HostFactory);

async function bench(url: string, ...args: readonly string[]) {
  const { code, stdout } = await halyard(['bench', url, ...short, '--json', ...args]);
  return { code, ...(JSON.parse(stdout) as Result) };
}

async function answering(): Promise<string> {
  let opened = 0;
  const { port } = await serve({}, (io: Server) => {
    io.use(() => {
      opened++;
      if (opened > 20) throw new PublicError('ERR_FULL', 'It is full.');
    });
    io.on('connection', (socket) => {
      socket.on('echo', (text: string) => text);
      socket.on('shout', (text: string) => void io.emit('shouted', text));
    });
  });
  return `http://127.0.0.1:${port}`;
}

test('connections, round trips and broadcasts, all of them answered', async () => {
  const { code, rows, notes } = await bench(
    await answering(),
    '--connections',
    '10',
    '--fan-out',
    'shout',
    '--bytes',
    '4',
  );
  expect([code, notes]).toEqual([0, []]);
  expect(rows.map(({ what, failed }) => [what, failed])).toEqual([
    ['open', 0],
    ['echo', 0],
    ['shout', 0],
  ]);
  const [open, echo, shout] = rows;
  expect(open?.count).toBe(10);
  expect(echo?.count).toBeGreaterThanOrEqual(10);
  expect((shout?.count ?? 0) % 10).toBe(0);
  for (const { times } of rows) expect(times).toMatchObject({ p50Ms: expect.any(Number), p99Ms: expect.any(Number) });
});

test('what fails is counted, and what the server does not have is said', async () => {
  const url = await answering();
  const { code, rows, notes } = await bench(url, '--connections', '22', '--event', 'nothing', '--fan-out', 'frob');
  expect(code).toBe(1);
  expect(rows.map(({ what, failed }) => [what, failed])).toEqual([
    ['open', 2],
    ['nothing', 0],
    ['frob', 20],
  ]);
  expect(notes).toEqual([
    '2 did not open: ERR_FULL: It is full.',
    'The server has no handler for "nothing": what was measured is its refusal.',
    expect.stringContaining('Nobody was told anything when "frob" was said'),
  ]);
});

test('nobody is there; and people are shown a table', async () => {
  const { code, rows } = await bench(`http://127.0.0.1:${await freePort()}`, '--connections', '2');
  expect([code, rows.map(({ what, failed }) => [what, failed])]).toEqual([1, [['open', 2]]]);
  const { stdout } = await halyard(['bench', await answering(), ...short, '--connections', '2']);
  expect(stdout).toMatch(/^ +count +per second +p50 ms +p99 ms +max ms +failed\nopen +2 .*\necho +[\d,]+ .* 0\n$/);
});
