// What a subject is. Adding one is one small file that satisfies this one, and a line in registry.ts. Libraries under
// measurement are imported inside `start` only: naming a subject loads nothing.
import type { DialectName, SharedRedis } from '../contract/operations';
import type { Payload, Plan } from '../contract/plan';

/** What a subject counts while it runs. */
export interface Tally {
  /** Events handled. */
  handled: number;
}

/**
 * A subject's server. It MUST handle three events: `echo(payload)` answers with the payload, `join(room)` joins and
 * answers with `true`, `say(room, payload)` sends `message(payload)` to the room without the sender and answers nothing.
 */
export interface Running {
  readonly port: number;
  /** Sends `message(payload)` once to each socket in any of `rooms`, or to every socket. */
  emit(rooms: readonly string[] | undefined, payload: Payload): void;
}

export interface Subject {
  readonly name: string;
  readonly title: string;
  readonly dialect: DialectName;
  /** The dialect for plans with `polling`, if the subject has that transport. */
  readonly pollingDialect?: DialectName;
  /** The same for plans with `sse`. */
  readonly sseDialect?: DialectName;
  /** @param tally the subject adds to it as it works @param redis for one that is a node of a cluster */
  start(plan: Plan, tally: Tally, redis?: SharedRedis): Promise<Running>;
}
