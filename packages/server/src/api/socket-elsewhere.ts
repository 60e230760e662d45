// A socket that another server has, as that told of it: what it does is asked of the server that has it.
import { checkEventName, type EventArgs, type EventName, trimmedArgs } from '@halyard/protocol';
import type { Action, ClusterRequests } from '../namespace/cluster-requests';
import type { FoundSocket } from '../namespace/socket-facts';
import { flatten, type Names, type TargetSpec, wholeNamespace } from '../namespace/target-spec';
import type { Handshake } from '../session/handshake';
import { checkRoomName } from '../session/spans';
import type { RemoteSocket } from './remote-socket';

export class SocketElsewhere<Outgoing, Data> implements RemoteSocket<Outgoing, Data> {
  readonly id: string;
  readonly rooms: ReadonlySet<string>;
  readonly handshake: Handshake<Data>;
  readonly #node: string;
  readonly #requests: ClusterRequests;

  constructor({ id, node, rooms, handshake }: FoundSocket, requests: ClusterRequests) {
    this.id = id;
    this.rooms = rooms;
    // What the app keeps there is the app's to say.
    this.handshake = handshake as Handshake<unknown> as Handshake<Data>;
    this.#node = node;
    this.#requests = requests;
  }

  get namespace(): string {
    return this.handshake.namespace;
  }

  get data(): Data {
    return this.handshake.data;
  }

  emit<Name extends EventName<Outgoing>>(event: Name, ...args: EventArgs<Outgoing, Name>): void {
    checkEventName(event);
    this.#act(['emit', this.#requests.encodeEvent(event, trimmedArgs(args))]);
  }

  join(...rooms: Names): void {
    const names = flatten(rooms);
    for (const name of names) checkRoomName(name);
    this.#act(['join', names]);
  }

  leave(...rooms: Names): void {
    this.#act(['leave', flatten(rooms)]);
  }

  disconnect(session = false): void {
    this.#act(['disconnect', session]);
  }

  #act(action: Action): void {
    const spec: TargetSpec = { ...wholeNamespace, rooms: [this.id] };
    void this.#requests.actOn(this.#node, this.namespace, spec, action);
  }
}
