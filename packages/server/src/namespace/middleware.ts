// Middleware of a namespace decides about a handshake: whether its socket is let in, or goes on with another `auth`.
import { type Failure, failureOf, LocalUsageError, PublicError } from '@halyard/protocol';
import type { Handshake } from '../session/handshake';

/** Runs in order. Throw to refuse. */
export type Middleware<Data> = (handshake: Handshake<Data>) => void | Promise<void>;

/** Runs when the session of a socket is back. Throw to end it. */
export type ResumeCheck<Socket> = (socket: Socket) => void | Promise<void>;

/**
 * @param step middleware of any kind, as the app gives it
 * @param subject what it decides about
 * @throws LocalUsageError `ERR_HANDLER_TYPE`
 */
export function checkMiddleware(step: unknown, subject: 'handshake' | 'event' | 'socket'): void {
  if (typeof step !== 'function') throw new LocalUsageError('ERR_HANDLER_TYPE', 'the middleware is not a function');
  if (step.length <= 1) return;
  throw new LocalUsageError(
    'ERR_HANDLER_TYPE',
    `middleware takes the ${subject} alone, and no next: it returns, or resolves, to let it pass, and throws to refuse it`,
  );
}

/** Who returns an error where it is to be thrown, or false, means to refuse. @throws what refuses */
export function orThrow(result: unknown, refused: string): void {
  if (result instanceof Error) throw result;
  if (result === false) throw new PublicError('ERR_REFUSED', refused);
}

export interface DecisionContext {
  /** The time of day, in milliseconds since 1970. */
  wall(): number;
  report(error: unknown, where: string): void;
}

/** @param refused what the client is told of an error that is not public @returns why a handshake is refused, if it is. Never rejects */
export async function decide(
  steps: readonly Middleware<never>[],
  handshake: Handshake,
  { wall, report }: DecisionContext,
  refused: string,
): Promise<Failure | undefined> {
  handshake.decide(true);
  try {
    for (const step of steps) orThrow(await step(handshake as Handshake<never>), refused);
  } catch (error) {
    if (!(error instanceof PublicError)) report(error, 'middleware');
    return failureOf(error, 'ERR_REFUSED', refused);
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
