// The HTTP of one client: requests that are on their way, which may be lost, come twice, or die with the network they are in.
import type { Fetch } from '@halyard/client';
import type { NoticedBy } from '@halyard/harness/link';
import type { OwnTime } from './own-time';

/** One request, and the answer to it. */
interface Exchange {
  readonly method: string;
  /** Where it went. */
  readonly server: unknown;
  /** Aborts it on the server's side. */
  readonly arrived: AbortController;
  reject: (reason: unknown) => void;
  /** Whether what is answered reaches nobody. */
  isCut: boolean;
}

/** What is to happen to the next requests. */
export interface Fault {
  readonly kind: 'request' | 'answer' | 'repeat';
  /** Undefined: to those of any method. */
  readonly method: string | undefined;
  readonly noticed: boolean;
  left: number;
}

/** What a request meets: a way to a server, a refusal, or nothing at all. */
export type Way = RequestWay | 'refused' | 'silent';

interface RequestWay {
  readonly server: unknown;
  readonly fetch: Fetch;
  /** Header fields that every request has. */
  readonly fields: Readonly<Record<string, string>>;
}

export class Exchanges {
  readonly #time: OwnTime;
  readonly #latencyMs: () => number;
  readonly #way: () => Way;
  readonly #open = new Set<Exchange>();
  readonly #faults: Fault[] = [];
  #stalledUntil = 0;

  /**
   * @param latencyMs how long something takes this time
   * @param way where a request goes to that is made now
   */
  constructor(time: OwnTime, latencyMs: () => number, way: () => Way) {
    this.#time = time;
    this.#latencyMs = latencyMs;
    this.#way = way;
  }

  /** How many requests wait for an answer. */
  get count(): number {
    return this.#open.size;
  }

  disturb(fault: Fault): void {
    this.#faults.push(fault);
  }

  /** No answer arrives before so much later. */
  stall(ms: number): void {
    this.#stalledUntil = Math.max(this.#stalledUntil, this.#time.now() + ms);
  }

  /** All requests under way die, or those to one server. @param noticeMs draws how long until an end learns of it */
  cut(noticedBy: NoticedBy, noticeMs: () => number, only?: unknown): void {
    for (const exchange of this.#open) {
      if (only !== undefined && exchange.server !== only) continue;
      exchange.isCut = true;
      if (noticedBy === 'both' || noticedBy === 'client') {
        this.#time.after(noticeMs(), () => exchange.reject(new TypeError('cut')));
      }
      if (noticedBy === 'both' || noticedBy === 'server') {
        this.#time.after(noticeMs(), () => exchange.arrived.abort(new TypeError('cut')));
      }
    }
  }

  readonly fetch: Fetch = (url, init) =>
    new Promise<Response>((resolve, reject) => {
      const way = this.#way();
      const exchange: Exchange = {
        method: init.method,
        server: typeof way === 'string' ? undefined : way.server,
        arrived: new AbortController(),
        reject: (reason) => {
          this.#open.delete(exchange);
          reject(reason);
        },
        isCut: false,
      };
      this.#open.add(exchange);
      init.signal.addEventListener('abort', () => {
        exchange.reject(init.signal.reason);
        if (!exchange.isCut) exchange.arrived.abort(init.signal.reason);
      });
      if (way === 'silent') return;
      if (way === 'refused') this.#fail(exchange, 'connection refused');
      else {
        const headers = { ...way.fields, ...init.headers };
        this.#send(
          exchange,
          (signal) => way.fetch(url, { ...init, headers, signal }),
          (response) => resolve(response.body ? this.#streamed(exchange, response) : this.#whole(exchange, response)),
        );
      }
    });

  #send(exchange: Exchange, send: (signal: AbortSignal) => Promise<Response>, answered: (response: Response) => void) {
    const fault = this.#nextFault(exchange.method);
    if (fault?.kind === 'request') return this.#lose(exchange, fault);
    const sent = send(exchange.arrived.signal);
    // The copy is nobody's: the connection that it came over is another one, and is never closed.
    if (fault?.kind === 'repeat') send(new AbortController().signal).catch(() => {});
    sent.then(
      (response) => {
        if (exchange.isCut) return;
        if (fault?.kind === 'answer') this.#lose(exchange, fault);
        else this.#time.after(this.#stalledUntil - this.#time.now(), () => exchange.isCut || answered(response));
      },
      (error) => {
        if (!exchange.isCut) exchange.reject(error);
      },
    );
  }

  #whole(exchange: Exchange, response: Response): Response {
    this.#open.delete(exchange);
    return response;
  }

  /** An answer that does not end is under way until it does. */
  #streamed(exchange: Exchange, response: Response): Response {
    const reader = (response.body as NonNullable<Response['body']>).getReader();
    const cut = new Promise<never>((_, reject) => {
      exchange.reject = (reason) => {
        this.#open.delete(exchange);
        reject(reason);
      };
    });
    cut.catch(() => {});
    const read = async () => {
      const got = await Promise.race([reader.read(), cut]);
      const stalledMs = this.#stalledUntil - this.#time.now();
      if (stalledMs > 0) await new Promise<void>((resolve) => this.#time.after(stalledMs, resolve));
      if (exchange.isCut) return cut;
      if (got.done) this.#open.delete(exchange);
      return got;
    };
    const { status, headers } = response;
    return { status, headers, body: { getReader: () => ({ read }) } } as unknown as Response;
  }

  #lose(exchange: Exchange, { noticed }: Fault): void {
    exchange.isCut = true;
    if (noticed) this.#fail(exchange, 'lost');
  }

  #fail(exchange: Exchange, reason: string): void {
    this.#time.after(this.#latencyMs(), () => exchange.reject(new TypeError(reason)));
  }

  #nextFault(method: string): Fault | undefined {
    const fault = this.#faults.find((one) => one.method === undefined || one.method === method);
    if (fault !== undefined && --fault.left === 0) this.#faults.splice(this.#faults.indexOf(fault), 1);
    return fault;
  }
}
