// What a subject and a workload are. Adding one of either is one small file that satisfies this one, and a line in
// registry.ts. Libraries under measurement are imported inside `start` only: naming a subject loads nothing.
import type { Stage } from '../testbed/testbed';

export type Payload = string | Uint8Array;

/** How the load generator talks to a subject. */
export type DialectName =
  | 'raw'
  | 'socketio'
  | 'halyard-json'
  | 'halyard-msgpack'
  | 'halyard-protobuf'
  | 'socketio-polling'
  | 'halyard-polling';

/** What a workload asks of both sides. */
export interface Plan {
  readonly connections: number;
  readonly payloadBytes: number;
  readonly binary: boolean;
  /** Rooms `room-0` … the peer number i joins `room-(i mod rooms)` and the ones after it. */
  readonly rooms: number;
  readonly roomsPerPeer: number;
  readonly polling: boolean;
  /** Silence after which a server sends a heartbeat, in milliseconds; undefined leaves every subject its default. */
  readonly heartbeatMs: number | undefined;
}

export const defaultPlan: Plan = {
  connections: 200,
  payloadBytes: 64,
  binary: false,
  rooms: 0,
  roomsPerPeer: 1,
  polling: false,
  heartbeatMs: undefined,
};

/** What a subject counts while it runs. */
export interface Tally {
  /** Events handled. */
  handled: number;
}

/**
 * A subject's server. It MUST handle three events: `echo(payload)` answers with the payload, `join(room)` joins and
 * answers with `true`, `say(room, payload)` sends `message(payload)` to the room without the sender and answers nothing.
 */
export interface Running {
  readonly port: number;
  /** Sends `message(payload)` once to each socket in any of `rooms`, or to every socket. */
  emit(rooms: readonly string[] | undefined, payload: Payload): void;
}

export interface Subject {
  readonly name: string;
  readonly title: string;
  readonly dialect: DialectName;
  /** The dialect for plans with `polling`, if the subject has that transport. */
  readonly pollingDialect?: DialectName;
  /** @param tally the subject adds to it as it works */
  start(plan: Plan, tally: Tally): Promise<Running>;
}

/** One measured window: `value` is what ratios are taken of, the rest explains it. */
export interface Sample {
  readonly value: number;
  /** How many messages, deliveries or sessions the value is the mean of. */
  readonly units?: number;
  readonly details: Readonly<Record<string, number>>;
}

/** A workload that a server and its load run together. */
export interface ServedWorkload {
  readonly kind: 'served';
  readonly name: string;
  readonly title: string;
  /** Of `value`. */
  readonly unit: string;
  /** The first is what the others are compared with. */
  readonly subjects: readonly string[];
  readonly plan: Plan;
  /** Whether each window needs new processes. */
  readonly fresh: boolean;
  /** Whether a window may be cut into slices. Not with `fresh`, and not where a window has a start that costs. */
  readonly sliced: boolean;
  /** Whether `measure` opens the connections, not the stage. */
  readonly connectsItself: boolean;
  measure(stage: Stage, windowMs: number): Promise<Sample>;
}

/** A workload without a network: one process measures all its subjects, in turn. */
export interface LocalWorkload {
  readonly kind: 'local';
  readonly name: string;
  readonly title: string;
  readonly unit: string;
  readonly subjects: readonly string[];
  /** Runs in a child process. @returns the value of one window for a subject */
  measure(subject: string, windowMs: number): Promise<number>;
}

export type Workload = ServedWorkload | LocalWorkload;

export function roomName(index: number): string {
  return `room-${index}`;
}

/** The rooms of the peer with this index. */
export function roomsOf(plan: Plan, index: number): string[] {
  const rooms: string[] = [];
  for (let i = 0; i < plan.roomsPerPeer && plan.rooms > 0; i++) rooms.push(roomName((index + i) % plan.rooms));
  return rooms;
}

/** How many sockets an emit to any of `rooms` reaches. */
export function audience(plan: Plan, rooms: readonly string[] | undefined): number {
  if (rooms === undefined) return plan.connections;
  const wanted = new Set(rooms);
  let members = 0;
  for (let i = 0; i < plan.connections; i++) if (roomsOf(plan, i).some((room) => wanted.has(room))) members++;
  return members;
}

/** The same bytes in every run. */
export function payloadOf(plan: Plan): Payload {
  const bytes = new Uint8Array(plan.payloadBytes);
  for (let i = 0; i < bytes.length; i++) bytes[i] = plan.binary ? (i * 37) & 255 : 97 + ((i * 7) % 26);
  return plan.binary ? bytes : new TextDecoder().decode(bytes);
}
