// What sessions need of the layers above them, and what those see of a session.

import type { Codec } from '@halyard/codec';
import type { Failure, ServerLimits, SessionSettings, Value } from '@halyard/protocol';
import type { BacklogLimits } from '../base/backlog';
import type { Tell } from '../base/happenings';
import type { Meters } from '../base/meters';
import type { Overload } from '../base/overload';
import type { Platform } from '../base/platform';
import type { TimerWheel } from '../base/wheel';
import type { Recorded, Turn } from '../store/turn';
import type { Trust } from '../wire/proxies';
import type { AwaySession, AwaySessions } from './away-sessions';
import type { Reply } from './handover';
import type { Handshake } from './handshake';

import type { Owner, Presence, Ticket } from './presence';
import type { LeftRecord, PresenceRecord } from './record';
import type { Spans } from './spans';

/** A session that wants to enter a namespace, as that sees it. */
export interface Entrant extends Owner {
  /** Whether this is still a question that the namespace has to decide. */
  awaits(ticket: Ticket): boolean;
  /** The namespace has decided, whatever becomes of it. */
  decided(): void;
  /** It was let in on another server. */
  revived(presence: Presence): void;
  /** The namespace let it in. */
  connected(presence: Presence): void;
  /** The app's handlers of the namespace are in place. */
  ready(presence: Presence): void;
  /** The namespace did not let it in. */
  refused(ticket: Ticket, failure: Failure): void;
}

/** A namespace, as a session that wants to enter it sees it. */
export interface Entrance {
  /** Decides, now or later, and tells the session. */
  admit(entrant: Entrant, handshake: Handshake): void;
  /** A session that it has let in on another server. @returns a function that tells the app of it */
  revive(entrant: Entrant, handshake: Handshake, record: PresenceRecord): () => void;
  /** What is still to be read for one that has ended on another server. */
  recall(entrant: Entrant, record: LeftRecord): Spans;
}

/** Who asks for a namespace. */
export interface Founder {
  /** Id of its session. */
  readonly session: string;
  readonly address: string;
}

/** What has become of messages for readers that do not keep up, since the server began. */
export interface SlowReaderCounts {
  /** Volatile messages that were not sent: their reader was slow or away. */
  volatileDropped: number;
  /** Connections that were cut past `backpressureBytesMax`. */
  cut: number;
  /** Times that a session has been brought everything that it had missed, after a resume too. */
  caughtUp: number;
  /** Messages that were left out, because a newer one had taken their place. */
  replaced: number;
}

export interface SessionContext extends BacklogLimits {
  readonly counts: SlowReaderCounts;
  readonly away: AwaySessions;
  readonly meters: Meters;
  /** Undefined if nobody looks for it. */
  readonly overload: Overload | undefined;
  readonly tell: Tell;
  readonly platform: Platform;
  /** Id of this node. */
  readonly node: string;
  readonly wheel: TimerWheel;
  readonly turn: Turn;
  /** What records are written with, if others share the store. */
  readonly recordCodec: Codec;
  readonly settings: SessionSettings;
  readonly serverLimits: ServerLimits;
  readonly sentFrameBytesMax: number;
  readonly codecs: readonly Codec[];
  readonly ackTimeoutMs: number;
  readonly helloTimeoutMs: number;
  readonly namespacesPerSessionMax: number;
  readonly trustProxy: Trust;
  /** @returns the namespace, made on demand of the founder if it is dynamic; or why there is none of that name */
  namespace(name: string, auth: Value | undefined, founder: Founder): Entrance | Failure;
  /** The client is known to know its session. */
  told(token: string, generation: number): void;
  /**
   * An event of a session that was let go is handled to the end.
   * @param node that had asked for it
   */
  finished(node: string, session: string, number: number, replies: readonly Reply[]): void;
  ended(session: Recorded & AwaySession & { readonly codecIndex: number }): void;
  report(error: unknown, where: string): void;
  /** A limit was met. @param code the option */
  warn(code: string, message: string): void;
}
