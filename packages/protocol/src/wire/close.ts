// Close codes (docs/PROTOCOL.md §8). One table, one function that decides what may follow a close.

/** Why a connection or a session ended, and who ended it. */
export interface Close {
  /** RFC 6455 §7.4 status code, or one of 4000–4999 as in `CloseCode`. */
  readonly code: number;
  /** In words, for people. */
  readonly reason: string;
  /** Who has ended it: `network` if nobody said so. */
  readonly by: 'client' | 'server' | 'network';
}

/** Codes of a `Close`: those of RFC 6455 §7.4.1, and Halyard's own from 4000 on (docs/PROTOCOL.md §8). */
export const CloseCode = {
  Normal: 1000,
  GoingAway: 1001,
  ProtocolError: 1002,
  UnsupportedData: 1003,
  NoStatus: 1005,
  Abnormal: 1006,
  InvalidPayload: 1007,
  PolicyViolation: 1008,
  TooBig: 1009,
  InternalError: 1011,
  ServiceRestart: 1012,
  TryAgainLater: 1013,
  HeartbeatTimeout: 4000,
  BadPacket: 4400,
  Unauthorized: 4401,
  Forbidden: 4403,
  ConnectionUnknown: 4404,
  HelloTimeout: 4408,
  Evicted: 4409,
  SessionEnded: 4410,
  SlowConsumer: 4413,
  RateLimited: 4429,
} as const;

const final: readonly number[] = [
  CloseCode.Normal,
  CloseCode.UnsupportedData,
  CloseCode.InvalidPayload,
  CloseCode.PolicyViolation,
  CloseCode.BadPacket,
  CloseCode.Unauthorized,
  CloseCode.Forbidden,
  CloseCode.Evicted,
];

const fresh: readonly number[] = [
  CloseCode.TooBig,
  CloseCode.InternalError,
  CloseCode.SessionEnded,
  CloseCode.SlowConsumer,
  CloseCode.RateLimited,
];

/**
 * What may follow a close with this code.
 * @returns 'resume': connect again and resume the session; 'fresh': connect again, the session is over; 'final': stay closed.
 */
export function afterClose(code: number): 'resume' | 'fresh' | 'final' {
  if (final.includes(code)) return 'final';
  return fresh.includes(code) ? 'fresh' : 'resume';
}
