// What `Namespace` says, done: its rooms, its audience and its admission, put together.
import type { EventArgs, EventName, EventReply } from '@halyard/protocol';
import type { Platform } from '../base/platform';
import { Admission } from '../namespace/admission';
import { Audience, type AudienceContext, type Replies } from '../namespace/audience';
import type { Reached } from '../namespace/cluster-requests';
import type { Handler } from '../namespace/handlers';
import type { Registered } from '../namespace/registry';
import type { Middleware, Rules } from '../namespace/rules';
import { type Names, wholeNamespace } from '../namespace/target-spec';
import { Rooms, type RoomsContext } from '../room/rooms';
import type { Entrant } from '../session/context';
import type { Handshake } from '../session/handshake';
import type { LeftRecord, PresenceRecord } from '../session/record';
import { EndedSpans } from '../session/spans';
import type { Namespace } from './namespace';
import { ServerSocket, type SocketContext } from './server-socket';
import type { Socket } from './socket';
import { AudienceTarget, type Counted, type FetchedSockets, type Target } from './target';

/** What namespaces need of the server. */
export interface NamespaceContext extends RoomsContext, AudienceContext {
  readonly platform: Platform;
  readonly waitingPacketsMax: number;
  /** @param session id of its session */
  newSocketId(session: string): string;
  /** Something in user code failed. */
  report(error: unknown, where: string): void;
  /** The namespace has nobody in it any more. */
  emptied(name: string): void;
}

export class ServerNamespace<Incoming, Outgoing, Data> implements Namespace<Incoming, Outgoing, Data>, Registered {
  readonly name: string;
  readonly #rules: Rules;
  readonly #rooms: Rooms;
  /** Whom targets of it mean here. */
  readonly audience: Audience;
  readonly #admission: Admission;

  constructor(name: string, rules: Rules, context: NamespaceContext) {
    this.name = name;
    this.#rules = rules;
    this.#rooms = new Rooms(name, context);
    this.audience = new Audience(name, this.#rooms, context);
    const report = (error: unknown, where: string): void => context.report(error, `${where} in namespace ${name}`);
    const removed = (): void => {
      if (this.#admission.isIdle && this.#rooms.everyone.members.size === 0) context.emptied(name);
    };
    const sockets: SocketContext = {
      rooms: this.#rooms,
      audience: this.audience,
      ...{ platform: context.platform, waitingPacketsMax: context.waitingPacketsMax },
      reportAside: (error) => report(error, 'a handler beside the one that replies'),
      report,
      removed,
    };
    this.#admission = new Admission(rules, {
      createSocket: (entrant, handshake, record) => {
        const socket = new ServerSocket(
          record?.id ?? context.newSocketId(entrant.id),
          entrant,
          handshake,
          sockets,
          record,
        );
        this.#rooms.everyone.members.set(socket.id, socket);
        return socket;
      },
      decided: removed,
      report,
    });
  }

  admit(entrant: Entrant, handshake: Handshake): void {
    this.#admission.admit(entrant, handshake);
  }

  recall(entrant: Entrant, record: LeftRecord): EndedSpans {
    return new EndedSpans(record, entrant, this.#rooms);
  }

  close(): void {
    this.#rooms.close();
  }

  revive(entrant: Entrant, handshake: Handshake, record: PresenceRecord): void {
    this.#admission.revive(entrant, handshake, record);
  }

  use(middleware: Middleware<Data>): this {
    this.#rules.use(middleware as Middleware<never>);
    return this;
  }

  on(event: 'connection', handler: (socket: Socket<Incoming, Outgoing, Data>) => void): this {
    this.#rules.on(event, handler as Handler);
    return this;
  }

  get sockets(): ReadonlyMap<string, Socket<Incoming, Outgoing, Data>> {
    // Every member of the namespace is a socket that was made here.
    return this.#rooms.everyone.members as unknown as ReadonlyMap<string, Socket<Incoming, Outgoing, Data>>;
  }

  get rooms(): ReadonlyMap<string, ReadonlySet<string>> {
    return new Map([...this.#rooms].map(([name, room]) => [name, new Set(room.members.keys())]));
  }

  get #all(): Target<Outgoing, Data> {
    return new AudienceTarget(this.audience, wholeNamespace);
  }

  to(...rooms: Names): Target<Outgoing, Data> {
    return this.#all.to(...rooms);
  }

  in(...rooms: Names): Target<Outgoing, Data> {
    return this.#all.to(...rooms);
  }

  except(...rooms: Names): Target<Outgoing, Data> {
    return this.#all.except(...rooms);
  }

  get local(): Target<Outgoing, Data> {
    return this.#all.local;
  }

  get volatile(): Target<Outgoing, Data> {
    return this.#all.volatile;
  }

  timeout(timeoutMs: number): Target<Outgoing, Data> {
    return this.#all.timeout(timeoutMs);
  }

  emit<Name extends EventName<Outgoing>>(event: Name, ...args: EventArgs<Outgoing, Name>): void {
    this.#all.emit(event, ...args);
  }

  idempotencyKey(key: string): Target<Outgoing, Data> {
    return this.#all.idempotencyKey(key);
  }

  emitDurable<Name extends EventName<Outgoing>>(event: Name, ...args: EventArgs<Outgoing, Name>): Promise<void> {
    return this.#all.emitDurable(event, ...args);
  }

  emitWithAck<Name extends EventName<Outgoing>>(
    event: Name,
    ...args: EventArgs<Outgoing, Name>
  ): Promise<Replies<EventReply<Outgoing, Name>>> {
    return this.#all.emitWithAck(event, ...args);
  }

  fetchSockets(): Promise<FetchedSockets<Outgoing, Data>> {
    return this.#all.fetchSockets();
  }

  count(): Promise<Counted> {
    return this.#all.count();
  }

  socketsJoin(...rooms: Names): Promise<Reached> {
    return this.#all.socketsJoin(...rooms);
  }

  socketsLeave(...rooms: Names): Promise<Reached> {
    return this.#all.socketsLeave(...rooms);
  }

  disconnectSockets(session = false): Promise<Reached> {
    return this.#all.disconnectSockets(session);
  }
}
