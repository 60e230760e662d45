// When what a session has presented to a namespace ends: the session is over then, whether or not its client is there. Only
// sessions that have presented something that ends have one of these.
import { type Close, CloseCode } from '@halyard/protocol';
import { Timed } from '../base/wheel';
import type { SessionContext } from './context';
import type { Presence } from './presence';

export class AuthEnd extends Timed {
  readonly #context: Pick<SessionContext, 'wheel' | 'platform'>;
  readonly #presences: () => readonly Presence[];
  readonly #end: (close: Close) => void;

  constructor(
    context: Pick<SessionContext, 'wheel' | 'platform'>,
    presences: () => readonly Presence[],
    end: (close: Close) => void,
  ) {
    super();
    this.#context = context;
    this.#presences = presences;
    this.#end = end;
  }

  /** Something ends that did not, or at another time. */
  watch(): void {
    const { wheel, platform } = this.#context;
    let first = Number.POSITIVE_INFINITY;
    for (const { expiresAtMs = first } of this.#presences()) first = Math.min(first, expiresAtMs);
    wheel.cancel(this);
    // The time of day may be set meanwhile: it is looked at again then.
    wheel.schedule(this, wheel.now() + Math.max(0, first - platform.wall()));
  }

  /** Ends the session if something has ended. */
  check(): void {
    const now = this.#context.platform.wall();
    const ended = this.#presences().find(({ expiresAtMs = Number.POSITIVE_INFINITY }) => expiresAtMs <= now);
    if (ended !== undefined) this.#end(authEnded(ended));
  }

  stop(): void {
    this.#context.wheel.cancel(this);
  }

  override due(): void {
    this.check();
    if (this.#presences().length > 0) this.watch();
  }
}

function authEnded({ namespace, expiresAtMs = 0 }: Presence): Close {
  const when = new Date(expiresAtMs).toISOString();
  const reason = `ERR_AUTH_EXPIRED: auth ended at ${when} and was not renewed, for ${namespace}`;
  return { code: CloseCode.Unauthorized, reason, by: 'server' };
}
