// Whom a message is for. Immutable: every step makes a new one, so that a target can be kept and reused.
import {
  type AnyEvents,
  type EventArgs,
  type EventName,
  type EventReply,
  LocalUsageError,
  type Value,
} from '@halyard/protocol';
import type { Namespace } from './namespace';
import type { Socket } from './socket';

export interface TargetSpec {
  /** Rooms or socket ids; undefined is the whole namespace, and an empty list is nobody. */
  readonly rooms: readonly string[] | undefined;
  readonly except: readonly string[];
  readonly volatile: boolean;
  readonly timeoutMs: number | undefined;
}

export const wholeNamespace: TargetSpec = { rooms: undefined, except: [], volatile: false, timeoutMs: undefined };

/** What came back from many: a reply for each socket that answered, and the ids of those that did not. */
export interface Replies<Reply> {
  readonly replies: Reply[];
  readonly missing: string[];
}

/** Names as methods take them: one by one, in lists, or both. */
export type Names = readonly (string | readonly string[])[];

export class Target<Incoming = AnyEvents, Outgoing = AnyEvents, Data = Record<string, unknown>> {
  readonly #namespace: Namespace<Incoming, Outgoing, Data>;
  readonly #spec: TargetSpec;

  constructor(namespace: Namespace<Incoming, Outgoing, Data>, spec: TargetSpec) {
    this.#namespace = namespace;
    this.#spec = spec;
  }

  /** Adds rooms, or sockets by id. A socket in several of them gets a message once; an empty list adds nobody. */
  to(...rooms: Names): Target<Incoming, Outgoing, Data> {
    const { except, volatile, timeoutMs } = this.#spec;
    return new Target(this.#namespace, { rooms: flatten(rooms, this.#spec.rooms), except, volatile, timeoutMs });
  }

  in(...rooms: Names): Target<Incoming, Outgoing, Data> {
    return this.to(...rooms);
  }

  /** Leaves out whoever is in these rooms, or has one of these ids. */
  except(...rooms: Names): Target<Incoming, Outgoing, Data> {
    return this.#with({ except: flatten(rooms, this.#spec.except) });
  }

  /** Only sockets of this server process. One process is all there is without a cluster adapter. */
  get local(): Target<Incoming, Outgoing, Data> {
    return this;
  }

  /** Messages are dropped for whoever is away or slow. */
  get volatile(): Target<Incoming, Outgoing, Data> {
    return this.#with({ volatile: true });
  }

  /** @param timeoutMs how long `emitWithAck` waits for the last reply */
  timeout(timeoutMs: number): Target<Incoming, Outgoing, Data> {
    return this.#with({ timeoutMs: checkTimeout(timeoutMs) });
  }

  /**
   * Sends an event to all of them: once and in order to each, while its session lives.
   * @throws LocalUsageError `ERR_NOT_ENCODABLE` with the path of the value no codec carries, and then nobody gets it
   */
  emit<Name extends EventName<Outgoing>>(event: Name, ...args: EventArgs<Outgoing, Name>): void {
    this.#namespace.publish(this.#spec, event, trimmed(args));
  }

  /** Sends an event to each and waits for all replies. Never rejects because of a missing one. */
  emitWithAck<Name extends EventName<Outgoing>>(
    event: Name,
    ...args: EventArgs<Outgoing, Name>
  ): Promise<Replies<EventReply<Outgoing, Name>>> {
    return this.#namespace.request(this.#spec, event, trimmed(args)) as Promise<Replies<EventReply<Outgoing, Name>>>;
  }

  async fetchSockets(): Promise<Socket<Incoming, Outgoing, Data>[]> {
    return this.#namespace.select(this.#spec);
  }

  socketsJoin(...rooms: Names): void {
    for (const socket of this.#namespace.select(this.#spec)) socket.join(...rooms);
  }

  socketsLeave(...rooms: Names): void {
    for (const socket of this.#namespace.select(this.#spec)) socket.leave(...rooms);
  }

  /** @param session ends the whole session of each, with every namespace and the connection */
  disconnectSockets(session = false): void {
    for (const socket of this.#namespace.select(this.#spec)) socket.disconnect(session);
  }

  #with(change: Partial<TargetSpec>): Target<Incoming, Outgoing, Data> {
    return new Target(this.#namespace, { ...this.#spec, ...change });
  }
}

/** @returns `names` as one list, after those in `before`. Several times as fast as `flat` */
export function flatten(names: Names, before: readonly string[] = []): string[] {
  const flat = [...before];
  for (const name of names) {
    if (Array.isArray(name)) for (const one of name as readonly string[]) flat.push(one);
    else flat.push(name as string);
  }
  return flat;
}

/** @throws LocalUsageError `ERR_OPTION` */
export function checkTimeout(timeoutMs: number): number {
  if (timeoutMs >= 1 && timeoutMs <= timeoutMsMax) return timeoutMs;
  const rule = `A timeout is ${String(timeoutMs)}: it may be from 1 to ${timeoutMsMax} milliseconds.`;
  throw new LocalUsageError('ERR_OPTION', rule, { option: 'timeoutMs' });
}

const timeoutMsMax = 86_400_000;

/** Arguments without undefined ones at the end: the other side sees the same parameters. */
export function trimmed(args: readonly unknown[]): readonly Value[] {
  let { length } = args;
  while (length > 0 && args[length - 1] === undefined) length--;
  return (length === args.length ? args : args.slice(0, length)) as readonly Value[];
}
