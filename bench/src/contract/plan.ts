// What a workload asks of both sides: how many peers, in which rooms, with which payload.

export type Payload = string | Uint8Array;

/** What a workload asks of both sides. */
export interface Plan {
  readonly connections: number;
  readonly payloadBytes: number;
  readonly binary: boolean;
  /** Rooms `room-0` … the peer number i joins `room-(i mod rooms)` and the ones after it. */
  readonly rooms: number;
  readonly roomsPerPeer: number;
  readonly polling: boolean;
  /** Server-sent events, in place of WebSockets. */
  readonly sse: boolean;
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
  sse: false,
  heartbeatMs: undefined,
};

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
