// Another `auth` over a live connection (docs/PROTOCOL.md §5.11): middleware of `renew` decides about it, and what that sets is what
// ends from then on. It is not begun for good where it is decided: a session that goes on elsewhere meanwhile has it decided there.
import { packetLimits, RemoteProtocolError, type RenewPacket } from '@halyard/protocol';
import type { Handshake, HandshakeOrigin } from '../session/handshake';
import { notConnected } from '../session/not-connected';
import type { Presence } from '../session/presence';
import { type DecisionContext, decide } from './middleware';
import type { Rules } from './rules';

/** A socket, as its renewal has it. */
export interface RenewedSocket extends Presence {
  handshake: Handshake<never>;
}

export class Renewals {
  readonly #rules: Rules;
  readonly #context: DecisionContext;
  /** Those whose new `auth` is not decided. */
  readonly #undecided = new WeakSet<RenewedSocket>();

  constructor(rules: Rules, context: DecisionContext) {
    this.#rules = rules;
    this.#context = context;
  }

  /** @returns what the client is told of how long something lasts, in milliseconds; undefined if it is not to present something else */
  renewMsOf({ expiresAtMs }: Pick<Handshake, 'expiresAtMs'>): number | undefined {
    if (expiresAtMs === undefined || this.#rules.renewals.length === 0) return undefined;
    // Whole, whatever clock there is.
    const leftMs = Math.ceil(expiresAtMs - this.#context.wall());
    return Math.min(Math.max(leftMs, 1), packetLimits.settingMax);
  }

  /**
   * @param number to settle it by @param origin of the connection that there is, if there is one
   * @throws RemoteProtocolError `ERR_RENEW_REPEATED`
   */
  renew(socket: RenewedSocket, packet: RenewPacket, number: number, origin: HandshakeOrigin | undefined): void {
    const { namespace, line } = socket;
    if (this.renewMsOf(socket.handshake) === undefined) {
      // Who has connected again may have been told so by the answer from before (docs/PROTOCOL.md §5.8).
      line.sendAck(packet.ack, undefined);
      line.settle(number);
      return;
    }
    if (this.#undecided.has(socket))
      throw new RemoteProtocolError('ERR_RENEW_REPEATED', `RENEW for ${namespace} before the last one was answered`);
    this.#undecided.add(socket);
    void this.#decide(socket, packet, number, origin);
  }

  async #decide(
    socket: RenewedSocket,
    { auth, ack }: RenewPacket,
    number: number,
    origin: HandshakeOrigin | undefined,
  ): Promise<void> {
    const handshake = socket.handshake.renewed(auth, origin);
    const refusal = await decide(this.#rules.renewals, handshake, this.#context, 'The renewal was refused.');
    this.#undecided.delete(socket);
    const { line } = socket;
    const failure = refusal ?? (socket.connected ? undefined : notConnected);
    if (failure === undefined) {
      socket.handshake = handshake;
      line.renewedAuth(socket);
    }
    // Of a session that is over here nobody is answered: where it goes on it is decided anew.
    if (!line.isOver) {
      if (failure === undefined) line.sendAck(ack, this.renewMsOf(handshake));
      else line.sendError(ack, failure);
    }
    line.settle(number);
  }
}
