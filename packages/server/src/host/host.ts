// The contract of a host: what accepts sockets and requests. Exactly one file implements it on uWebSockets.js, one on
// node:http and ws.
import type { Frame } from '@halyard/protocol';
import { type OnConsole, onConsole, shownAs } from '../base/on-console';
import type { Platform } from '../base/platform';
import type { Compression } from './compression';
import type { TlsOptions } from './tls';

/** Who a request is from, and its headers: what a connection keeps, all its life, of the request that opened it. */
export class Peer {
  /** The address as the socket has it; an IPv4 address is written as one. */
  readonly address: string;
  /** Whether the host itself ended TLS for it. */
  readonly secure: boolean;
  /** Path and query of its request, as they came. */
  readonly url: string;
  /** Every line begins with a line feed, which no name or value holds (RFC 9110 §5.5). */
  readonly #fields: string;

  /** @param lines header fields, `name: value` each, names in lower case */
  constructor(address: string, secure: boolean, lines: readonly string[], url = '') {
    this.address = address;
    this.secure = secure;
    this.url = url;
    // Joined, not added up: one flat text.
    this.#fields = `\n${lines.join('\n')}\n`;
  }

  get headers(): Headers {
    return new Headers(this.#fields);
  }
}

/** What a request says, copied: native memory is gone when the host's callback returns. */
export interface RequestFacts {
  readonly method: string;
  readonly path: string;
  /** With its question mark, or empty. */
  readonly query: string;
  readonly peer: Peer;
}

/** Header fields, searched in their text when they are asked for. */
export class Headers {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  /**
   * @param name in any case
   * @returns the field's value, repeated fields joined with `, `, cookies with `; ` (RFC 9113 §8.2.3), or undefined
   */
  get(name: string): string | undefined {
    const field = name.toLowerCase();
    const glue = field === 'cookie' ? '; ' : ', ';
    const key = `\n${field}: `;
    let value: string | undefined;
    for (let at = this.#text.indexOf(key); at >= 0; at = this.#text.indexOf(key, at + 1)) {
      const next = this.#text.slice(at + key.length, this.#text.indexOf('\n', at + 1));
      value = value === undefined ? next : `${value}${glue}${next}`;
    }
    return value;
  }

  /** @returns how often the field is there */
  count(name: string): number {
    return this.#text.split(`\n${name}: `).length - 1;
  }

  /** @internal What a console shows: the fields. */
  [onConsole](...how: Parameters<OnConsole>): string {
    return shownAs('Headers', Object.fromEntries(this), how);
  }

  *[Symbol.iterator](): Generator<[name: string, value: string]> {
    for (const line of this.#text.split('\n')) {
      const colon = line.indexOf(':', 1);
      if (colon > 0) yield [line.slice(0, colon), line.slice(colon + 2)];
    }
  }
}

/** A whole HTTP answer. */
export interface HttpAnswer {
  readonly status: number;
  /** A field that comes several times has a list. */
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly body?: string | Uint8Array;
}

/** Where one HTTP answer goes. */
export interface HttpReply {
  /** Called if the peer goes away before the answer. */
  onAbort: (() => void) | undefined;
  /** MUST do nothing the second time, or after the peer went away. */
  send(answer: HttpAnswer): void;
}

/** An answer that does not end by itself. After `end`, and once `onGone` was called, nothing of it does anything. */
export interface HttpStream {
  /** Called when it takes more again. On uws some of what was written may wait still, and leaves as more is written. */
  onDrain: (() => void) | undefined;
  /** Called if the peer goes away before the end. */
  onGone: (() => void) | undefined;
  /** Whether what is written leaves; what is written all the same waits in memory. */
  readonly isWritable: boolean;
  write(content: string | Uint8Array): void;
  end(): void;
  /** Ends it so that the peer knows that it is not whole. */
  cut(): void;
}

/** Where an answer goes that may be a stream. */
export interface StreamableReply extends HttpReply {
  /** In place of `send`: status and header fields are sent with the first text. @returns undefined if the peer is gone */
  stream(answer: HttpAnswer): HttpStream | undefined;
}

/**
 * One WebSocket as the host has it, with the names of uWebSockets.js, whose sockets are used as they are: an object between
 * would be fetched from memory for every frame, which costs an echo 2 %. After `end` or `close`, and once `onClose` was called, nothing
 * of it may be used.
 */
export interface HostSocket {
  /**
   * MUST NOT throw, and MUST take the frame however much waits already: a frame that is left out, with later ones behind
   * the hole, is lost in silence, because the peer confirms what comes after it. How much may wait is its owner's to
   * watch, who calls `close`; a host with a limit of its own MUST be told to have none.
   * @param binary the kind of message; text may come as UTF-8
   * @param compress whether it is to be compressed, if the peer can
   */
  send(frame: Frame, binary: boolean, compress?: boolean): void;
  /** Calls `write` at once; what it sends leaves in one write if it can. */
  cork(write: () => void): void;
  /** Bytes that were sent and have not left this process. */
  getBufferedAmount(): number;
  /** Of those, bytes that wait for this process and not for the peer: to be compressed. Absent where none do. */
  getCompressingAmount?(): number;
  /** As the next two it does nothing where the host has no `publish`. */
  subscribe(topic: string): void;
  unsubscribe(topic: string): void;
  /** `Host.publish` to every subscriber of a topic but this one, which has subscribed to that or another. */
  publish(topic: string, frame: Frame, binary: boolean, compress?: boolean): void;
  /** Sends a close frame and ends. @param reason at most 123 bytes (RFC 6455 §5.5) */
  end(code: number, reason: string): void;
  /** Cuts the connection: of what waits, and of what is published, not a byte follows. MUST NOT be called from inside `cork`. */
  close(): void;
}

/** Who listens to a WebSocket. */
export interface HostSocketListener {
  /** `data` is valid until the call returns. */
  onMessage(data: ArrayBuffer | Uint8Array, binary: boolean): void;
  onDrain(): void;
  /** MUST be called once, and last. After `end` and `close` it is ignored, and need not be called. */
  onClose(code: number, reason: string): void;
}

/** What becomes of a WebSocket handshake: refused, or accepted with one subprotocol (empty: none). */
export type UpgradeVerdict =
  | { readonly refuse: HttpAnswer }
  | { readonly subprotocol: string; readonly open: (socket: HostSocket) => HostSocketListener };

/** What the server does with what a host accepts. All of these are called synchronously and MUST NOT throw. */
export interface HostHandlers {
  /** The promise, if the app has to be asked first, never rejects. */
  upgrade(request: RequestFacts): UpgradeVerdict | Promise<UpgradeVerdict>;
  /** The body is whole and within `httpBodyBytesMax`; it is the callee's to keep. */
  request(request: RequestFacts, body: Uint8Array, reply: StreamableReply): void;
  /** @returns what a host answers by itself to a request that it refuses, so that the page that has sent it may read it */
  refusal(request: RequestFacts, answer: HttpAnswer): HttpAnswer;
}

/** How long a body may take in all, if nothing is said. */
export const bodyMsMax = 60_000;

/** What bodies that have not come whole may hold together, if nothing is said. */
export const bodiesBytesMax = 256 << 20;

export interface HostLimits {
  readonly frameBytesMax: number;
  readonly httpBodyBytesMax: number;
  /** What bodies that have not come whole may hold together, in bytes. Default: `bodiesBytesMax`. */
  readonly httpBodiesBytesMax?: number;
  /** How long a body may take in all, in milliseconds. Default: `bodyMsMax`. */
  readonly bodyTimeoutMs?: number;
  readonly compression?: Compression;
}

export interface Host {
  readonly name: string;
  /** Whether what a socket sends from inside its own `onMessage` is gathered into one write by the host. */
  readonly gathersInMessage: boolean;
  /**
   * @param reusePort whether other processes may listen there too
   * @returns the port that is listened on. Rejects if the address is taken; and with `reusePort` if the host cannot share it
   */
  listen(port: number, address: string | undefined, reusePort: boolean): Promise<number>;
  /** Rejects as `listen` would, and does not listen. Absent: only that can tell. */
  tryPort?(port: number, address: string | undefined): void | Promise<void>;
  /** Sends a frame to every subscriber of a topic, in order with `HostSocket.send` and bound to take it as that is. Absent: there is no native fan-out. */
  publish?(topic: string, frame: Frame, binary: boolean): void;
  /** How many subscribe to a topic. Absent where `publish` is, or where nobody knows. */
  subscriberCount?(topic: string): number;
  /**
   * Takes key and certificate from their files anew, for connections from now on. Absent: it does not end TLS.
   * @throws LocalUsageError `ERR_TLS`, and nothing has changed
   */
  reloadTls?(): void;
  /** Stops accepting. Open sockets stay. */
  stopListening(): void;
  /** Cuts what is left and frees the port. */
  close(): Promise<void>;
}

/**
 * Resolves once the host is ready to listen. Until then it MUST NOT call the handlers.
 * @param tls what the host ends TLS with; absent: it speaks plain HTTP. Rejects with `ERR_TLS`
 */
export type HostFactory = (
  path: string,
  handlers: HostHandlers,
  limits: HostLimits,
  platform: Platform,
  tls?: TlsOptions,
) => Promise<Host>;
