// The limits both ends agree on, with their units in their names and docs/PROTOCOL.md §9 as their source.

/** Bounds on what a packet may hold. Not negotiable: part of protocol v1. */
export const packetLimits = {
  nameCharsMax: 256,
  /** A token of fewer could be guessed. */
  tokenCharsMin: 16,
  helloNamespacesMax: 64,
  /** Before HELLO. */
  helloPingsMax: 4,
  helloPositionsMax: 8_192,
  publishLogsMax: 256,
  /** Ranges of `settled`: no window has more gaps. */
  settledRangesMax: 8_192,
  /** Counted packets that a client may have unconfirmed on a connection before WELCOME … */
  helloWindowPacketsMax: 64,
  /** … and their sizes together. */
  helloWindowBytesMax: 65_536,
  /** Types from this one on are hints: who does not know one leaves it alone. */
  hintTypeMin: 64,
  hintTypeMax: 127,
  reasonCharsMax: 1_024,
  /** No setting of WELCOME is above this: longer delays overflow the timers that many platforms have. */
  settingMax: 2_147_483_647,
} as const;

/** What the server tells the client in WELCOME, and both ends then keep. */
export interface SessionSettings {
  /** Silence after which the server sends PING, in milliseconds. */
  readonly heartbeatMs: number;
  /** How long after a PING the peer may stay silent, in milliseconds. */
  readonly heartbeatTimeoutMs: number;
  /** How long a session without a connection is kept, in milliseconds. */
  readonly recoveryWindowMs: number;
  /** Largest frame the server accepts, in bytes. */
  readonly frameBytesMax: number;
  /** A SACK is sent after this many counted packets … */
  readonly sackPacketsMax: number;
  /** … and no later than this after the first of them, in milliseconds. */
  readonly sackDelayMs: number;
  /** How many counted packets of the client may be unconfirmed on its connection … */
  readonly windowPacketsMax: number;
  /** … and the sum of their sizes, unless it is one packet: bytes of binary frames, UTF-16 units of text frames. */
  readonly windowBytesMax: number;
  /** Largest frame the server sends, in bytes; a server that does not say so has no limit. */
  readonly sentFrameBytesMax?: number | undefined;
}

export const defaultSettings: SessionSettings = {
  heartbeatMs: 25_000,
  heartbeatTimeoutMs: 20_000,
  recoveryWindowMs: 120_000,
  frameBytesMax: 1 << 20,
  sackPacketsMax: 32,
  sackDelayMs: 1_000,
  windowPacketsMax: 1_024,
  windowBytesMax: 1 << 20,
};

/** Bounds on what one end keeps for its peer. */
export interface OutboxLimits {
  /** Frames sent and not yet confirmed, or waiting to be sent. */
  readonly outboxPacketsMax: number;
  /** Sum of their sizes, past which no more is kept: bytes of binary frames, UTF-16 units of text frames. */
  readonly outboxBytesMax: number;
  /** Acknowledgements waited for at one time. */
  readonly pendingAcksMax: number;
}

/** How fast what a client sends is taken (docs/PROTOCOL.md §5.10). */
export interface RateLimits {
  /** Counted packets, and VOLATILE, in a second; so many at once after a pause … */
  readonly packetsPerSecondMax: number;
  /** … and their sizes together: bytes of binary frames, UTF-16 units of text frames. */
  readonly bytesPerSecondMax: number;
}

export const defaultRateLimits: RateLimits = { packetsPerSecondMax: 10_000, bytesPerSecondMax: 16 << 20 };

export const defaultPendingAcksMax = 16_384;

export const defaultOutboxLimits: OutboxLimits = {
  outboxPacketsMax: 16_384,
  // Twice the largest frame: what is said behind one finds room.
  outboxBytesMax: 32 << 20,
  pendingAcksMax: defaultPendingAcksMax,
};
