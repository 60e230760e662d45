// What other servers are told of a socket: a snapshot, as plain data, and back.
import type { Codec } from '@halyard/codec';
import type { Frame, Value } from '@halyard/protocol';
import { Handshake, originOf } from '../session/handshake';
import type { Presence } from '../session/presence';
import { encodeValue, type PeerRecord, peerShape } from '../session/record';
import type { Shape } from '../session/record-shape';
import type { Trust } from '../wire/proxies';
import { decoded } from './target-message';

/** A socket, as other servers may use it. */
export interface UsableSocket extends Presence {
  readonly handshake: Handshake;
  readonly rooms: ReadonlySet<string>;
  emit(event: string, ...args: unknown[]): void;
  join(...rooms: string[]): void;
  leave(...rooms: string[]): void;
  disconnect(session?: boolean): void;
}

export interface SocketFacts {
  readonly id: string;
  /** Of the session's connection, as its client counts: of two servers that list a socket, the higher one has it. */
  readonly generation: number;
  readonly rooms: readonly string[];
  readonly data: Frame;
  readonly auth: Frame;
  readonly client: string;
  readonly peer: PeerRecord;
  /** When `auth` ends, in milliseconds since 1970. */
  readonly expiresAt?: number | undefined;
}

export const factsShape: Shape = {
  fields: {
    ...{ id: 'text', generation: 'count', rooms: { list: 'text' } },
    ...{ data: 'frame', auth: 'frame', client: 'text', peer: peerShape },
    expiresAt: { optional: 'stamp' },
  },
};

export function factsOf(socket: UsableSocket, codec: Codec): Value {
  const { id, handshake, line } = socket;
  const { expiresAtMs } = handshake;
  return {
    ...{ id, generation: line.generation, rooms: [...socket.rooms] },
    data: socket.encodedData(codec),
    auth: encodeValue(handshake.auth as Value, codec),
    client: handshake.client,
    peer: { ...handshake.peer },
    ...(expiresAtMs === undefined ? {} : { expiresAt: expiresAtMs }),
  } satisfies Partial<Record<keyof SocketFacts, Value>>;
}

/** A socket of another server, as it was when that was asked. */
export interface FoundSocket {
  readonly id: string;
  /** The server that has it. */
  readonly node: string;
  readonly generation: number;
  readonly rooms: ReadonlySet<string>;
  /** With its `data`. */
  readonly handshake: Handshake;
}

/** @param facts of `factsShape` @throws RemoteProtocolError `ERR_VALUE` if they hold what is none */
export function foundOf(
  facts: SocketFacts,
  { node, namespace, codec, trustProxy }: { node: string; namespace: string; codec: Codec; trustProxy: Trust },
): FoundSocket {
  const { id, generation, rooms, client, peer, expiresAt } = facts;
  const origin = originOf(peer, trustProxy);
  const data = decoded(facts.data, codec) as Record<string, unknown> | undefined;
  const handshake = new Handshake(namespace, decoded(facts.auth, codec), client, origin, data).endsAt(expiresAt);
  return { id, node, generation, rooms: new Set(rooms), handshake };
}
