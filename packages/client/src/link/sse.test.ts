// What sse makes of a stream, however it comes in parts.
import type { Close, Frame } from '@halyard/protocol';
import { expect, test } from 'vitest';
import { systemClock } from '../platform/clock';
import { type Fetch, sse } from './http';

/** @param parts of the stream, after which it ends. @returns what the link has brought when it is over */
async function streamed(parts: Iterable<Uint8Array | string>) {
  const fetch: Fetch = async () => {
    const encoder = new TextEncoder();
    const chunks = parts[Symbol.iterator]();
    const read = async () => {
      const { value, done } = chunks.next();
      return { done, value: typeof value === 'string' ? encoder.encode(value) : value };
    };
    const headers = new Headers({ 'halyard-connection': 'id' });
    return { status: 200, headers, body: { getReader: () => ({ read }) } } as unknown as Response;
  };
  const frames: Frame[] = [];
  const close = await new Promise<Close>((onClose) => {
    const address = { url: 'http://app.example', protocol: 'halyard.v1+json', binary: false, batchMax: () => 1_000 };
    sse({ fetch }).open(
      { ...address, clock: systemClock },
      { onOpen() {}, onFrame: (frame) => void frames.push(frame), onClose },
    );
  });
  return { frames, close };
}

test('events that come in any parts, with line ends of Unicode, which end none here', async () => {
  const stream =
    ':   \n\n: of a proxy\n:\ndata: ü1\u2028\u2029\u00852\n\n:\n\n:\n:\n\ndata: 2\n\n:bye\nevent: close\ndata: 1001 drain\n\n';
  const bytes = new TextEncoder().encode(stream);
  for (const size of [1, 2, 3, 5, 1_000]) {
    const parts = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
      bytes.subarray(i * size, (i + 1) * size),
    );
    expect(await streamed(parts)).toEqual({
      frames: ['ü1\u2028\u2029\u00852', '2'],
      close: { code: 1001, reason: 'drain', by: 'server' },
    });
  }
});

test('a large event in many parts is looked through once, not with each part again', async () => {
  // It took minutes.
  const part = 'x'.repeat(1_000);
  function* parts() {
    yield ':\n\ndata: ';
    for (let i = 0; i < 30_000; i++) yield part;
    yield '\n\nevent: close\ndata: 1000 done\n\n';
  }
  const { frames, close } = await streamed(parts());
  expect(frames.map(({ length }) => length)).toEqual([30_000_000]);
  expect(close.code).toBe(1000);
});
