// Where a session is as plain data, and back: what another server needs to go on with its presences.
// Methods are private by the compiler alone: one with # costs every instance a field.
import type { Codec } from '@halyard/codec';
import { type Frame, PacketType, type Value } from '@halyard/protocol';
import { listOf } from '../base/compact-list';
import type { Top } from '../store/turn';
import { Attending } from './attending';
import { Handshake, originOf } from './handshake';
import {
  type CountsRecord,
  decodeValue,
  encodeValue,
  type IdentityRecord,
  type LeftRecord,
  type PeerRecord,
  type PendingRecord,
  type PresenceRecord,
  type SessionRecord,
} from './record';
import type { RecordedSocket, RecordSource } from './record-writer';

export abstract class Moving extends Attending implements RecordSource {
  abstract identity(): IdentityRecord;
  abstract counts(): CountsRecord;

  sockets(): readonly RecordedSocket[] {
    const sockets = listOf(this.presences).map((presence) => ({
      id: presence.id,
      record: (codec: Codec, tops: Map<string, Top>) => presence.record(codec, tops),
      data: (codec: Codec) => presence.encodedData(codec),
    }));
    return [...sockets, ...this.leavingSockets];
  }

  leftRecords(tops: Map<string, Top>): readonly LeftRecord[] {
    const { confirmedStamp } = this;
    return (this.left ?? []).map(({ presence, namespace }) => ({
      ...{ id: presence.id, namespace },
      memberships: presence.pastRecords(confirmedStamp, tops),
    }));
  }

  pendingRecords(codec: Codec): readonly PendingRecord[] {
    return [...(this.pending?.handshakes() ?? [])].map(({ namespace, auth, peer }) => ({
      ...{ namespace, peer },
      auth: encodeValue(auth as Value, codec),
    }));
  }

  framesAfter(number: number): ReturnType<RecordSource['framesAfter']> {
    return this.movable.framesAfter(number);
  }

  /** Is where it was on another server. @param before called when its sockets are there, and the app does not know of them yet */
  protected attendAgain({ left, presences, pending }: SessionRecord, before: () => void): void {
    for (const record of left) this.recall(record);
    const tells = presences.map((record) => this.revive(record));
    before();
    // Also if it is over by now: a server before this one has said that it goes on.
    for (const tell of tells) tell?.();
    if (this.isOver) return;
    for (const { namespace, auth, peer } of pending)
      this.ask(namespace, this.decode(auth), this.handshakeOf(namespace, this.decode(auth), peer));
  }

  /** @returns a function that tells the app of it */
  private revive(record: PresenceRecord): (() => void) | undefined {
    const { namespace: name, peer, auth, data, expiresAt } = record;
    const handshake = this.handshakeOf(name, this.decode(auth), peer, this.decode(data)).endsAt(expiresAt);
    const namespace = this.context.namespace(name, handshake.auth, { session: this.id, address: handshake.address });
    // Without it, what is sent to the client from there on ends here.
    if ('admit' in namespace) return namespace.revive(this, handshake, record);
    this.push({ type: PacketType.Disconnect, namespace: name, reason: namespace.code });
    return undefined;
  }

  private recall(record: LeftRecord): void {
    const { namespace: name } = record;
    const namespace = this.context.namespace(name, undefined, { session: this.id, address: '' });
    if (!('recall' in namespace)) return;
    this.left ??= [];
    this.left.push({
      presence: namespace.recall(this, record),
      namespace: name,
      stamp: this.context.turn.stamps.next(),
    });
  }

  private decode(frame: Frame): Value | undefined {
    return decodeValue(frame, this.context.recordCodec);
  }

  private handshakeOf(name: string, auth: Value | undefined, peer: PeerRecord, data?: Value): Handshake {
    const origin = originOf(peer, this.context.trustProxy);
    return new Handshake(name, auth, this.client, origin, data as Record<string, unknown> | undefined);
  }
}
