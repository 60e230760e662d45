// A server over real sockets that may be killed: from then on nothing of it happens any more, and nothing is said to anybody.
import { type Adapter, type Host, type HostFactory, Server, type ServerOptions, type Store } from '@halyard/server';

export interface KillableServer {
  readonly io: Server;
  /** Its connections are cut, its port is free, its timers stand still: the others are not told yet. */
  kill(): Promise<void>;
  /** The store has noticed that it is dead, and tells the others. */
  noticed(): void;
  /** Ends it, dead or alive. */
  close(): Promise<void>;
}

/** @param options with the adapter of a store that is shared. @param app is called before the server listens */
export async function killable(
  host: HostFactory,
  options: ServerOptions & { readonly adapter: Adapter },
  app: (io: Server) => void = () => {},
): Promise<KillableServer> {
  let isDead = false;
  let running: Host | undefined;
  let store: Store | undefined;
  const alive = (run: () => void) => (): void => {
    if (!isDead) run();
  };
  const io = new Server({
    ...options,
    host: async (...args) => {
      running = await host(...args);
      return running;
    },
    adapter: (context) => {
      store = options.adapter(context) as Store;
      return store;
    },
    clock: {
      now: options.clock?.now ?? (() => Math.floor(performance.now())),
      after(delayMs, run) {
        const timer = setTimeout(alive(run), delayMs);
        timer.unref();
        return () => clearTimeout(timer);
      },
      soon: (run) => void setImmediate(alive(run)),
    },
  });
  app(io);
  await io.listen(0, '127.0.0.1');
  return {
    io,
    async kill() {
      isDead = true;
      await running?.close();
    },
    noticed: () => void store?.close(),
    async close() {
      if (isDead) store?.close();
      else await io.close();
    },
  };
}
