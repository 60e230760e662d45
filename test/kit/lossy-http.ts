// HTTP between a client's `fetch` and a server, in virtual time: requests and answers take their time, overtake each
// other, are lost, and requests come twice. The same random numbers make the same run.

import type { Random } from '@halyard/harness/random';
import type { Clock } from '@halyard/protocol';
import { type HostFactory, Peer } from '@halyard/server';

type HostHandlers = Parameters<HostFactory>[1];
type Reply = Parameters<HostHandlers['request']>[2];
type Answer = Parameters<Reply['send']>[0];

/** How the path behaves; may be changed on the way. */
export interface Path {
  latencyMs: number;
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

  readonly fetch = (_url: unknown, { method = 'GET', headers, body, signal }: RequestInit = {}): Promise<Response> =>
    new Promise((resolve, reject) => {
      const lost = () => {
        if (!this.#chance('unnoticed')) this.#later(() => reject(new TypeError('lost')));
      };
      const copy = (answered: (answer: Answer) => void) => {
        const reply: Reply = { onAbort: undefined, send: answered };
        signal?.addEventListener('abort', () => this.#later(() => reply.onAbort?.()));
        this.#arrive(method, headers as Record<string, string>, body as string | undefined, reply);
      };
      signal?.addEventListener('abort', () => reject(signal.reason));
      if (this.#chance('repeat')) this.#clock.after(this.#random.int(this.path.repeatMs), () => copy(() => {}));
      if (this.#chance('loss')) lost();
      else
        this.#later(() =>
          copy((answer) => {
            if (this.#chance('loss')) lost();
            else this.#later(() => resolve(responseOf(answer)));
          }),
        );
    });

  #arrive(method: string, headers: Record<string, string>, body: string | undefined, reply: Reply): void {
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
    const peer = new Peer('127.0.0.1', false, lines);
    const facts = { method, path: '/halyard', query: '', peer };
    let over = false;
    this.#handlers?.request(facts, new TextEncoder().encode(body), {
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
    });
  }

  #chance(what: 'loss' | 'unnoticed' | 'repeat'): boolean {
    return this.#random.chance(this.path[what]);
  }

  #later(run: () => void): void {
    this.#clock.after(this.#random.int(this.path.latencyMs), run);
  }
}

function responseOf({ status, headers, body = '' }: Answer): Response {
  return {
    status,
    headers: new Headers(headers as Record<string, string>),
    text: async () => String(body),
  } as Response;
}
