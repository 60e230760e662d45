// The opening of a session on one link after another: what names it, how far it is, and the HELLO that says so
// (docs/PROTOCOL.md §5). Only session.ts changes it.
import {
  type HelloPacket,
  type NamespaceRequest,
  type NumberRanges,
  PacketType,
  type Position,
} from '@halyard/protocol';
import type { Link } from '../link/transport';

export interface Opening {
  /** The link of now, spoken to first by HELLO. */
  link?: Link | undefined;
  /** Whether WELCOME has come on it. */
  open?: boolean;
  /** The server's name for the session and what proves that it is ours, once WELCOME has come. The same object for the same session. */
  key?: { readonly session: string; readonly secret: string } | undefined;
  /** Names the session while WELCOME has not told its key. Empty until HELLO has been said for it. */
  token: string;
  /** How many times HELLO was said: the server tells a late one by it. */
  generation: number;
}

/** What HELLO says of the stream. */
interface StreamCounts {
  readonly received: number;
  readonly outbox: { readonly confirmed: number; readonly left: number; readonly settled: NumberRanges | undefined };
}

/** Whether the session is known that something would be sent in: otherwise HELLO comes first, or WELCOME is about to tell. */
export function isKnown({ key, open, link, token }: Opening): boolean {
  return !!(key ? open || !link : token);
}

export function helloOf(
  { key, token, generation }: Opening,
  namespaces: readonly NamespaceRequest[],
  positions: readonly Position[],
  { received, outbox: { confirmed, left, settled } }: StreamCounts,
): HelloPacket {
  return {
    type: PacketType.Hello,
    namespaces,
    client: 'halyard-js/0.1.0',
    resume: key && { ...key, received, confirmed, positions, settled },
    token: key ? '' : token,
    generation,
    left,
  };
}
