// The contract of a transport: one way to carry frames between this client and a server (docs/PROTOCOL.md §2, §7).
import type { Clock, Close, Frame } from '@halyard/protocol';

/** Where to connect to and what to speak there. */
export interface Address {
  /** `http:` or `https:` URL of the server's Halyard path. */
  readonly url: string;
  /** The one subprotocol to offer, such as `halyard.v1+json`. */
  readonly protocol: string;
  /** Whether frames are bytes; text otherwise. */
  readonly binary: boolean;
  /** Size that a body of several frames must stay below, in units of `Frame.length`. */
  batchMax(): number;
  readonly clock: Clock;
  /** How long the whole attempt may take. Default 20,000 milliseconds. */
  readonly connectTimeoutMs?: number | undefined;
  /** Header fields of every request, as far as the platform lets a program set any. May change from one to the next. */
  readonly extraHeaders?: Readonly<Record<string, string>> | undefined;
  /** Whether requests to another origin carry cookies. */
  readonly withCredentials?: boolean | undefined;
}

/** What a transport tells its owner. MUST NOT be called before `open` has returned, nor after `Link.close`. */
export interface LinkEvents {
  /** Frames may be sent. MUST be called at most once, and before any frame. */
  onOpen(): void;
  /** MUST be called in the order in which the server sent the frames, once for each. */
  onFrame(frame: Frame): void;
  /** The link could not open, broke, or was closed by the server. MUST be called exactly once, and last. */
  onClose(close: Close): void;
}

/** One connection of a transport. */
export interface Link {
  /** Of the transport, such as `websocket`. */
  readonly name: string;
  /** Bytes or characters taken by `send` that have not left this machine, as far as it can be known. */
  readonly bufferedBytes: number;
  /** Size of the largest frame it carries, in bytes, once it is open; absent if only the server's own limit counts. */
  readonly frameBytesMax?: number | undefined;
  /** What else was tried for it and has failed, as words to be added to others. */
  readonly fault?: string;
  /** What is preferred to this link, if there is something. */
  readonly better?: BetterTransport | undefined;
  /** Takes a frame after `onOpen`. MUST keep the order. MUST NOT throw once closed. */
  send(frame: Frame): void;
  /**
   * Ends the link; the owner hears nothing after it. MUST tell the server the code if it can. With 1000, what was
   * sent before MUST go out first. With 1001 the page goes away: the server MUST be told 1000, and in this turn, because
   * there may be no other. MUST NOT throw, at any time. MUST NOT keep a program running for long, whatever the server does.
   */
  close(code: number, reason: string): void;
}

/** A transport that is worth a try beside a link. */
export interface BetterTransport extends Transport {
  /** No sooner than in so many milliseconds from now, … */
  readonly notBeforeMs: number;
  /** … and after a wait of so many, and up to as many again, which doubles with each try in vain. */
  readonly delayMs: number;
}

export interface Transport {
  /** As of its links. What a race has found out of a list of transports says nothing of one with other names. */
  readonly name?: string | undefined;
  /** Starts to open a link. MUST NOT throw: what goes wrong arrives in `onClose`. */
  open(address: Address, events: LinkEvents): Link;
}

/** What a link is closed with that brings nothing: what it goes by is no good. */
export const silentCode = 4000;

/** @returns the close value of a link that broke */
export function broken(reason: string, code = 1006): Close {
  return { code, reason, by: 'network' };
}
