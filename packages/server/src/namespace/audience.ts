// How a message reaches many: whom a target means, the entry in each room's log, and the replies of all.
import { checkEventName, LocalUsageError, type Packet, PacketType, type Position, type Value } from '@halyard/protocol';
import { compactOf } from '../base/compact-list';
import { Earlier, Places } from '../log/except';
import type { Frames } from '../log/log';
import type { FanOut } from '../room/fan-out';
import { isAmong, type Named, type Room } from '../room/room';
import type { Rooms } from '../room/rooms';
import type { Subscriber } from '../room/subscriber';
import type { Presence } from '../session/presence';
import type { QueuedTurn } from '../store/queued-turn';
import type { Bodies } from '../store/store';
import type { DirectTurn } from '../store/turn';
import type { TargetSpec } from './target-spec';

export interface AudienceContext {
  readonly turn: DirectTurn | QueuedTurn;
  readonly fanOut: FanOut;
  /** Encodes once per codec that some session uses. */
  encode(packet: Packet): Frames;
  /** Encodes once per codec, for all nodes. */
  encodeForAll(packet: Packet): Bodies;
}

/** What came back from many: a reply for each socket that answered, and the ids of those that did not. */
export interface Replies<Reply> {
  readonly replies: Reply[];
  readonly missing: string[];
}

export class Audience {
  readonly #namespace: string;
  readonly #rooms: Rooms;
  readonly #context: AudienceContext;

  constructor(namespace: string, rooms: Rooms, context: AudienceContext) {
    this.#namespace = namespace;
    this.#rooms = rooms;
    this.#context = context;
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
    if (spec.volatile) {
      const frames = this.#context.encode({ type: PacketType.Volatile, namespace: this.#namespace, event, args });
      for (const { line } of this.select(spec)) line.forwardVolatile(frames);
      return;
    }
    const { turn } = this.#context;
    if (turn.isShared) {
      this.#publishToAll(turn, spec, event, args);
      return;
    }
    const { rooms, direct } = this.#rooms.resolve(spec.rooms);
    if (direct.length > 0) this.#send(turn, rooms, direct, spec.except, event, args);
    else if (rooms.length > 0) this.#append(turn, rooms, spec.except, event, args);
  }

  /** Sends an event to each socket of a target and gathers the replies. */
  request(spec: TargetSpec, event: string, args: readonly Value[]): Promise<Replies<unknown>> {
    return new Promise((resolve) => {
      checkEventName(event);
      const replies: unknown[] = [];
      const missing: string[] = [];
      const sockets = this.select(spec);
      let waiting = sockets.length;
      if (waiting === 0) resolve({ replies, missing });
      for (const { id, line } of sockets) {
        const settle = (error: unknown, value: unknown): void => {
          if (error === undefined) replies.push(value);
          else missing.push(id);
          if (--waiting === 0) resolve({ replies, missing });
        };
        try {
          line.sendRequest(this.#namespace, event, args, spec.timeoutMs, settle);
        } catch (error) {
          // One that is over, or owes too many replies, is missing; what no codec carries is nobody's to answer.
          if (!(error instanceof LocalUsageError) || error.code === 'ERR_NOT_ENCODABLE') throw error;
          settle(error, undefined);
        }
      }
    });
  }

  /** Members may be on any node, and sockets that are away nowhere: it is appended to the log of every room that is meant. */
  #publishToAll(turn: QueuedTurn, { rooms, except }: TargetSpec, event: string, args: readonly Value[]): void {
    const { direct } = this.#rooms.resolve(rooms);
    const ids = new Set(direct.map(({ id }) => id));
    const names = rooms === undefined ? [''] : [...new Set(rooms)].filter((name) => !ids.has(name));
    if (names.length > 0) {
      const packet = { type: PacketType.Publish, namespace: this.#namespace, positions: [], event, args } as const;
      const bodies = this.#context.encodeForAll(packet);
      turn.publish({ logs: names.map((name) => this.#rooms.logOf(name)), except, bodies });
    }
    this.#sendTo(this.#rooms.resolve(names).rooms, direct, except, event, args);
  }

  /** To sockets by their ids, and to rooms. */
  #send(
    turn: DirectTurn,
    rooms: readonly Room[],
    direct: readonly Subscriber[],
    exceptNames: readonly string[],
    event: string,
    args: readonly Value[],
  ): void {
    if (rooms.length > 0) this.#append(turn, rooms, exceptNames, event, args);
    this.#sendTo(rooms, direct, exceptNames, event, args);
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
        socket.line.sendEvent(this.#namespace, event, args);
      }
    }
  }

  /** Who appends does not deliver: the rooms do that, as their logs have a new entry. */
  #append(
    turn: DirectTurn,
    rooms: readonly Room[],
    exceptNames: readonly string[],
    event: string,
    args: readonly Value[],
  ): void {
    const except = compactOf(exceptNames);
    const [first] = rooms as [Room];
    if (rooms.length === 1) {
      this.#context.fanOut.flush();
      const frames = this.#encode(first, event, args);
      turn.append(first.log, turn.stamps.next(), except, frames);
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

  #encode({ log }: Room, event: string, args: readonly Value[]): Frames {
    const positions: Position[] = [[log.id, log.nextOffset]];
    return this.#context.encode({ type: PacketType.Publish, namespace: this.#namespace, positions, event, args });
  }
}

/** Whose client has left is sent nothing any more. */
function isMeant(socket: Subscriber, except: Named): boolean {
  return !socket.isLeaving && !isAmong(socket, except);
}
