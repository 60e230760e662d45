// The sockets of this server that look at something: as long as there are any, all servers are told so. Who is away does not look.
import type { Inspection, Socket } from '@halyard/server';
import { renewMs } from './leases';

export interface WatchersContext {
  /** Whose members look. */
  readonly room: string;
  readonly clock: Inspection['clock'];
  /** Tells all servers that somebody here looks, or nobody any more. */
  tell(isWatched: boolean): void;
}

export class Watchers {
  readonly #context: WatchersContext;
  readonly #sockets = new Set<Socket>();
  #cancel: (() => void) | undefined;

  constructor(context: WatchersContext) {
    this.#context = context;
  }

  /** A socket is connected, or comes from another server: from now on it is known when it looks. */
  follow(socket: Socket): void {
    const { room } = this.#context;
    const ifIn = (): void => {
      if (socket.rooms.has(room) && socket.connected && !socket.away) this.add(socket);
    };
    const gone = (): void => this.delete(socket);
    socket.on('resume', ifIn).on('away', gone).on('moved', gone).on('disconnect', gone);
    ifIn();
  }

  add(socket: Socket): void {
    socket.join(this.#context.room);
    this.#sockets.add(socket);
    if (this.#cancel === undefined) this.#renew();
  }

  leave(socket: Socket): void {
    socket.leave(this.#context.room);
    this.delete(socket);
  }

  /** It looks no more, for as long as it is away or for good. */
  delete(socket: Socket): void {
    if (!this.#sockets.delete(socket) || this.#sockets.size > 0) return;
    this.#cancel?.();
    this.#cancel = undefined;
    this.#context.tell(false);
  }

  #renew(): void {
    const { clock, tell } = this.#context;
    this.#cancel = clock.after(renewMs, () => this.#renew());
    tell(true);
  }
}
