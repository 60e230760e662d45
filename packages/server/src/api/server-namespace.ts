// What `Namespace` says, done: its rooms, its audience and its admission, put together.
import type { AnyContract } from '@halyard/contract';
import { answerMissing } from '@halyard/protocol';
import type { BacklogLimits } from '../base/backlog';
import type { Tell } from '../base/happenings';
import type { Meters } from '../base/meters';
import type { Platform } from '../base/platform';
import { Admission } from '../namespace/admission';
import { Audience, type AudienceContext } from '../namespace/audience';
import type { AnyGuard } from '../namespace/gates';
import type { Handler } from '../namespace/handlers';
import { Counted, type Running } from '../namespace/handling';
import type { Middleware, ResumeCheck } from '../namespace/middleware';
import type { Registered } from '../namespace/registry';
import { Renewals } from '../namespace/renewals';
import { checkedEvent, type RoomEvents, WatchedRooms } from '../namespace/room-events';
import type { Rules } from '../namespace/rules';
import { wholeNamespace } from '../namespace/target-spec';
import type { FanOut } from '../room/fan-out';
import { Rooms, type RoomsContext, type SlowReaders } from '../room/rooms';
import { RoomsView } from '../room/rooms-view';
import type { Entrant } from '../session/context';
import type { Handshake } from '../session/handshake';
import type { LeftRecord, PresenceRecord } from '../session/record';
import type { SessionKeys } from '../session/session-keys';
import { EndedSpans } from '../session/spans';
import { namespaceHabits, socketsHabits } from './habits';
import type { Namespace } from './namespace';
import { ServerSocket, type SocketContext } from './server-socket';
import type { Socket } from './socket';
import { AudienceTarget, type Target } from './target';
import { WholeTarget } from './whole-target';

/** What namespaces need of the server. */
export interface NamespaceContext extends RoomsContext, AudienceContext, BacklogLimits {
  readonly platform: Platform;
  readonly running: Running;
  readonly meters: Meters;
  readonly tell: Tell;
  readonly fanOut: FanOut;
  readonly sessionKeys: SessionKeys | undefined;
  /** @param session id of its session */
  newSocketId(session: string): string;
  /** Something in user code failed. */
  report(error: unknown, where: string): void;
  unhandled: SocketContext['unhandled'];
  refused: SocketContext['refused'];
  readonly validateEmits: boolean;
  /** The namespace has nobody in it any more. */
  emptied(name: string): void;
  /** The app has said something of a namespace that is to hold for whoever comes. */
  keep(name: string): void;
}

/** What the Map of its sockets is of, besides. */
const socketsPrototype: object = Object.create(Map.prototype);

export class ServerNamespace<Incoming, Outgoing, Data>
  extends WholeTarget<Outgoing, Data>
  implements Namespace<Incoming, Outgoing, Data>, Registered
{
  readonly name: string;
  readonly #rules: Rules;
  readonly #rooms: Rooms;
  /** Whom targets of it mean here. */
  readonly audience: Audience;
  readonly #admission: Admission;
  readonly #keep: () => void;

  constructor(name: string, rules: Rules, context: NamespaceContext) {
    super();
    this.name = name;
    this.#rules = rules;
    this.#keep = () => context.keep(name);
    const report = (error: unknown, where: string): void => context.report(error, `${where} in namespace ${name}`);
    this.#rooms = new Rooms(name, context, new WatchedRooms(rules, context.platform, report));
    Object.setPrototypeOf(this.#rooms.everyone.members, socketsPrototype);
    rules.gates.serve(context.validateEmits, report);
    this.audience = new Audience(name, this.#rooms, context, rules.gates);
    const removed = (): void => {
      if (this.#admission.isIdle && this.#rooms.everyone.members.size === 0) context.emptied(name);
    };
    const decisions = { report, wall: () => context.platform.wall() };
    const { waitingPacketsMax, waitingBytesMax } = context;
    const sockets: SocketContext = {
      renewals: new Renewals(rules, decisions),
      resumeChecks: rules.resumeChecks,
      rooms: this.#rooms,
      audience: this.audience,
      ...{ platform: context.platform, waitingPacketsMax, waitingBytesMax },
      ...{ running: context.running, counted: new Counted(context.running) },
      ...{ meters: context.meters, tell: context.tell },
      reportAside: (error) => report(error, 'a handler of onAny, or one beside that which replies'),
      report,
      gates: rules.gates,
      unhandled: context.unhandled,
      warn: context.warn,
      refused: context.refused,
      removed,
    };
    this.#admission = new Admission(rules, {
      ...{ meters: context.meters, running: context.running },
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
      sessionKeys: context.sessionKeys,
      ...decisions,
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

  reopen(rules: Rules): void {
    this.#rules.become(rules);
    this.#rooms.reopen();
  }

  revive(entrant: Entrant, handshake: Handshake, record: PresenceRecord): () => void {
    return this.#admission.revive(entrant, handshake, record);
  }

  /** Those that the app gives to this one alone. */
  get #ownRules(): Rules {
    this.#keep();
    return this.#rules;
  }

  use(middleware: Middleware<Data>): this {
    this.#ownRules.use(middleware as Middleware<never>);
    return this;
  }

  renew(middleware: Middleware<Data>): this {
    this.#ownRules.renew(middleware as Middleware<never>);
    return this;
  }

  onResume(check: ResumeCheck<Socket<Incoming, Outgoing, Data>>): this {
    this.#ownRules.onResume(check as ResumeCheck<never>);
    return this;
  }

  guard(events: string | readonly string[], guard: AnyGuard): this {
    this.#ownRules.gates.guard(events, guard);
    return this;
  }

  /** @throws LocalUsageError `ERR_OPTION` */
  setContract(contract: AnyContract): void {
    this.#ownRules.gates.setContract(contract);
  }

  slowReaders(mode: SlowReaders): this {
    this.#ownRules.setSlowReaders(mode);
    return this;
  }

  on(event: 'connection', handler: (socket: Socket<Incoming, Outgoing, Data>) => unknown): this;
  on<Name extends keyof RoomEvents>(event: Name, handler: RoomEvents[Name]): this;
  on(event: 'connection' | keyof RoomEvents, handler: Handler): this {
    this.#ownRules.on(checkedEvent(event), handler);
    return this;
  }

  get sockets(): ReadonlyMap<string, Socket<Incoming, Outgoing, Data>> {
    // Every member of the namespace is a socket that was made here.
    return this.#rooms.everyone.members as unknown as ReadonlyMap<string, Socket<Incoming, Outgoing, Data>>;
  }

  get rooms(): ReadonlyMap<string, ReadonlySet<string>> {
    return new RoomsView(this.#rooms);
  }

  /** How many members each room has. */
  *roomSizes(): Generator<readonly [room: string, members: number]> {
    for (const [name, { members }] of this.#rooms) yield [name, members.size];
  }

  get roomCount(): number {
    return this.#rooms.size;
  }

  protected get all(): Target<Outgoing, Data> {
    return new AudienceTarget(this.audience, wholeNamespace);
  }
}

answerMissing(ServerNamespace.prototype, 'namespace', namespaceHabits);
answerMissing(socketsPrototype, 'io.sockets', socketsHabits);
