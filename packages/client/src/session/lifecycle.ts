// What happens to a presence, apart from the events of the application. Types only.
import type { Close, HalyardError } from '@halyard/protocol';

/** How a namespace was connected. */
export interface ConnectInfo {
  /** Whether this is the session of before, whole: nothing was missed in either direction. */
  readonly recovered: boolean;
  /** Why an earlier session was not resumed, or who left the events that are `unconfirmed`. */
  readonly reason?: string | undefined;
  /**
   * How many events had left on an earlier connection and were given up: the server may or may not have handled them. Of a session that is
   * lost all of them, in each of its namespaces.
   */
  readonly unconfirmed: number;
}

/** Why a namespace is not connected any more. */
export interface DisconnectInfo extends Close {
  /** Whether the client tries again by itself. */
  readonly willReconnect: boolean;
}

/** They never come from the other side, even under the same name, and cannot be emitted. What a listener returns is no reply; it may be asynchronous. */
export interface LifecycleEvents {
  /** The namespace is connected, for the first time or again. */
  connect(info: ConnectInfo): unknown;
  /** It is not any more: the connection is lost, or the namespace was left. */
  disconnect(info: DisconnectInfo): unknown;
  /**
   * A `PublicError` if the server's middleware refused the namespace; otherwise a connection could not be made, and
   * `details` has the attempt, the close value and, if there will be another attempt, `retryInMs`.
   */
  connect_error(error: HalyardError): unknown;
  /** A handler failed, or the server broke the protocol. Printed with `console.error` if nobody listens. */
  error(error: unknown): unknown;
}
