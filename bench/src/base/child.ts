// A forked process that answers typed requests. Whatever happens to it, every request settles.
import { type ChildProcess, fork } from 'node:child_process';
import { pinnedTo } from './pinning';

/** Operation name → what it takes and what it answers. */
export type Operations<T> = { readonly [K in keyof T]: { params: unknown; result: unknown } };

/** A handler that answers nothing need not say so. */
type Awaitable<R> = R extends undefined ? unknown : R | Promise<R>;

export type Handlers<T extends Operations<T>> = {
  readonly [K in keyof T]: (params: T[K]['params']) => Awaitable<T[K]['result']>;
};

interface Request {
  readonly id: number;
  readonly operation: string;
  readonly params: unknown;
}
interface Reply {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: string;
}
interface Pending {
  resolve(result: unknown): void;
  reject(error: Error): void;
  readonly timer: NodeJS.Timeout;
}

const callTimeoutMs = 60_000;
const stderrCharsMax = 2_000;

export class Child<T extends Operations<T>> {
  readonly #process: ChildProcess;
  readonly #name: string;
  readonly #pending = new Map<number, Pending>();
  #next = 1;
  #stderr = '';
  #ended: Error | undefined;

  /**
   * @param file the bundle to run, such as `serve.js`, beside this one
   * @param processor the only one it runs on; undefined leaves that to the system
   */
  constructor(file: string, name: string, processor?: number) {
    this.#name = name;
    const [execPath = '', ...execArgv] = [...pinnedTo(processor), process.execPath];
    this.#process = fork(new URL(file, import.meta.url), {
      execPath,
      execArgv,
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      serialization: 'advanced',
    });
    this.#process.stderr?.on('data', (chunk: Buffer) => {
      this.#stderr = (this.#stderr + chunk.toString()).slice(-stderrCharsMax);
    });
    this.#process.on('message', (reply: Reply) => this.#settle(reply));
    this.#process.on('error', (error) => this.#fail(error.message));
    this.#process.on('exit', (code, signal) => this.#fail(`ended with ${signal ?? code}`));
  }

  call<K extends keyof T & string>(operation: K, params: T[K]['params'], timeoutMs = callTimeoutMs) {
    return new Promise<T[K]['result']>((resolve, reject) => {
      if (this.#ended !== undefined) return reject(this.#ended);
      const id = this.#next++;
      const timer = setTimeout(() => {
        this.#pending.delete(id);
        reject(new Error(`${this.#name}: no answer to ${operation} within ${timeoutMs} ms`));
      }, timeoutMs);
      this.#pending.set(id, { resolve: resolve as (result: unknown) => void, reject, timer });
      this.#process.send({ id, operation, params } satisfies Request);
    });
  }

  /** Ends the process at once. */
  end(): void {
    this.#ended ??= new Error(`${this.#name}: ended`);
    this.#process.kill('SIGKILL');
  }

  #settle(reply: Reply): void {
    const pending = this.#pending.get(reply.id);
    if (pending === undefined) return;
    this.#pending.delete(reply.id);
    clearTimeout(pending.timer);
    if (reply.error === undefined) pending.resolve(reply.result);
    else pending.reject(new Error(`${this.#name}: ${reply.error}`));
  }

  #fail(reason: string): void {
    const lastWords = this.#stderr.trim();
    this.#ended ??= new Error(`${this.#name}: ${reason}${lastWords === '' ? '' : `: ${lastWords}`}`);
    for (const pending of this.#pending.values()) {
      clearTimeout(pending.timer);
      pending.reject(this.#ended);
    }
    this.#pending.clear();
  }
}

/** The child's side: answers each request with its handler, and ends with its parent. */
export function answerRequests<T extends Operations<T>>(handlers: Handlers<T>): void {
  const send = (reply: Reply) => process.connected && process.send?.(reply);
  process.on('message', async (request: Request) => {
    const { id, operation, params } = request;
    try {
      const handler = handlers[operation as keyof T];
      send({ id, result: await handler(params as T[keyof T]['params']) });
    } catch (error) {
      send({ id, error: error instanceof Error ? error.message : String(error) });
    }
  });
  process.on('disconnect', () => process.exit());
}
