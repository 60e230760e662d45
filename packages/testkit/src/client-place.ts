// Where one client is in the network: its ways to each server, and what is wrong with them.
import {
  type Address,
  type ClientOptions,
  type Connection,
  type Link,
  type LinkEvents,
  polling,
  sse,
  type Transport,
} from '@halyard/client';
import type { VirtualClock } from '@halyard/harness/clock';
import { between, type Network, type NoticedBy, type RangeMs } from '@halyard/harness/link';
import { type Random, seededRandom } from '@halyard/harness/random';
import { Exchanges, type Fault, type Way } from './exchanges';
import { LossyHttp, type Path } from './network/lossy-http';
import { MemoryNetwork } from './network/memory-network';
import type { OwnTime } from './own-time';
import type { ServerPlace } from './server-place';

export type TransportName = 'websocket' | 'sse' | 'polling';
export const transportNames: readonly TransportName[] = ['websocket', 'sse', 'polling'];

/** What all clients of a world have in common. */
export interface Surroundings {
  readonly clock: VirtualClock;
  readonly random: Random;
  /** How WebSockets behave, and how HTTP does: both may change. */
  readonly network: Network;
  readonly path: Path;
  /** Where new connections go, unless a client is sent elsewhere. */
  newest(): ServerPlace | undefined;
}

/** `refused`: attempts fail at once. `silent`: they are not answered. */
type Absence = 'refused' | 'silent';

/** How a client gets to one server. */
interface Route {
  readonly server: ServerPlace;
  readonly sockets: MemoryNetwork;
  readonly http: LossyHttp;
}

export class ClientPlace {
  readonly name: string;
  readonly time: OwnTime;
  /** Of the client itself, once there is one that is known. */
  connection: Connection | undefined;
  /** The only server it goes to, if that is set. */
  server: ServerPlace | undefined;
  readonly #surroundings: Surroundings;
  readonly #fields: Readonly<Record<string, string>>;
  readonly #routes = new Map<ServerPlace, Route>();
  /** WebSockets that the client takes for open, or opens. */
  readonly #sockets = new Set<Link>();
  readonly #exchanges: Exchanges;
  #absence: Absence | undefined;

  /** @param fields of the headers of all its requests */
  constructor(name: string, time: OwnTime, surroundings: Surroundings, fields: Readonly<Record<string, string>>) {
    this.name = name;
    this.time = time;
    this.#surroundings = surroundings;
    this.#fields = { host: 'world.example', ...fields };
    this.#exchanges = new Exchanges(
      time,
      () => this.#draw(surroundings.network.latencyMs),
      () => this.#way(),
    );
  }

  /** What makes a client of this place. */
  options(names: readonly TransportName[]): ClientOptions {
    const ways: Record<TransportName, Transport> = {
      websocket: { open: (address, events) => this.#open(address, events) },
      sse: sse({ fetch: this.#exchanges.fetch }),
      polling: polling({ fetch: this.#exchanges.fetch }),
    };
    const { time } = this;
    return { transports: names.map((name) => ways[name]), clock: time, random: time.random, token: time.token };
  }

  /** Whether there is a client that was not closed. One that the app has made is known by what it does. */
  get isOpen(): boolean {
    if (this.connection === undefined) return this.connections > 0 || this.time.pending > 0;
    return this.connection.state !== 'idle' && this.connection.state !== 'closed';
  }

  /** WebSockets and requests that the client takes for alive. */
  get connections(): number {
    return this.#sockets.size + this.#exchanges.count;
  }

  cut(noticedBy: NoticedBy, noticeMs: RangeMs, only?: ServerPlace): void {
    for (const { server, sockets } of this.#routes.values()) {
      if (only === undefined || server === only) sockets.cut(undefined, noticedBy, noticeMs);
    }
    this.#exchanges.cut(noticedBy, () => this.#draw(noticeMs), only);
  }

  stall(ms: number): void {
    for (const { sockets } of this.#routes.values()) sockets.stall(ms);
    this.#exchanges.stall(ms);
  }

  /** Nothing gets through any more. */
  leave(absence: Absence): void {
    this.#absence = absence;
  }

  comeBack(): void {
    this.#absence = undefined;
  }

  disturb(fault: Fault): void {
    this.#exchanges.disturb(fault);
  }

  describe(): string {
    const { state = 'made by the app', transport } = this.connection ?? {};
    const over = transport === undefined ? '' : ` over ${transport}`;
    const where = this.#absence === undefined ? `to ${this.#target?.name ?? 'no server'}` : `offline, ${this.#absence}`;
    return `${this.name}: ${state}${over} (${where})`;
  }

  get #target(): ServerPlace | undefined {
    return this.server ?? this.#surroundings.newest();
  }

  #open(address: Address, events: LinkEvents): Link {
    const way = this.#reach();
    if (typeof way === 'string') return this.#unreached(way, events);
    const inner = way.sockets.transport.open(address, {
      ...events,
      onClose: (close) => {
        this.#sockets.delete(link);
        events.onClose(close);
      },
    });
    const link: Link = {
      name: 'websocket',
      bufferedBytes: 0,
      send: (frame) => inner.send(frame),
      close: (code, reason) => {
        this.#sockets.delete(link);
        // As the websocket transport does: what it may not say arrives as no code.
        inner.close(code > 2999 ? code : code < 1002 ? 1000 : 1005, reason);
      },
    };
    this.#sockets.add(link);
    return link;
  }

  /** @returns a WebSocket that is never open */
  #unreached(absence: Absence, { onClose }: LinkEvents): Link {
    let cancel = () => {};
    const link: Link = {
      name: 'websocket',
      bufferedBytes: 0,
      send() {},
      close: () => {
        this.#sockets.delete(link);
        cancel();
      },
    };
    this.#sockets.add(link);
    if (absence === 'refused') {
      cancel = this.time.after(this.#draw(this.#surroundings.network.latencyMs), () => {
        this.#sockets.delete(link);
        onClose({ code: 1006, reason: 'connection refused', by: 'network' });
      });
    }
    return link;
  }

  #way(): Way {
    const way = this.#reach();
    return typeof way === 'string' ? way : { server: way.server, fetch: way.http.fetch, fields: this.#fields };
  }

  #reach(): Route | Absence {
    if (this.#absence !== undefined) return this.#absence;
    const server = this.#target;
    if (server === undefined || !server.isThere) return 'refused';
    const route = this.#routes.get(server) ?? this.#routeTo(server);
    this.#routes.set(server, route);
    return route;
  }

  /** Each client has its own network to each server, so that it can be cut alone. */
  #routeTo(server: ServerPlace): Route {
    const { clock, random, network, path } = this.#surroundings;
    const wires = () => seededRandom(random.int(2 ** 32));
    const lines = Object.entries(this.#fields).map(([name, value]) => `${name}: ${value}`);
    const sockets = new MemoryNetwork(clock, wires(), network, false, lines);
    const http = new LossyHttp(clock, wires(), path);
    for (const { host } of [sockets, http]) void host('', server.handlers, noLimits, server.time);
    return { server, sockets, http };
  }

  #draw(range: RangeMs): number {
    return between(this.#surroundings.random, range);
  }
}

/** They are the server's to keep. */
const noLimits = { frameBytesMax: Number.POSITIVE_INFINITY, httpBodyBytesMax: Number.POSITIVE_INFINITY };
