// Packets of protocol v1 (docs/PROTOCOL.md §4): what they are, not how they are encoded.
import type { SessionSettings } from './limits';
import type { Value } from './value';

export const PacketType = {
  Hello: 0,
  Welcome: 1,
  Event: 2,
  Ack: 3,
  Error: 4,
  Publish: 5,
  Volatile: 6,
  Sack: 7,
  Ping: 8,
  Pong: 9,
  Connect: 10,
  Connected: 11,
  Refused: 12,
  Disconnect: 13,
  Reset: 14,
  Renew: 15,
  Drain: 64,
} as const;
export type PacketType = (typeof PacketType)[keyof typeof PacketType];

/** A namespace a client wants to be connected to, with what it presents there. */
export interface NamespaceRequest {
  readonly namespace: string;
  readonly auth: Value | undefined;
}

/** What a client that had a session says in HELLO to go on with it. */
export interface ResumeRequest {
  readonly session: string;
  readonly secret: string;
  /** How many counted packets of the server the client has handled. */
  readonly received: number;
  /** How many of its own counted packets it knows confirmed: the next one it sends is number `confirmed + 1`. */
  readonly confirmed: number;
  /** How far it has read each log. */
  readonly positions: readonly Position[];
  /** Numbers above `confirmed` that it knows handled too: it does not send them again. */
  readonly settled?: NumberRanges | undefined;
}

export type Position = readonly [log: string, offset: number];

/** First and last number of one range after another, ascending, with a gap between two: `[5, 5, 8, 20]`. */
export type NumberRanges = readonly number[];

/** An encoded packet: text for codecs that write text, bytes for the others. */
export type Frame = string | Uint8Array;

export interface HelloPacket {
  readonly type: typeof PacketType.Hello;
  readonly namespaces: readonly NamespaceRequest[];
  /** Name and version of the client's software, such as `halyard-js/0.1.0`. */
  readonly client: string;
  readonly resume: ResumeRequest | undefined;
  /**
   * Chosen by a client that has no session yet, the same until it is told one; empty if it has one. A server that made
   * a session for this token, whose WELCOME was lost, goes on with that session.
   */
  readonly token: string;
  /**
   * Counts the connections of this client from 1, so that a HELLO that was overtaken on the way takes the session from
   * no later one; 0 if the client does not count.
   */
  readonly generation: number;
  /**
   * How many of its counted packets left on earlier connections; 0 if the client does not count. If there is no session
   * any more nobody knows whether they were handled: the answer is a refused resume.
   */
  readonly left: number;
}
export interface WelcomePacket {
  readonly type: typeof PacketType.Welcome;
  readonly session: string;
  readonly secret: string;
  readonly settings: SessionSettings;
  /** How many counted packets of the client the server has handled. */
  readonly received: number;
  /** Whether this is the session the client asked to resume, whole. */
  readonly recovered: boolean;
  /** Why it was not resumed; empty otherwise. */
  readonly reason: string;
  /** Numbers above `received` that it has handled too. */
  readonly settled?: NumberRanges | undefined;
}
export interface EventPacket {
  readonly type: typeof PacketType.Event;
  readonly namespace: string;
  readonly event: string;
  readonly args: readonly Value[];
  /** Number of the acknowledgement the sender waits for. */
  readonly ack: number | undefined;
}
export interface AckPacket {
  readonly type: typeof PacketType.Ack;
  readonly ack: number;
  readonly value: Value | undefined;
}
export interface ErrorPacket {
  readonly type: typeof PacketType.Error;
  readonly ack: number;
  readonly code: string;
  readonly message: string;
  readonly data: Value | undefined;
}
export interface PublishPacket {
  readonly type: typeof PacketType.Publish;
  readonly namespace: string;
  readonly positions: readonly Position[];
  readonly event: string;
  readonly args: readonly Value[];
}
export interface VolatilePacket {
  readonly type: typeof PacketType.Volatile;
  readonly namespace: string;
  readonly event: string;
  readonly args: readonly Value[];
}
export interface SackPacket {
  readonly type: typeof PacketType.Sack;
  readonly received: number;
  /** Numbers above `received` that were handled too. */
  readonly settled?: NumberRanges | undefined;
}
export interface HeartbeatPacket {
  readonly type: typeof PacketType.Ping | typeof PacketType.Pong;
  /** As in SACK; a peer that does not count leaves it out. */
  readonly received: number | undefined;
  /** As in SACK. */
  readonly settled?: NumberRanges | undefined;
}
export interface ConnectPacket {
  readonly type: typeof PacketType.Connect;
  readonly namespace: string;
  readonly auth: Value | undefined;
}
export interface ConnectedPacket {
  readonly type: typeof PacketType.Connected;
  readonly namespace: string;
  readonly id: string;
  /**
   * For how long what was presented lasts, in milliseconds: in that time the client is to present something else. Undefined: it
   * does not end, or nothing else is taken.
   */
  readonly renewMs?: number | undefined;
}
export interface RefusedPacket {
  readonly type: typeof PacketType.Refused;
  readonly namespace: string;
  readonly code: string;
  readonly message: string;
  readonly data: Value | undefined;
}
export interface DisconnectPacket {
  readonly type: typeof PacketType.Disconnect;
  readonly namespace: string;
  readonly reason: string;
}
export interface ResetPacket {
  readonly type: typeof PacketType.Reset;
}

/** What a client presents to a namespace that it is in, before what it has presented ends. */
export interface RenewPacket {
  readonly type: typeof PacketType.Renew;
  readonly namespace: string;
  readonly auth: Value | undefined;
  /** As of EVENT. The value of its ACK is the next `renewMs`. */
  readonly ack: number;
}

/** The server is about to go, and others that share its store go on. A hint: a client may ignore it, and is closed with 1012 then. */
export interface DrainPacket {
  readonly type: typeof PacketType.Drain;
  /** The client is to leave in so many milliseconds, and to resume at another server. */
  readonly afterMs: number;
  /** Origin of that one, such as `https://other.example`; empty: where the client would connect anyway. */
  readonly url: string;
}

/** Packets that both ends count (docs/PROTOCOL.md §5). */
export type CountedPacket =
  | EventPacket
  | AckPacket
  | ErrorPacket
  | ConnectPacket
  | ConnectedPacket
  | RefusedPacket
  | DisconnectPacket
  | RenewPacket;

export type ControlPacket = SackPacket | HeartbeatPacket;

/** Packets that open a connection; they never reach a session machine. */
export type OpeningPacket = HelloPacket | WelcomePacket | ResetPacket;

/** Packets that belong to a session. */
export type SessionPacket = CountedPacket | ControlPacket | PublishPacket | VolatilePacket;

/** A packet of a type from `packetLimits.hintTypeMin` that this version does not know, or of another shape; it is left alone. Never sent. */
export interface HintPacket {
  readonly type: 'hint';
}

export type Packet = OpeningPacket | SessionPacket | DrainPacket | HintPacket;
