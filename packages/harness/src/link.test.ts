import { describe, expect, it } from 'vitest';
import { VirtualClock } from './clock';
import { FakeLink, type Network } from './link';
import { forSeeds, seededRandom } from './random';

/** A link, and what its ends see. */
function linked(given: Partial<Network> = {}, seed = 1) {
  const clock = new VirtualClock();
  const network: Network = { latencyMs: [10, 10], noticeMs: [5, 5], unnoticed: 0, ...given };
  const link = new FakeLink<string>(clock, seededRandom(seed), network);
  const seen: string[] = [];
  for (const side of ['client', 'server'] as const) {
    link[side].onFrame = (frame) => seen.push(`${side} got ${frame} at ${clock.now()}`);
    link[side].onClose = () => seen.push(`${side} closed at ${clock.now()}`);
  }
  return { link, client: link.client, server: link.server, clock, seen };
}

it('carries frames both ways, after their latency', () => {
  const { client, server, clock, seen } = linked();
  client.send('hi');
  clock.advance(4);
  server.send('ho');
  clock.advance(100);
  expect(seen).toEqual(['server got hi at 10', 'client got ho at 14']);
});

it('keeps the order, whatever the latency of each', async () => {
  await forSeeds(50, (seed) => {
    const { client, clock, seen } = linked({ latencyMs: [1, 50] }, seed);
    const frames = [...'abcdefghij'];
    for (const frame of frames) {
      client.send(frame);
      clock.advance(3);
    }
    clock.advance(50);
    expect(seen.map((line) => line.split(' ')[2])).toEqual(frames);
  });
});

describe('cut', () => {
  it('loses what is in flight, and either end notices', () => {
    const { link, client, server, clock, seen } = linked();
    client.send('a');
    clock.advance(5);
    client.send('b');
    server.send('c');
    clock.advance(6);
    link.cut();
    link.cut();
    client.send('d');
    clock.advance(100);
    expect(seen).toEqual(['server got a at 10', 'client closed at 16', 'server closed at 16']);
  });

  it('may stay unnoticed', () => {
    const { link, client, clock, seen } = linked({ unnoticed: 1 });
    link.cut();
    client.send('a');
    clock.advance(10_000);
    expect(seen).toEqual([]);
  });
});

describe('close', () => {
  it('lets what was sent arrive, and then tells the other end', () => {
    const { client, server, clock, seen } = linked();
    client.send('last');
    client.close();
    client.close();
    client.send('too late');
    server.send('nobody listens');
    clock.advance(100);
    expect(seen).toEqual(['server got last at 10', 'server closed at 10']);
  });

  it('is not told through a link that is cut', () => {
    const { link, client, clock, seen } = linked({ unnoticed: 1 });
    client.close();
    link.cut();
    clock.advance(100);
    expect(seen).toEqual([]);
  });
});
