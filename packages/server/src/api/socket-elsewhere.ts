// A socket that another server has, as that told of it: what is sent to it, and which rooms it joins and leaves, finds its session wherever that
// is by then; its end is asked of the server that has it.
import { answerMissing, type EventArgs, type EventReply, LocalUsageError } from '@halyard/protocol';
import type { Audience } from '../namespace/audience';
import type { ClusterRequests } from '../namespace/cluster-requests';
import { sentArgs } from '../namespace/sent-args';
import type { FoundSocket } from '../namespace/socket-facts';
import { flatten, type Names, socketAlone } from '../namespace/target-spec';
import { checkTimeout } from '../namespace/timeout';
import type { Handshake } from '../session/handshake';
import { checkRoomName } from '../session/spans';
import { elsewhereHabits, timeoutHabits } from './habits';
import type { RemoteSocket } from './remote-socket';

export class SocketElsewhere<Outgoing, Data> implements RemoteSocket<Outgoing, Data> {
  readonly id: string;
  readonly rooms: ReadonlySet<string>;
  readonly handshake: Handshake<Data>;
  readonly #node: string;
  readonly #audience: Audience;
  readonly #requests: ClusterRequests;

  constructor({ id, node, rooms, handshake }: FoundSocket, audience: Audience, requests: ClusterRequests) {
    this.id = id;
    this.rooms = rooms;
    // What the app keeps there is the app's to say.
    this.handshake = handshake as Handshake<unknown> as Handshake<Data>;
    this.#node = node;
    this.#audience = audience;
    this.#requests = requests;
  }

  get namespace(): string {
    return this.handshake.namespace;
  }

  get data(): Data {
    return this.handshake.data;
  }

  emit<Name extends keyof Outgoing & string>(event: Name, ...args: EventArgs<Outgoing, Name>): void {
    this.#audience.publish(socketAlone(this.id), event, sentArgs(args));
  }

  async emitDurable<Name extends keyof Outgoing & string>(
    event: Name,
    ...args: EventArgs<Outgoing, Name>
  ): Promise<void> {
    await this.#audience.publishDurably(socketAlone(this.id), event, sentArgs(args));
  }

  emitWithAck<Name extends keyof Outgoing & string>(
    event: Name,
    ...args: EventArgs<Outgoing, Name>
  ): Promise<EventReply<Outgoing, Name>> {
    return this.#ask(undefined, event, args);
  }

  timeout(timeoutMs: number): Pick<RemoteSocket<Outgoing, Data>, 'emitWithAck'> {
    checkTimeout(timeoutMs);
    const timed: Pick<RemoteSocket<Outgoing, Data>, 'emitWithAck'> = {
      emitWithAck: (event, ...args) => this.#ask(timeoutMs, event, args),
    };
    return Object.assign(Object.create(timedPrototype), timed);
  }

  async #ask<Name extends keyof Outgoing & string>(
    timeoutMs: number | undefined,
    event: Name,
    args: EventArgs<Outgoing, Name>,
  ): Promise<EventReply<Outgoing, Name>> {
    const spec = { ...socketAlone(this.id), timeoutMs };
    const { replies } = await this.#audience.request(spec, event, sentArgs(args));
    if (replies.length > 0) return replies[0] as EventReply<Outgoing, Name>;
    const message = `The socket ${this.id} of another server has not answered "${event}": it is gone, its handler has failed, or it took too long.`;
    throw new LocalUsageError('ERR_ACK_TIMEOUT', message);
  }

  join(...rooms: Names): void {
    const names = flatten(rooms);
    for (const name of names) checkRoomName(name, true);
    this.#audience.place(this.id, true, names);
  }

  leave(...rooms: Names): void {
    this.#audience.place(this.id, false, flatten(rooms));
  }

  disconnect(session = false): void {
    void this.#requests.actOn(this.#node, this.namespace, socketAlone(this.id), ['disconnect', session]);
  }
}

const timedPrototype = {};
answerMissing(timedPrototype, 'socket.timeout(ms)', timeoutHabits);
answerMissing(SocketElsewhere.prototype, 'socket', elsewhereHabits);
