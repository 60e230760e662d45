// HTTP between a client's `fetch` and a server, in virtual time: requests and answers take their time, overtake each
// other, are lost, and requests come twice. The same random numbers make the same run.

import { TextDecoder, TextEncoder } from 'node:util';
import type { FetchInit } from '@halyard/client';
import { between, type RangeMs } from '@halyard/harness/link';
import type { Random } from '@halyard/harness/random';
import type { Clock } from '@halyard/protocol';
import {
  type HostFactory,
  type HostHandlers,
  type HttpAnswer,
  Peer,
  type RequestFacts,
  type StreamableReply,
} from '@halyard/server';
import { LossyStream, type Way } from './lossy-stream';
import { pathOf } from './url-path';

/** How the path behaves; may be changed on the way. */
export interface Path {
  /** How long a request or an answer is on the way: a number is what it stays below. */
  latencyMs: number | RangeMs;
  /** How probable it is that a request, or an answer, is lost, … */
  loss: number;
  /** … that nobody tells the client so, … */
  unnoticed: number;
  /** … and that a request comes once more, up to `repeatMs` later. */
  repeat: number;
  repeatMs: number;
}

export class LossyHttp {
  readonly path: Path;
  readonly #clock: Clock;
  readonly #random: Random;
  #handlers: HostHandlers | undefined;

  constructor(clock: Clock, random: Random, path: Path) {
    this.#clock = clock;
    this.#random = random;
    this.path = path;
  }

  readonly host: HostFactory = async (_path, handlers) => {
    this.#handlers = handlers;
    return {
      name: 'lossy',
      gathersInMessage: false,
      listen: async (port) => port,
      stopListening: () => {},
      close: async () => {},
    };
  };

  readonly fetch = (
    url: string,
    { method = 'GET', headers, body, signal }: Partial<FetchInit> = {},
  ): Promise<Response> =>
    new Promise((resolve, reject) => {
      const lost = () => {
        if (!this.#chance('unnoticed')) this.#later(() => reject(new TypeError('lost')));
      };
      const copy = (answered: (answer: HttpAnswer, stream?: LossyStream) => void) => {
        const reply: StreamableReply = {
          onAbort: undefined,
          send: answered,
          stream: (answer) => {
            const stream = new LossyStream(this.#way);
            signal?.addEventListener('abort', () => stream.abort(signal.reason));
            answered(answer, stream);
            return stream;
          },
        };
        signal?.addEventListener('abort', () => this.#later(() => reply.onAbort?.()));
        const lines = Object.entries(headers ?? {}).map(([name, value]) => `${name}: ${value}`);
        const peer = new Peer('127.0.0.1', false, lines);
        this.#arrive({ method, path: pathOf(url), query: '', peer }, body, reply);
      };
      signal?.addEventListener('abort', () => reject(signal.reason));
      if (this.#chance('repeat'))
        this.#clock.after(this.#random.int(this.path.repeatMs), () => copy((_answer, stream) => stream?.break()));
      if (this.#chance('loss')) lost();
      else
        this.#later(() =>
          copy((answer, stream) => {
            if (!this.#chance('loss'))
              this.#later(() => resolve(responseOf(answer, (body) => Promise.resolve(body), stream)));
            else if (stream !== undefined) {
              stream.break();
              lost();
            } else if (this.#random.chance(0.5)) lost();
            else this.#later(() => resolve(responseOf(answer, () => this.#cutShort(signal))));
          }),
        );
    });

  /** Copies the body: its memory may be written again. */
  #arrive(facts: RequestFacts, body: string | Uint8Array | undefined, reply: StreamableReply): void {
    let over = false;
    const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : Uint8Array.from(body ?? []);
    this.#handlers?.request(facts, bytes, {
      set onAbort(run: (() => void) | undefined) {
        reply.onAbort = () => {
          if (over) return;
          over = true;
          run?.();
        };
      },
      send(answer) {
        if (over) return;
        over = true;
        reply.send(answer);
      },
      stream(answer) {
        if (over) return undefined;
        over = true;
        return reply.stream(answer);
      },
    });
  }

  /** The answer ends in the midst of its body. Nobody may tell the client so. */
  #cutShort(signal: AbortSignal | undefined): Promise<never> {
    return new Promise((_, reject) => {
      signal?.addEventListener('abort', () => reject(signal.reason));
      if (!this.#chance('unnoticed')) this.#later(() => reject(new TypeError('terminated')));
    });
  }

  #chance(what: 'loss' | 'unnoticed' | 'repeat'): boolean {
    return this.#random.chance(this.path[what]);
  }

  #later(run: () => void): void {
    this.#clock.after(this.#way.latencyMs(), run);
  }

  readonly #way: Way = {
    latencyMs: () => {
      const { latencyMs } = this.path;
      return typeof latencyMs === 'number' ? this.#random.int(latencyMs) : between(this.#random, latencyMs);
    },
    cutsAt: (bytes) => (this.#random.chance(0.3) ? this.#random.int(bytes) : 0),
    loses: () => this.#chance('loss'),
    isUnnoticed: () => this.#chance('unnoticed'),
    now: () => this.#clock.now(),
    after: (delayMs, run) => void this.#clock.after(delayMs, run),
  };
}

type Body = NonNullable<HttpAnswer['body']>;

/** @param arrived the body, once it is there; of a stream, that */
function responseOf(
  { status, headers, body = '' }: HttpAnswer,
  arrived: (body: Body) => Promise<Body>,
  stream?: LossyStream,
): Response {
  return {
    status,
    headers: new Headers(headers as Record<string, string>),
    text: async () => textOf(await arrived(body)),
    arrayBuffer: async () => bytesOf(await arrived(body)).buffer,
    body: stream?.body,
  } as unknown as Response;
}

function textOf(body: Body): string {
  return typeof body === 'string' ? body : new TextDecoder().decode(body);
}

function bytesOf(body: Body): Uint8Array {
  return typeof body === 'string' ? new TextEncoder().encode(body) : Uint8Array.from(body);
}
