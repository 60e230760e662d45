// The polling transport (docs/PROTOCOL.md §7): one POST at a time carries frames out, one GET at a time waits for
// frames. Both are numbered, so that after a lost request or response the same is asked again and does no harm.
import { type Close, type Frame, joinFrames, splitFrames } from '@halyard/protocol';
import type { Link, LinkEvents, Target, Transport } from './transport';

/** The server answers a poll within 20 seconds; one that had no answer by now is lost. */
const pollTimeoutMs = 30_000;
const sendTimeoutMs = 10_000;
/** A request is repeated after 300, 600 and 900 ms. Then the link is broken, and the session resumes on another. */
const triesMax = 4;
const retryDelayMs = 300;

export function polling(): Transport {
  return { open };
}

function open({ url, protocol, binary, batchMax, clock }: Target, { onOpen, onFrame, onClose }: LinkEvents): Link {
  const queue: Frame[] = [];
  /** The request that runs in each direction; null once the direction has ended. */
  const running: Record<string, AbortController | null> = {};
  let id = '';
  let number = 0;
  let bufferedBytes = 0;
  let sending = false;
  let closed = false;
  let leave: (() => void) | undefined;

  const stop = (method: string) => {
    running[method]?.abort();
    running[method] = null;
  };

  const end = (code: number, reason: string, by: Close['by'] = 'network') => {
    stop('GET');
    stop('POST');
    if (closed) return;
    closed = true;
    onClose({ code, reason, by });
  };

  /**
   * @param header name and value of the header that says what the request is for
   * @returns the answer, however many tries it takes, or undefined once the link or this direction of it has ended
   */
  const request = async (method: string, header: string, value: string | number, body?: string | Uint8Array) => {
    for (let tries = 1; running[method] !== null; tries++) {
      const controller = new AbortController();
      running[method] = controller;
      const cancel = clock.after(method === 'GET' ? pollTimeoutMs : sendTimeoutMs, () => controller.abort());
      let failure: string;
      try {
        const headers: Record<string, string> = { [`halyard-${header}`]: `${value}` };
        if (id) headers['halyard-connection'] = id;
        if (binary && body) headers['content-type'] = 'application/octet-stream';
        const response = await fetch(url, {
          method,
          headers,
          body: body as BodyInit,
          signal: controller.signal,
          // Lets a goodbye go out from a page that is going away.
          keepalive: method === 'DELETE',
        });
        const { status } = response;
        const content = binary ? new Uint8Array(await response.arrayBuffer()) : await response.text();
        if (status < 300) return { get: (name: string) => response.headers.get(`halyard-${name}`), content };
        failure = `HTTP ${status}`;
        // What ended the connection is told to the poll.
        if (id && status === 404 && method !== 'GET') stop(method);
        else if (status < 500) end(status === 413 ? 1009 : 4000 + status, failure, 'server');
      } catch (error) {
        failure = `${error}`;
      } finally {
        cancel();
      }
      // A link that never opened has nothing to keep.
      if (!id || tries === triesMax) end(1006, failure);
      else await new Promise<void>((resolve) => void clock.after(retryDelayMs * tries, resolve));
    }
    return undefined;
  };

  const pump = async () => {
    if (sending) return;
    sending = true;
    // Everything sent in this turn goes in one body.
    await undefined;
    while (queue.length && running.POST !== null) {
      let count = 0;
      let size = 0;
      do size += queue[count++]!.length;
      while (count < queue.length && size + queue[count]!.length < batchMax());
      await request('POST', 'seq', ++number, joinFrames(queue.splice(0, count), binary));
      bufferedBytes -= size;
    }
    sending = false;
    leave?.();
  };

  const run = async () => {
    id = (await request('POST', 'protocol', protocol))?.get('connection') ?? '';
    // A login page of the network, perhaps: another attempt may find the server.
    if (!id) end(1006, 'not a Halyard server');
    if (closed) return;
    onOpen();
    for (let received = 0; ; ) {
      const answer = await request('GET', 'ack', received);
      if (!answer) return;
      if (answer.get('seq')) {
        received++;
        for (const frame of splitFrames(answer.content)) if (!closed) onFrame(frame);
      }
      const close = answer.get('close');
      if (close) end(Number.parseInt(close, 10), close.slice(5), 'server');
    }
  };

  run().catch((error) => end(4400, `${error}`));
  return {
    name: 'polling',
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
      leave = () => {
        stop('POST');
        if (id) request('DELETE', 'close', code);
      };
      if (!sending || code !== 1000) leave();
    },
  };
}
