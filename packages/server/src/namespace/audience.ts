// How a message reaches many: whom a target means, the entry in each room's log, and the replies of all. Longer than other files: alone
// and with others it goes different ways, which are to be seen side by side.
import type { Codec } from '@halyard/codec';
import {
  checkEventName,
  type Frame,
  LocalUsageError,
  type Packet,
  PacketType,
  type Position,
  type Value,
} from '@halyard/protocol';
import { compactOf } from '../base/compact-list';
import { Earlier, Latest, Places } from '../log/except';
import type { Frames } from '../log/frames';
import type { FanOut } from '../room/fan-out';
import { isAmong, type Named, type Room } from '../room/room';
import type { Rooms } from '../room/rooms';
import type { Subscriber } from '../room/subscriber';
import { encodeLetter, encodePlace } from '../session/letter';
import type { Owner, Presence } from '../session/presence';
import { sessionIn } from '../session/socket-id';
import type { QueuedTurn } from '../store/queued-turn';
import type { Bodies } from '../store/store';
import type { DirectTurn } from '../store/turn';
import { type Action, type ClusterRequests, perform } from './cluster-requests';
import type { Gates } from './gates';
import type { UsableSocket } from './socket-facts';
import type { LocalTargets, TargetSpec } from './target-spec';
import type { VolatileTargets } from './volatile-targets';

export interface AudienceContext {
  readonly turn: DirectTurn | QueuedTurn;
  readonly fanOut: Pick<FanOut, 'flush'>;
  /** Encodes once per codec that some session uses. */
  encode(packet: Packet): Frames;
  /** Of records, and of what is sent to one session of another node. */
  readonly codec: Codec;
  /** Encodes once per codec, for all nodes. */
  encodeForAll(packet: Packet): Bodies;
  /** Other servers, where the store is shared. */
  readonly elsewhere: Elsewhere | undefined;
}

/** No codec makes more than eight times as many bytes of what another one has: this is never too large to be sent. */
const smallLetterBytes = 8_192;

/** Codes of what is wrong with an event, and not with who is to get it. */
const unsendable: readonly string[] = ['ERR_NOT_ENCODABLE', 'ERR_FRAME_TOO_BIG'];

/** Where there is no contract. */
const noGates: Pick<Gates, 'checkSent' | 'settling'> = { checkSent() {}, settling: (_event, settle) => settle };

/** What of a target is on other servers. */
export interface Elsewhere {
  readonly requests: ClusterRequests;
  readonly volatile: Pick<VolatileTargets, 'publish'>;
}

/** What the rooms of a namespace are on this server. */
export type RoomNames = Pick<Rooms, 'resolve' | 'logOf' | 'slowReaders'>;

/** What came back from many: a reply of each that answered, and the ids of those that did not. */
export interface Replies<Reply> {
  readonly replies: Reply[];
  /** Ids of sockets; of a server that has not answered, whose sockets nobody knows, its own. */
  readonly missing: string[];
}

export class Audience implements LocalTargets {
  readonly namespace: string;
  readonly #rooms: RoomNames;
  readonly #context: AudienceContext;
  readonly #gates: Pick<Gates, 'checkSent' | 'settling'>;

  constructor(
    namespace: string,
    rooms: RoomNames,
    context: AudienceContext,
    gates: Pick<Gates, 'checkSent' | 'settling'> = noGates,
  ) {
    this.namespace = namespace;
    this.#rooms = rooms;
    this.#context = context;
    this.#gates = gates;
  }

  /** The sockets a target means, each once. */
  select(spec: TargetSpec): Presence[] {
    const selected = new Set<Subscriber>();
    const { rooms, direct } = this.#rooms.resolve(spec.rooms);
    const except = this.#rooms.resolve(spec.except);
    for (const room of rooms) {
      for (const socket of room.members.values()) if (isMeant(socket, except)) selected.add(socket);
    }
    for (const socket of direct) if (isMeant(socket, except)) selected.add(socket);
    // Nothing else becomes a member of a room.
    return [...selected] as Presence[];
  }

  /** Sends an event to a target. @throws LocalUsageError as `Target.emit` says */
  publish(spec: TargetSpec, event: string, args: readonly Value[]): void {
    checkEventName(event);
    this.#gates.checkSent(event, args);
    const { key } = spec;
    if (key !== undefined && (spec.volatile || spec.isLocal)) {
      throw new LocalUsageError('ERR_OPTION', `What is ${spec.volatile ? 'volatile' : 'local'} has no idempotencyKey`);
    }
    if (spec.volatile) {
      const packet = { type: PacketType.Volatile, namespace: this.namespace, event, args } as const;
      const isSpread = this.isSpread(spec);
      // Other servers may have sessions of any codec.
      const frames = isSpread ? this.#context.encodeForAll(packet).map(asBytes) : this.#context.encode(packet);
      for (const { line } of this.select(spec)) line.forwardVolatile(frames);
      if (isSpread) this.#context.elsewhere?.volatile.publish(this.namespace, spec, frames);
      return;
    }
    if (spec.isLocal && this.#context.elsewhere !== undefined) {
      this.#sendEach(spec, event, args);
      return;
    }
    const { turn } = this.#context;
    if (turn.isShared) {
      this.#publishToAll(turn, spec, event, args);
      return;
    }
    const names = key === undefined ? spec.rooms : this.#fresh(turn, spec.rooms, key);
    const { rooms, direct } = this.#rooms.resolve(names);
    if (rooms.length === 0 && direct.length === 0) this.#check(event, args);
    if (rooms.length > 0) this.#append(turn, rooms, spec, event, args);
    this.#sendTo(rooms, direct, spec.except, event, args);
  }

  /** @returns where nothing was published under a key before */
  #fresh(turn: DirectTurn, rooms: readonly string[] | undefined, key: string): readonly string[] | undefined {
    const isFresh = (name: string): boolean => turn.isFresh(this.#rooms.logOf(name), key);
    return rooms === undefined ? (isFresh('') ? undefined : []) : rooms.filter(isFresh);
  }

  /**
   * Sends an event to a target.
   * @returns once it is stored; with a store of its own that is at once. Rejects as `Target.emitDurable` says
   */
  async publishDurably(spec: TargetSpec, event: string, args: readonly Value[]): Promise<void> {
    if (spec.volatile)
      throw new LocalUsageError('ERR_OPTION', 'What is volatile is not stored: emitDurable without volatile');
    this.publish(spec, event, args);
    const { turn } = this.#context;
    if (!turn.isShared) return;
    const { timeoutMs } = spec;
    const sockets = spec.key === undefined ? this.#rooms.resolve(spec.rooms).direct : [];
    const lost = sockets.map(async ({ id, line }) => ((await (line as Owner).confirmed()) ? undefined : id));
    await turn.stored(timeoutMs);
    // Another server had it by then.
    const ids = (await Promise.all(lost)).filter((id) => id !== undefined);
    if (ids.length > 0) await this.publishDurably({ ...spec, rooms: ids }, event, args);
  }

  /** Whether other servers may have sockets of a target. */
  isSpread({ rooms, isLocal }: TargetSpec): boolean {
    return this.#context.elsewhere !== undefined && !isLocal && rooms?.length !== 0;
  }

  /** The other servers, if they may have sockets of a target. */
  elsewhere(spec: TargetSpec): ClusterRequests | undefined {
    return this.isSpread(spec) ? this.#context.elsewhere?.requests : undefined;
  }

  /** Does something with the sockets of a target, here and on other servers. What fails there is reported. */
  act(spec: TargetSpec, action: Action): void {
    for (const socket of this.select(spec) as unknown as UsableSocket[]) perform(socket, action);
    void this.elsewhere(spec)?.act(this.namespace, spec, action);
  }

  /** A socket that is not here joins or leaves rooms, wherever it is, or on its way: in its place among what is emitted to it. */
  place(socket: string, isIn: boolean, rooms: readonly string[]): void {
    const { codec } = this.#context;
    const letter = encodePlace({ socket, namespace: this.namespace, isIn, rooms }, codec);
    (this.#context.turn as QueuedTurn).post(sessionIn(socket) as string, letter);
  }

  /** Sends an event to each socket of a target and gathers the replies. */
  async request(spec: TargetSpec, event: string, args: readonly Value[]): Promise<Replies<unknown>> {
    this.#gates.checkSent(event, args);
    const elsewhere = this.elsewhere(spec);
    if (elsewhere !== undefined) return this.#requestAll(elsewhere, spec, event, args);
    const replies: unknown[] = [];
    return this.gather(spec, event, args, (_id, value) => replies.push(value)).then((missing) => ({
      replies,
      missing,
    }));
  }

  /** The same with the sockets that are here, as `LocalTargets` says. */
  gather(
    spec: TargetSpec,
    event: string,
    args: readonly Value[],
    answered: (id: string, value: unknown) => void,
  ): Promise<string[]> {
    return new Promise((resolve) => {
      checkEventName(event);
      const missing: string[] = [];
      const sockets = this.select(spec);
      let waiting = sockets.length;
      if (waiting === 0) {
        this.#check(event, args);
        resolve(missing);
      }
      for (const { id, line } of sockets) {
        const settle = (error: unknown, value: unknown): void => {
          if (error === undefined) answered(id, value);
          else missing.push(id);
          if (--waiting === 0) resolve(missing);
        };
        try {
          line.sendRequest(this.namespace, event, args, spec.timeoutMs, this.#gates.settling(event, settle));
        } catch (error) {
          // One that is over, or owes too many replies, is missing; what cannot be sent is nobody's to answer.
          if (!(error instanceof LocalUsageError) || unsendable.includes(error.code)) throw error;
          settle(error, undefined);
        }
      }
    });
  }

  /** Members may be on any node, and sockets that are away nowhere: it is appended to the log of every room that is meant. */
  #publishToAll(turn: QueuedTurn, spec: TargetSpec, event: string, args: readonly Value[]): void {
    const { rooms, except, key } = spec;
    const [only = ''] = rooms ?? [];
    if ((rooms === undefined || rooms.length === 1) && sessionIn(only) === undefined) {
      // Mostly it is one room, and no socket has its name.
      const [logs, bodies] = [[this.#rooms.logOf(only)], this.#bodiesOf(event, args)];
      turn.publish({ logs, except, bodies, key, latest: this.#latestKey(spec, event) });
      return;
    }
    // Under a key what is for one socket is stored like a letter, wherever the socket is.
    const direct = key === undefined ? this.#rooms.resolve(rooms).direct : [];
    const ids = new Set(direct.map(({ id }) => id));
    const others = rooms === undefined ? [''] : [...new Set(rooms)].filter((name) => !ids.has(name));
    const names = others.filter((name) => sessionIn(name) === undefined);
    const { namespace } = this;
    const { codec } = this.#context;
    const elsewhere = others
      .filter((name) => sessionIn(name) !== undefined && !except.includes(name))
      .map((socket) => ({
        to: sessionIn(socket) as string,
        body: encodeLetter({ socket, namespace, event, args, rooms: names, except }, codec),
      }));
    // Over there it is too late to say that it is too large, in whatever codec the client has.
    if (elsewhere.some(({ body }) => body.length > smallLetterBytes)) {
      this.#context.encodeForAll({ type: PacketType.Event, namespace, event, args, ack: undefined });
    }
    if (names.length > 0) {
      const bodies = this.#bodiesOf(event, args);
      turn.publish({ logs: names.map((name) => this.#rooms.logOf(name)), except, bodies, key });
    }
    for (const { to, body } of elsewhere) turn.post(to, body, key);
    this.#sendTo(this.#rooms.resolve(names).rooms, direct, except, event, args);
  }

  /** What cannot be sent is said also where nobody is left to get it. @throws as `publish` */
  check(event: string, args: readonly Value[]): void {
    this.#bodiesOf(event, args);
  }

  #bodiesOf(event: string, args: readonly Value[]): Bodies {
    const { namespace } = this;
    return this.#context.encodeForAll({ type: PacketType.Publish, namespace, positions: [], event, args });
  }

  /** The same with those of other servers. One that two servers list counts once, and has answered if it has one of them. */
  async #requestAll(
    elsewhere: ClusterRequests,
    spec: TargetSpec,
    event: string,
    args: readonly Value[],
  ): Promise<Replies<unknown>> {
    checkEventName(event);
    // What is not to be encoded throws here, before anybody gets it.
    const encoded = elsewhere.encodeEvent(event, args);
    const replies = new Map<string, unknown>();
    const answered = (id: string, value: unknown): void => {
      if (!replies.has(id)) replies.set(id, value);
    };
    const [missing, others] = await Promise.all([
      this.gather(spec, event, args, answered),
      elsewhere.replies(this.namespace, spec, encoded),
    ]);
    for (const [id, value] of others.answers) answered(id, value);
    const silent = new Set([...missing, ...others.missing]);
    return { replies: [...replies.values()], missing: [...silent].filter((id) => !replies.has(id)) };
  }

  /** To the sockets that are here, and to no others: what is in a room's log is for the members on all servers. */
  #sendEach(spec: TargetSpec, event: string, args: readonly Value[]): void {
    this.#check(event, args);
    for (const { line } of this.select(spec)) line.sendEvent(this.namespace, event, args);
  }

  /** What no codec carries throws here: before anybody gets it, and if there is nobody. */
  #check(event: string, args: readonly Value[]): void {
    this.#context.encode({ type: PacketType.Event, namespace: this.namespace, event, args, ack: undefined });
  }

  /** To sockets that are not in these rooms. */
  #sendTo(
    rooms: readonly Room[],
    direct: readonly Subscriber[],
    exceptNames: readonly string[],
    event: string,
    args: readonly Value[],
  ): void {
    if (direct.length === 0) return;
    const except = this.#rooms.resolve(exceptNames);
    for (const socket of direct as readonly Presence[]) {
      if (isMeant(socket, except) && !rooms.some((room) => room.members.has(socket.id))) {
        socket.line.sendEvent(this.namespace, event, args);
      }
    }
  }

  /** Who appends does not deliver: the rooms do that, as their logs have a new entry. */
  #append(turn: DirectTurn, rooms: readonly Room[], spec: TargetSpec, event: string, args: readonly Value[]): void {
    const except = compactOf(spec.except);
    const [first] = rooms as [Room];
    if (rooms.length === 1) {
      this.#context.fanOut.flush();
      const frames = this.#encode(first, event, args);
      const key = this.#latestKey(spec, event);
      turn.append(first.log, turn.stamps.next(), key === undefined ? except : new Latest(key), frames);
      return;
    }
    // What no codec carries throws here, before anybody gets it.
    const frames = rooms.map((room) => this.#encode(room, event, args));
    const stamp = turn.stamps.next();
    const places = new Places(rooms.map(({ log }) => [log.id, log.nextOffset]));
    for (const [i, { log }] of rooms.entries()) {
      turn.append(log, stamp, new Earlier(except, places, i), frames[i] as Frames);
    }
  }

  /** @returns what it has in common with messages whose place it takes; undefined if it takes none's */
  #latestKey({ rooms, latest, except }: TargetSpec, event: string): string | undefined {
    const key = latest ?? (this.#rooms.slowReaders === 'latest' ? '' : undefined);
    const isForAll = except.length === 0 && (rooms === undefined || rooms.length === 1);
    // A name may hold anything.
    return key !== undefined && isForAll ? `${event.length} ${event}${key}` : undefined;
  }

  #encode({ log }: Room, event: string, args: readonly Value[]): Frames {
    const positions: Position[] = [[log.id, log.nextOffset]];
    return this.#context.encode({ type: PacketType.Publish, namespace: this.namespace, positions, event, args });
  }
}

function asBytes(frame: Frame | undefined): Uint8Array | undefined {
  return typeof frame === 'string' ? Buffer.from(frame) : frame;
}

/** Whose client has left is sent nothing any more. */
function isMeant(socket: Subscriber, except: Named): boolean {
  return !socket.isLeaving && !isAmong(socket, except);
}
