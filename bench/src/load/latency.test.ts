import { afterEach, expect, it, vi } from 'vitest';
import { FixedRate } from './latency';
import type { Peer } from './peer';

afterEach(() => {
  vi.restoreAllMocks();
});

it('counts a latency from when the request was due, however late it left', async () => {
  let now = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => now);
  let written = 0;
  const ask = (count: number): void => {
    written += count;
  };
  const peer = { place: 0 } as unknown as Peer;
  const rate = new FixedRate([{ from: peer, to: peer, ask }], 1_000);
  rate.start();
  expect(written).toBe(1);
  // Nothing went out for 10 ms: ten requests leave at once.
  now = 10;
  while (written < 11) await new Promise((resolve) => setImmediate(resolve));
  now = 20;
  rate.arrived(peer, 10, 1);
  await rate.stop();
  expect(rate.results()).toEqual({ p50Us: 15_000, p99Us: 20_000, p999Us: 20_000, replies: 11 });
});
