// How much goes in one body over HTTP.
import { VirtualClock } from '@halyard/harness/clock';
import { expect, test } from 'vitest';
import { settle } from '../../testing/fake';
import { type Fetch, polling } from './http';

/** @returns the sizes of bodies in which 300 frames of a KB go up a line with so many bytes a second, in thousands */
async function bodiesAt(bytesPerSecond: number, batchMax = Infinity): Promise<number[]> {
  const clock = new VirtualClock();
  const sizes: number[] = [];
  const answer = (headers: Record<string, string>) => new Response(null, { status: 204, headers });
  const fetch: Fetch = (_url, { method, headers, body }) => {
    if (headers['halyard-protocol']) return Promise.resolve(answer({ 'halyard-connection': 'id' }));
    if (method === 'GET') return new Promise(() => {});
    const size = body?.length ?? 0;
    sizes.push(Math.round(size / 1_024));
    return new Promise((resolve) => {
      clock.after((size / bytesPerSecond) * 1_000, () => resolve(answer({ 'halyard-seq': '0' })));
    });
  };
  const ignore = (): void => {};
  const link = polling({ fetch }).open(
    {
      ...{ url: 'http://app.example', protocol: 'halyard.v1+json', binary: false, batchMax: () => batchMax, clock },
      ...{ extraHeaders: undefined, withCredentials: undefined },
    },
    { onOpen: ignore, onFrame: ignore, onClose: ignore },
  );
  await settle();
  for (let i = 0; i < 300; i++) link.send('x'.repeat(1_020));
  for (let i = 0; i < 2_000 && link.bufferedBytes > 0; i++) {
    await settle();
    clock.advance(100);
  }
  expect(link.bufferedBytes).toBe(0);
  return sizes;
}

test('is what a slow line carries in two seconds, and no less than 4 KB', async () => {
  expect(new Set((await bodiesAt(2_000)).slice(1, -1))).toEqual(new Set([4]));
  // Not sent again as a whole once it is too much.
  expect(Math.max(...(await bodiesAt(5_000)))).toBeLessThanOrEqual(16);
});

test('doubles on a fast line, up to 64 KB, and is no more than the server takes', async () => {
  expect((await bodiesAt(1e9)).slice(0, 5)).toEqual([4, 16, 32, 64, 64]);
  expect(new Set((await bodiesAt(1e9, 5_000)).slice(1, -1))).toEqual(new Set([4]));
});
