// Middleware of a namespace decides about a handshake: whether its socket is let in, or goes on with another `auth`.
import { type Failure, failureOf, PublicError } from '@halyard/protocol';
import type { Handshake } from '../session/handshake';

/** Runs in order. Throw to refuse. */
export type Middleware<Data> = (handshake: Handshake<Data>) => void | Promise<void>;

/** @returns why a handshake is refused, if it is. Never rejects */
export async function decide(
  steps: readonly Middleware<never>[],
  handshake: Handshake,
  { wall, report }: { wall(): number; report(error: unknown, where: string): void },
): Promise<Failure | undefined> {
  handshake.decide(true);
  try {
    for (const step of steps) await step(handshake as Handshake<never>);
  } catch (error) {
    if (!(error instanceof PublicError)) report(error, 'middleware');
    return failureOf(error, 'ERR_REFUSED', 'The connection was refused.');
  } finally {
    handshake.decide(false);
  }
  const { expiresAtMs } = handshake;
  return expiresAtMs !== undefined && expiresAtMs <= wall() ? endedAlready(expiresAtMs) : undefined;
}

function endedAlready(expiresAtMs: number): Failure {
  // So early it was most likely meant as seconds.
  const hint = Math.abs(expiresAtMs) < 1e11 ? ' It takes milliseconds; the exp of a JWT is in seconds.' : '';
  const message = `auth had ended when it was presented, at ${new Date(expiresAtMs).toISOString()} (handshake.expiresAt).${hint}`;
  return { code: 'ERR_AUTH_EXPIRED', message, data: undefined };
}
