import { expect, it } from 'vitest';
import { afterClose, CloseCode } from './close';

const table: Record<keyof typeof CloseCode, ReturnType<typeof afterClose>> = {
  Normal: 'final',
  GoingAway: 'resume',
  ProtocolError: 'resume',
  UnsupportedData: 'final',
  NoStatus: 'resume',
  Abnormal: 'resume',
  InvalidPayload: 'final',
  PolicyViolation: 'final',
  TooBig: 'fresh',
  InternalError: 'fresh',
  ServiceRestart: 'resume',
  TryAgainLater: 'resume',
  HeartbeatTimeout: 'resume',
  BadPacket: 'final',
  Unauthorized: 'final',
  Forbidden: 'final',
  ConnectionUnknown: 'resume',
  HelloTimeout: 'resume',
  Evicted: 'final',
  SessionEnded: 'fresh',
  SlowConsumer: 'fresh',
  RateLimited: 'fresh',
};

it.each(Object.entries(table))('%s is followed by %s', (name, what) => {
  expect(afterClose(CloseCode[name as keyof typeof CloseCode])).toBe(what);
});

it('takes a code that it does not know for a network failure', () => {
  for (const code of [0, 1004, 1014, 1015, 3000, 4999]) expect(afterClose(code)).toBe('resume');
});

it('has every code once', () => {
  const codes = Object.values(CloseCode);
  expect(new Set(codes).size).toBe(codes.length);
});
