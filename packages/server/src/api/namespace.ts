// A namespace, as user code holds it.
import type { AnyEvents } from '@halyard/protocol';
import type { Middleware } from '../namespace/rules';
import type { Names } from '../namespace/target-spec';
import type { Socket } from './socket';
import type { Target } from './target';

/** Who may enter and who listens. */
export interface NamespaceRules<Incoming = AnyEvents, Outgoing = AnyEvents, Data = Record<string, unknown>> {
  /** Runs for every socket that wants to enter. Throw to refuse it. */
  use(middleware: Middleware<Data>): this;
  /** A socket is connected to the namespace. */
  on(event: 'connection', handler: (socket: Socket<Incoming, Outgoing, Data>) => void): this;
}

export interface Namespace<Incoming = AnyEvents, Outgoing = AnyEvents, Data = Record<string, unknown>>
  extends NamespaceRules<Incoming, Outgoing, Data>,
    Target<Outgoing, Data> {
  readonly name: string;
  /** Sockets by id, those whose session is away included. */
  readonly sockets: ReadonlyMap<string, Socket<Incoming, Outgoing, Data>>;
  /** Rooms that have members, each with the ids of its members. */
  readonly rooms: ReadonlyMap<string, ReadonlySet<string>>;
  to(...rooms: Names): Target<Outgoing, Data>;
}
