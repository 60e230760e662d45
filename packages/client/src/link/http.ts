// The transports over HTTP (docs/PROTOCOL.md §7). One POST at a time carries frames out. With polling one GET at a time waits for
// frames, and both bring frames back: bodies and answers are numbered, so that after a lost request or answer the same is
// asked again and does no harm. With sse one GET opens the connection, and its answer brings all frames.
import { bytesOfBase64, type Close, type Frame, joinFrames, type OwnBytes, splitFrames } from '@halyard/protocol';
import { fetch as platformFetch, rootOf } from '#fetch';
import { refusalOf } from '../platform/refusal';
import { type Address, broken, type Link, type LinkEvents, type Transport } from './transport';

/** How long a server holds a poll that tells nothing else. */
const pollHoldMs = 20_000;
/**
 * What takes so much longer than it should has no answer any more: than the answer before it has. The opening has as long, or half of an
 * attempt.
 */
const sendTimeoutMs = 10_000;
/** With the time for a body, at 2,000 bytes or characters a second: a server waits no longer for one. */
const bodyTimeoutMs = 60_000;
/**
 * How much goes in one body, of bytes or characters, is what takes so long, from 8,192 on, doubled or halved: what is given up is sent again
 * as a whole. Not less, where it is the way that takes long; but the first one has HELLO, for which a server does not wait long.
 */
const bodyMs = 2_000;
const bodyMin = 4_096;
const firstBodyMax = 4_096;
/**
 * A request is repeated after 300, 600 and 900 ms. Then the link is broken, and the session resumes on another. On a link
 * that was closed from this side, and only says the rest, one that has no answer in time is not repeated.
 */
const triesMax = 4;
const retryDelayMs = 300;
/**
 * So long a stream has to tell why its connection is over, once a body was answered that it is; and the answer that opens a connection
 * may take that is not wanted any more.
 */
const lastMs = 1_000;

/** As much of `fetch` as these transports need; of an answer that `sse` is to read, its `body` too. */
export type Fetch = (url: string, init: FetchInit) => Promise<Response>;

export interface FetchInit {
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly body: string | OwnBytes | undefined;
  readonly signal: AbortSignal;
  readonly keepalive: boolean;
  readonly credentials: 'include' | 'same-origin';
  readonly redirect: 'manual';
}

export interface PollingOptions {
  /** What requests are made with. Default: the `fetch` of a browser; in Node, its own HTTP. */
  fetch?: Fetch | undefined;
}

/** Requests that the server answers once there is something to tell: what goes through wherever HTTP does. */
export function polling({ fetch = platformFetch }: PollingOptions = {}): Transport {
  return { name: 'polling', open: (address, events) => open(address, events, fetch, false) };
}

/** Server-sent events, read by `fetch`: one answer that does not end, in place of one request after the other. */
export function sse({ fetch = platformFetch }: PollingOptions = {}): Transport {
  return { name: 'sse', open: (address, events) => open(address, events, fetch, true) };
}

function open(
  { url, protocol, binary, batchMax, clock, connectTimeoutMs = 20_000, extraHeaders, withCredentials }: Address,
  { onOpen, onFrame, onClose }: LinkEvents,
  fetch: Fetch,
  isStream: boolean,
): Link {
  const queue: Frame[] = [];
  /** Stops what runs in each direction, a request or the wait for its next try; null once the direction has ended. */
  const running: Record<string, (() => void) | null> = {};
  let id = '';
  let pollTimeoutMs: number;
  let frameBytesMax: number | undefined;
  let bodies = 0;
  /** Number of the last answer with frames that came: every request says it. */
  let received = 0;
  let bodyMax = 8_192;
  /** How long the last answer has taken, to what is answered at once; … */
  let tookMs = 0;
  /** … and when the stream has brought something last. */
  let heardAt = -Infinity;
  /** The body under way. */
  let posting: Promise<void> | undefined;
  let bufferedBytes = 0;
  let closed = false;
  /** What the answer brings that does not end. */
  let reader: ReadableStreamDefaultReader<Uint8Array> | undefined;

  const stop = (method: string) => {
    running[method]?.();
    running[method] = null;
  };

  const end = (close: Close) => {
    for (const method of ['GET', 'POST', 'DELETE']) stop(method);
    if (closed) return;
    closed = true;
    onClose(close);
  };
  /** @param told code and reason, apart by a blank */
  const endBy = (told: string) => end({ code: +told.slice(0, 4), reason: told.slice(5), by: 'server' });

  /**
   * @param header name and value of the header that says what the request is for
   * @returns the answer's headers, however many tries it takes, or undefined once the link or this direction of it has
   * ended. Its frames are handed on.
   */
  const request = async (method: string, header: string, value: string | number, body?: string | OwnBytes) => {
    for (let tries = 1; running[method] !== null; tries++) {
      const began = clock.now();
      const controller = new AbortController();
      running[method] = () => controller.abort();
      const uploadMs = (body?.length ?? 0) / 2;
      const limitMs = id
        ? tookMs + (method === 'GET' ? pollTimeoutMs : Math.min(sendTimeoutMs + uploadMs, bodyTimeoutMs))
        : Math.max(sendTimeoutMs, connectTimeoutMs / 2);
      const giveUpAfter = (ms: number) =>
        clock.after(ms, () => {
          if (closed) end(broken(''));
          else controller.abort();
        });
      let cancel = giveUpAfter(limitMs);
      let failure: Close;
      try {
        const own: Record<string, string> = {
          ...extraHeaders,
          [`halyard-${header}`]: `${value}`,
          'halyard-ack': `${received}`,
        };
        if (id) own['halyard-connection'] = id;
        else if (isStream) own.accept = 'text/event-stream';
        if (binary && body) own['content-type'] = 'application/octet-stream';
        const response = await fetch(url, {
          method,
          headers: own,
          body,
          signal: controller.signal,
          // Lets a goodbye go out from a page that is going away.
          keepalive: method === 'DELETE',
          credentials: withCredentials ? 'include' : 'same-origin',
          // What `auth` and `extraHeaders` hold is for this server alone.
          redirect: 'manual',
        });
        // It comes as fast as it can.
        cancel();
        if (!id || method !== 'GET') tookMs = clock.now() - began;
        cancel = giveUpAfter(bodyTimeoutMs);
        const { status, headers } = response;
        // Without a name or a number it is of something on the way, such as the login page of a network.
        const isRefusal = status > 299 || !(headers.get('halyard-seq') || headers.get('halyard-connection'));
        if (isStream && !id && !isRefusal) {
          reader = response.body?.getReader();
          return headers;
        }
        const content = binary && !isRefusal ? new Uint8Array(await response.arrayBuffer()) : await response.text();
        if (!isRefusal) {
          const number = +headers.get('halyard-seq')!;
          // The answer to a poll may have overtaken that to the body under way, whose frames come first.
          if (method === 'GET' && number > received + 1) await posting;
          if (number) {
            if (number !== received + 1) throw Error('ERR_SEQUENCE');
            const frames = splitFrames(content);
            // Of a body that ends with its connection the end may be missing.
            if (frames.length < +headers.get('halyard-frames')!) throw Error('ERR_BATCH');
            // Only now has it come whole.
            received++;
            for (const frame of frames) if (!closed) onFrame(frame);
          }
          const close = headers.get('halyard-close');
          if (close) endBy(close);
          return headers;
        }
        failure = refusalOf(status, content as string, headers.get('retry-after'));
        // A poll that is told of no connection opens another one, whoever has told it.
        if (failure.by === 'server' || status === 413 || (status === 404 && method === 'GET')) {
          // What ended the connection is told to the poll.
          if (id && status === 404 && method !== 'GET') {
            stop(method);
            // A stream that is half-open never tells.
            if (isStream) clock.after(lastMs, () => end(broken('the server does not know the stream any more')));
          } else if (status < 500) end(failure);
        }
        // The server would have held it for longer than what is on the way waits: that is no failure, however often.
        else if (status === 504 && method === 'GET') tries = 1;
      } catch (error) {
        const isLate = controller.signal.aborted;
        failure = broken(isLate ? `no answer within ${limitMs} ms` : `${rootOf(error)}`);
        // It waits behind what the stream brings.
        if (isLate && !closed && clock.now() - heardAt < sendTimeoutMs) tries = 1;
      } finally {
        cancel();
      }
      if (running[method] === null) break;
      // A link that never opened has nothing to keep.
      if (!id || tries === triesMax) end(failure);
      else {
        await new Promise<void>((resolve) => {
          const stopTimer = clock.after(retryDelayMs * tries, resolve);
          running[method] = () => {
            stopTimer();
            resolve();
          };
        });
      }
    }
    return undefined;
  };

  const post = async () => {
    // Everything sent in this turn goes in one body.
    await undefined;
    let count = 0;
    let size = 0;
    do size += queue[count++]!.length;
    while (count < queue.length && size + queue[count]!.length < Math.min(bodies ? bodyMax : firstBodyMax, batchMax()));
    const began = clock.now();
    await request('POST', 'seq', ++bodies, joinFrames(queue.splice(0, count), binary));
    // Of the first body it says what one of 8,192 would take.
    const ms = (clock.now() - began) * (bodies > 1 ? 1 : 2);
    bodyMax = ms < bodyMs ? Math.min(bodyMax * 2, 1 << 16) : Math.max(bodyMax / 2, bodyMin);
    bufferedBytes -= size;
    posting = queue.length ? post() : undefined;
  };

  /** Hands on what the stream brings, until that ends. It is open once something has come: on the way something may hold it back. */
  const read = async () => {
    const decoder = new TextDecoder();
    let isOpen = false;
    for (let text = ''; ; ) {
      const { value } = (await reader?.read()) ?? {};
      heardAt = clock.now();
      if (closed) return;
      if (!value) return end(broken('the stream has ended'));
      const part = decoder.decode(value, { stream: true });
      text += part;
      // A long event comes in many parts, and is looked through once.
      if (!part.includes('\n')) continue;
      const events = text.split('\n\n');
      text = events.pop()!;
      if (!isOpen && events[0]) {
        isOpen = true;
        onOpen();
      }
      for (const event of events) {
        if (closed) return;
        const fields = event.replace(/^(:[^\n]*(\n|$))+/, '');
        // There may have been comments alone.
        if (fields) {
          // What else has come is of something on the way, and may be in the place of a frame.
          const [, close, data] = /^(event: close\n)?data: ([^\n]*)$/.exec(fields) ?? [];
          if (!data) return end(broken('not an event'));
          if (close) return endBy(data);
          onFrame(binary ? bytesOfBase64(data) : data);
        }
      }
    }
  };

  const run = async () => {
    // Where there is no `fetch` it throws at once: nothing is told before this link is there.
    await undefined;
    if (closed) return;
    const headers = await request(isStream ? 'GET' : 'POST', 'protocol', protocol);
    const limit = (name: string) => +(headers?.get(`halyard-${name}`) ?? NaN);
    id = headers?.get('halyard-connection') ?? '';
    pollTimeoutMs = (limit('poll-hold-ms') || pollHoldMs) + sendTimeoutMs;
    // Behind its length, if it is binary.
    frameBytesMax = limit('body-bytes-max') - 4 || Infinity;
    if (closed || !id) return;
    if (isStream) return read().catch((error) => end(broken(`${rootOf(error)}`)));
    onOpen();
    // The answer to the first body brings what there is, also where the way lets one request through at a time.
    await posting;
    while (await request('GET', 'ack', received));
  };

  const ran = run().catch((error) => end(broken(`${error}`, 4400)));
  return {
    name: isStream ? 'sse' : 'polling',
    get frameBytesMax() {
      return frameBytesMax;
    },
    get bufferedBytes() {
      return bufferedBytes;
    },
    send(frame) {
      if (closed) return;
      bufferedBytes += frame.length;
      queue.push(frame);
      posting ??= post();
    },
    async close(code) {
      if (closed) return;
      closed = true;
      // The end of a stream would tell the server that the connection is lost.
      if (!isStream) stop('GET');
      while (posting && code === 1000) await posting;
      if (id) stop('POST');
      // The answer that opens it may be on its way: without a word the server would keep what it has opened.
      else if (!isStream) {
        const cancel = clock.after(lastMs, () => stop('POST'));
        await ran;
        cancel();
      }
      if (id) await request('DELETE', 'close', code < 1002 ? 1000 : code);
      stop('GET');
    },
  };
}
