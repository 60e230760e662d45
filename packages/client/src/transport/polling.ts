// The polling transport (docs/PROTOCOL.md §7): one POST at a time carries frames out, one GET at a time waits for
// frames. Both are numbered, so that after a lost request or response the same is asked again and does no harm.
import { type Frame, joinFrames, splitFrames } from '@halyard/protocol';
import { broken, type Link, type LinkEvents, type Target, type Transport } from './transport';

/** The server answers a poll within 20 seconds; one that had no answer by now is lost. */
const pollTimeoutMs = 30_000;
const sendTimeoutMs = 10_000;
/** A request is repeated after 300, 600 and 900 ms. Then the link is broken, and the session resumes on another. */
const triesMax = 4;
const retryDelayMs = 300;

export function polling(): Transport {
  return { name: 'polling', open };
}

function open({ url, protocol, binary, batchMax, clock }: Target, { onOpen, onFrame, onClose }: LinkEvents): Link {
  const queue: Frame[] = [];
  const running: Record<string, AbortController> = {};
  const stopped: Record<string, boolean> = {};
  let id = '';
  let number = 0;
  let bufferedBytes = 0;
  let sending = false;
  let closed = false;
  let farewell: (() => void) | undefined;

  const stop = (method: string) => {
    stopped[method] = true;
    running[method]?.abort();
  };

  const end = (close = broken('')) => {
    stop('GET');
    stop('POST');
    if (closed) return;
    closed = true;
    onClose(close);
  };

  /** @returns the answer, however many tries it takes, or undefined once the link or this direction of it has ended */
  const request = async (method: string, headers: Record<string, string>, body?: BodyInit) => {
    for (let tries = 1; !stopped[method]; tries++) {
      const controller = new AbortController();
      running[method] = controller;
      const cancel = clock.after(method === 'GET' ? pollTimeoutMs : sendTimeoutMs, () => controller.abort());
      let failure: string;
      try {
        if (id) headers['halyard-connection'] = id;
        const response = await fetch(url, { method, headers, body: body as BodyInit, signal: controller.signal });
        const { status } = response;
        const content = binary ? new Uint8Array(await response.arrayBuffer()) : await response.text();
        if (status < 300) return { get: (name: string) => response.headers.get(`halyard-${name}`), content };
        failure = `HTTP ${status}`;
        if (status < 500) {
          // What ended the connection is told to the poll.
          if (id && status === 404 && method === 'POST') stop(method);
          else end({ code: status === 413 ? 1009 : 4000 + status, reason: failure, by: 'server' });
          return;
        }
      } catch (error) {
        failure = String(error);
      } finally {
        cancel();
      }
      // A link that never opened has nothing to keep.
      if (!id || tries === triesMax) return end(broken(failure));
      await new Promise<void>((resolve) => {
        clock.after(retryDelayMs * tries, resolve);
      });
    }
  };

  const pump = async () => {
    if (sending) return;
    sending = true;
    // Everything sent in this turn goes in one body.
    await undefined;
    while (queue[0] !== undefined && !stopped.POST) {
      let count = 0;
      let size = 0;
      do size += queue[count++]!.length;
      while (count < queue.length && size + queue[count]!.length < batchMax());
      const headers: Record<string, string> = { 'halyard-seq': `${++number}` };
      if (binary) headers['content-type'] = 'application/octet-stream';
      await request('POST', headers, joinFrames(queue.splice(0, count), binary));
      bufferedBytes -= size;
    }
    sending = false;
    farewell?.();
  };

  const run = async () => {
    const opened = await request('POST', { 'halyard-protocol': protocol });
    if (closed || !opened) return;
    id = opened.get('connection') ?? '';
    if (!id) return end(broken('not a Halyard server'));
    onOpen();
    for (let received = 0; ; ) {
      const answer = await request('GET', { 'halyard-ack': `${received}` });
      if (!answer) return;
      if (answer.get('seq')) {
        received++;
        for (const frame of splitFrames(answer.content)) if (!closed) onFrame(frame);
      }
      const close = answer.get('close');
      if (close) return end({ code: Number.parseInt(close, 10), reason: close.slice(5), by: 'server' });
    }
  };

  run().catch((error) => end(broken(String(error), 4400)));
  return {
    get bufferedBytes() {
      return bufferedBytes;
    },
    send(frame) {
      if (closed) return;
      bufferedBytes += frame.length;
      queue.push(frame);
      pump();
    },
    close(code) {
      if (closed) return;
      closed = true;
      stop('GET');
      const leave = () => {
        stop('POST');
        const headers = { 'halyard-connection': id, 'halyard-close': `${code}` };
        // `keepalive` lets it go out from a page that is going away.
        if (id) fetch(url, { method: 'DELETE', headers, keepalive: true }).catch(() => {});
      };
      if (sending && code === 1000) farewell = leave;
      else leave();
    },
  };
}
