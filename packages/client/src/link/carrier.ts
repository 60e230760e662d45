// A session as it is seen from below: what carries it over one link after another, and what each of the two is told.
import type { Close, Frame, HalyardError } from '@halyard/protocol';
import type { Link } from './transport';

/** What a session asks of what carries it. */
export interface Carrier {
  /** A namespace is wanted: connect if there is no connection and none will be tried. */
  onWanted(): void;
  /** No namespace is wanted any more. */
  onIdle(): void;
  onOpen(recovered: boolean): void;
  /** The server is to be left in so many milliseconds, for that origin if it is none that is empty. */
  onDrain(afterMs: number, url: string): void;
  /** The server does not answer. */
  onSilent(): void;
}

/** The end of a link, or of the attempt to have one. */
export interface LinkEnded {
  readonly close: Close;
  readonly willReconnect: boolean;
  /** The error behind it, if there is one. */
  readonly cause: unknown;
  /** For the namespaces that were not connected, if they are to hear of it. */
  readonly error: HalyardError | undefined;
}

export interface CarriedSession {
  /** The page goes away. @returns whether the next one may go on with the session: then it does not end */
  save?(): boolean;
  /** The page is there, or is again. */
  wakes?(): void;
  /** What follows a close, if that is not what its code says. */
  fateOf?(close: Close): 'fresh' | undefined;
  /** @returns what this side has said on the link that was closed, and would be the same on the next */
  blame(close: Close): HalyardError | undefined;
  /** Nothing is wanted any more. */
  leaveAll(): void;
  frameBytesMax(): number;
  /**
   * The questions of one attempt: asks what to ask the namespaces for with.
   * @returns waits until everyone has answered who is wanted by then. Rejects with the error of one that fails
   */
  ask(): () => Promise<void>;
  /** Asks the server for a sign of life, if there is a connection. */
  probe(): void;
  /** Speaks first on a new link: HELLO and, in the same flight, everything that waits. */
  attach(link: Link): void;
  /** @throws RemoteProtocolError */
  receive(frame: Frame): void;
  /**
   * The link is gone, if there was one, and with `fresh` and `final` the session; with `final` nothing is wanted any more. With
   * `move` another link is there or on its way, and nobody is to notice.
   * @returns a function that tells those who were concerned
   */
  detach(fate: 'move' | 'resume' | 'fresh' | 'final', reason: string): (end: LinkEnded) => void;
}
