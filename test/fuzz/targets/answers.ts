// What a client reads of a server over HTTP: an answer to a poll, and a stream of events, in parts of any size. However it ends, it does
// once, and nothing comes behind it.
import { polling, sse } from '@halyard/client/core';
import { type Clock, type Close, type Frame, joinFrames } from '@halyard/protocol';
import { Broken, bytesOf, type Target } from '../target';
import { sampleTexts, words } from './packets';

/** Time stands still: what waits for it is over when the link is. */
const clock: Clock = { now: () => 0, after: () => () => {} };
const headers = { 'halyard-connection': 'id', 'halyard-poll-hold-ms': '1000', 'halyard-body-bytes-max': '1000000' };

function parts(input: Uint8Array): Uint8Array[] {
  const [size = 0] = input;
  const length = 1 + (size % 64);
  const count = Math.ceil(Math.max(0, input.length - 1) / length);
  return Array.from({ length: count }, (_none, i) => input.slice(1 + i * length, 1 + (i + 1) * length));
}

/** Reads an answer with such a client. */
async function read(isStream: boolean, binary: boolean, input: Uint8Array): Promise<void> {
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const part of parts(input)) controller.enqueue(part);
      controller.close();
    },
  });
  let requests = 0;
  const fetch = async (): Promise<Response> => {
    requests++;
    if (isStream) return new Response(body, { headers });
    if (requests === 1) return new Response('', { headers });
    if (requests === 2) return new Response(body, { headers: { 'halyard-seq': '1', 'halyard-close': '4400 enough' } });
    return new Promise(() => {});
  };
  const ends: Close[] = [];
  let over = (): void => {};
  const end = new Promise<void>((resolve) => {
    over = resolve;
  });
  const late = (what: string): void => {
    if (ends.length > 0) throw new Broken(`${what} came behind the end`);
  };
  const transport = isStream ? sse({ fetch: fetch as never }) : polling({ fetch: fetch as never });
  const link = transport.open(
    { url: 'http://halyard.test/halyard', protocol: 'halyard.v1+json', binary, batchMax: () => 1_000, clock },
    {
      onOpen: () => late('it opened, which'),
      onFrame: (frame: Frame) => {
        late('a frame');
        if ((typeof frame === 'string') === binary) throw new Broken('a frame of the other kind');
      },
      onClose: (close) => {
        late('another end');
        ends.push(close);
        over();
      },
    },
  );
  // A poll that was no answer is asked again, after a time that does not pass.
  if (isStream) await end;
  else for (let turn = 0; turn < 50 && ends.length === 0; turn++) await new Promise((resolve) => setImmediate(resolve));
  link.close(1006, '');
}

function target(name: string, isStream: boolean, binary: boolean): Target {
  const sample = sampleTexts.map((text) => (binary ? Buffer.from(text).toString('base64') : text));
  const stream = `:   \n\n${sample.map((text) => `data: ${text}\n\n`).join('')}event: close\ndata: 1000 done\n\n`;
  const frames = joinFrames(binary ? sampleTexts.map(bytesOf) : sampleTexts, binary);
  const body = isStream ? bytesOf(stream) : typeof frames === 'string' ? bytesOf(frames) : frames;
  return {
    name,
    seeds: () => [3, 20, 255].map((size) => Uint8Array.of(size, ...body)),
    words: isStream
      ? ['\n\n', '\n', ':', 'data: ', 'event: close\ndata: ', 'event: ', '\r\n\r\n', 'id: 1\n', '1000', ...words]
      : ['\n', Uint8Array.of(0, 0, 0, 1), Uint8Array.of(255, 255, 255, 255), ...words],
    bytesMax: 4_096,
    batch: 100,
    run: (input) => read(isStream, binary, input),
  };
}

export const answerTargets: readonly Target[] = [
  target('stream-text', true, false),
  target('stream-binary', true, true),
  target('poll-text', false, false),
  target('poll-binary', false, true),
];
