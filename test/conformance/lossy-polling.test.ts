// The client's polling transport and the server over a path that loses, repeats and reorders requests and answers:
// everything arrives once and in order, both ways, or the link breaks behind an unbroken beginning.
import { type Fetch, polling } from '@halyard/client';
import { VirtualClock } from '@halyard/harness/clock';
import { forSeeds, seededRandom } from '@halyard/harness/random';
import { Server } from '@halyard/server';
import { LossyHttp, type Path } from '@halyard/testkit/internal';
import { expect, test } from 'vitest';

const turn = () => new Promise((resolve) => setImmediate(resolve));

interface Run {
  /** What the server's handlers had, and what the client did, in order. */
  readonly up: number[];
  readonly down: number[];
  readonly emitted: number;
  /** How the link ended; undefined if it did not. */
  readonly close: number | undefined;
  readonly requests: Readonly<Record<string, number>>;
}

/** A client says `events` numbers; the server answers each by a reply and two messages, and says more by itself. */
async function run(seed: number, faults: Path, events: number): Promise<Run> {
  const random = seededRandom(seed);
  const clock = new VirtualClock();
  const http = new LossyHttp(clock, random, faults);
  const requests: Record<string, number> = {};
  const fetch: Fetch = (url, init) => {
    requests[init.method] = (requests[init.method] ?? 0) + 1;
    return http.fetch(url, init);
  };
  // The link alone is tried: nobody's patience ends first.
  const io = new Server({ host: http.host, clock, helloTimeoutMs: 600_000, heartbeatMs: 3_600_000 });
  const up: number[] = [];
  const down: number[] = [];
  let emitted = 0;
  io.on('connection', (socket) => {
    socket.on('up', (n: number) => {
      up.push(n);
      socket.emit('down', emitted++);
      io.emit('down', emitted++);
      return emitted++;
    });
  });
  await io.listen(1);
  let open = false;
  let close: number | undefined;
  const link = polling({ fetch }).open(
    { url: 'http://lossy/halyard', protocol: 'halyard.v1+json', binary: false, batchMax: () => 200, clock },
    {
      onOpen: () => {
        open = true;
        link.send('[0]');
      },
      onFrame: (frame) => {
        const [, number] = /^(?:\[2,.*\[|\[5,.*\[|\[3,\d+,)(\d+)\]+$/.exec(String(frame)) ?? [];
        if (number !== undefined) down.push(Number(number));
        else if (String(frame).startsWith('[8')) link.send('[9]');
      },
      onClose: ({ code }) => {
        close = code;
      },
    },
  );
  let said = 0;
  const done = () => close !== undefined || (up.length === events && down.length === emitted);
  for (let steps = 0; !done(); steps++) {
    if (steps > 100_000) throw new Error(`stuck: ${up.length} up, ${down.length} of ${emitted} down`);
    if (open && said < events && random.chance(0.1)) link.send(`[2,"/","up",[${said++}],${said}]`);
    if (io.sockets.size > 0 && said < events && random.chance(0.02)) io.emit('down', emitted++);
    clock.advance(5);
    // What the server queues it sends at the end of the turn, and what the client had goes on in a microtask.
    await turn();
    await turn();
  }
  link.close(1000, '');
  await io.close();
  return { up, down, emitted, close, requests };
}

const numbers = (count: number) => Array.from({ length: count }, (_none, i) => i);

test('requests and answers are lost, come twice and overtake each other: all arrives once and in order', async () => {
  let ended = 0;
  await forSeeds(100, async (seed) => {
    const faults = { latencyMs: 60, loss: 0.06, unnoticed: 0.2, repeat: 0.1, repeatMs: 5_000 };
    const { up, down, close } = await run(seed, faults, 60);
    expect(up).toEqual(numbers(up.length));
    expect(down).toEqual(numbers(down.length));
    if (close === undefined) expect(up.length).toBe(60);
    else {
      expect(close).toBe(1006);
      ended++;
    }
  });
  // Four tries in a row are seldom lost.
  expect(ended).toBeLessThan(40);
});

test('answers that only overtake each other cost no request more', async () => {
  await forSeeds(20, async (seed) => {
    const faults = { latencyMs: 60, loss: 0, unnoticed: 0, repeat: 0, repeatMs: 1 };
    const { up, down, emitted, close, requests } = await run(seed, faults, 60);
    expect([up, down, close]).toEqual([numbers(60), numbers(emitted), undefined]);
    expect(requests.POST).toBeLessThanOrEqual(62);
  });
});
