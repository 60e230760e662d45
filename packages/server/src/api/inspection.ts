// What tools are shown of a server, such as the page of `@halyard/admin`: sessions, namespaces and rooms as they are now, and what
// happens. What it costs is paid by who looks: nothing here is counted or kept.
import { type Close, CloseCode } from '@halyard/protocol';
import type { Happenings, Hear } from '../base/happenings';
import type { LogLevel } from '../base/logger';
import type { Meters } from '../base/meters';
import type { Platform } from '../base/platform';
import type { Sessions } from '../session/directory';
import type { Session } from '../session/session';
import type { TransportName } from '../wire/connection';
import { clientAddress, type Trust } from '../wire/proxies';
import type { Metric } from './metrics';
import type { Socket } from './socket';

/** A session as it is when each of these is asked. */
export interface InspectedSession {
  readonly id: string;
  /** Whether its client is there, has not been brought all that it missed yet, or is away and may come back. */
  readonly state: 'live' | 'catching-up' | 'away';
  /** Name and version of the client's software, as it says. */
  readonly client: string;
  readonly codec: string;
  /** Of the connection that it has; undefined while it is away. */
  readonly transport: TransportName | undefined;
  /** Number of the connection on this server, as in the log; undefined while it is away. */
  readonly connection: number | undefined;
  /** Of the client: of the connection that it has, else of one that it had. Empty if that is not known. */
  readonly address: string;
  /** Bytes that wait for the client to read. */
  readonly bufferedBytes: number;
  /** Packets to it alone that it has not confirmed, … */
  readonly outboxPackets: number;
  /** … and their sum in bytes; of text, its characters. */
  readonly outboxBytes: number;
  readonly sockets: readonly Socket[];
  /** Ends it, as `socket.disconnect(true)`: its client is told and does not come back by itself. @param reason at most 123 bytes */
  end(reason: string): void;
}

export interface InspectedNamespace {
  readonly name: string;
  readonly socketCount: number;
  readonly roomCount: number;
  /** How many members each room has here. It takes the longer the more there are. */
  rooms(): Iterable<readonly [room: string, members: number]>;
}

export interface Inspection {
  /** Id of the server: see `Server.node`. */
  readonly node: string;
  /** Its option `path`. */
  readonly path: string;
  /** Names of its codecs. */
  readonly codecs: readonly string[];
  /** What the server takes for time. */
  readonly clock: Pick<Platform, 'now' | 'after' | 'wall'>;
  readonly sessionCount: number;
  /** All that are here. It takes the longer the more there are. */
  sessions(): Iterable<InspectedSession>;
  /** @returns the session of an id, if it is here */
  session(id: string): InspectedSession | undefined;
  namespaces(): Iterable<InspectedNamespace>;
  /** As `Server.metrics`, but counting does not begin by it: see `count`. */
  metrics(): readonly Metric[];
  /** Counts what costs something for each packet, until what is returned is called. */
  count(): () => void;
  /**
   * Calls `hear` for each thing that happens, as the log has it, and leaves none out.
   * @param least the level below which nothing is told
   * @returns what ends it
   */
  hear(least: LogLevel, hear: Hear): () => void;
}

interface Inspectable {
  readonly name: string;
  readonly sockets: ReadonlyMap<string, unknown>;
  readonly roomCount: number;
  roomSizes(): Iterable<readonly [room: string, members: number]>;
}

export interface InspectedContext {
  readonly node: string;
  readonly path: string;
  readonly codecs: readonly { readonly name: string }[];
  readonly trustProxy: Trust;
  readonly platform: Platform;
  readonly sessions: Sessions;
  readonly namespaces: Iterable<Inspectable>;
  readonly happenings: Happenings;
  readonly meters: Meters;
  metrics(): readonly Metric[];
}

export class Inspected implements Inspection {
  readonly #context: InspectedContext;

  constructor(context: InspectedContext) {
    this.#context = context;
  }

  get node(): string {
    return this.#context.node;
  }

  get path(): string {
    return this.#context.path;
  }

  get codecs(): readonly string[] {
    return this.#context.codecs.map(({ name }) => name);
  }

  get clock(): Inspection['clock'] {
    return this.#context.platform;
  }

  get sessionCount(): number {
    return this.#context.sessions.size;
  }

  *sessions(): Generator<InspectedSession> {
    const { sessions, trustProxy } = this.#context;
    for (const session of sessions) yield new SeenSession(session, trustProxy);
  }

  session(id: string): InspectedSession | undefined {
    const { sessions, trustProxy } = this.#context;
    const session = sessions.get(id);
    return session && new SeenSession(session, trustProxy);
  }

  *namespaces(): Generator<InspectedNamespace> {
    for (const namespace of this.#context.namespaces) {
      const { name, sockets, roomCount } = namespace;
      yield { name, socketCount: sockets.size, roomCount, rooms: () => namespace.roomSizes() };
    }
  }

  metrics(): readonly Metric[] {
    return this.#context.metrics();
  }

  count(): () => void {
    return this.#context.meters.watch();
  }

  hear(least: LogLevel, hear: Hear): () => void {
    return this.#context.happenings.hear(least, hear);
  }
}

class SeenSession implements InspectedSession {
  readonly #session: Session;
  readonly #trustProxy: Trust;

  constructor(session: Session, trustProxy: Trust) {
    this.#session = session;
    this.#trustProxy = trustProxy;
  }

  get id(): string {
    return this.#session.id;
  }

  get state(): InspectedSession['state'] {
    const { streamState } = this.#session;
    return streamState === 'live' || streamState === 'catching-up' ? streamState : 'away';
  }

  get client(): string {
    return this.#session.software;
  }

  get codec(): string {
    return this.#session.codec.name;
  }

  get transport(): TransportName | undefined {
    return this.#session.connection?.transport;
  }

  get connection(): number | undefined {
    return this.#session.connection?.number;
  }

  get address(): string {
    const { connection } = this.#session;
    if (connection !== undefined) return clientAddress(connection.peer, this.#trustProxy);
    return this.sockets[0]?.handshake.address ?? '';
  }

  get bufferedBytes(): number {
    return this.#session.connection?.bufferedBytes ?? 0;
  }

  get outboxPackets(): number {
    return this.#session.outboxPackets;
  }

  get outboxBytes(): number {
    return this.#session.outboxBytes;
  }

  get sockets(): readonly Socket[] {
    // Every presence is a socket that the api has made.
    return this.#session.attended as unknown as readonly Socket[];
  }

  end(reason: string): void {
    const close: Close = { code: CloseCode.Normal, reason, by: 'server' };
    this.#session.end(close);
  }
}
