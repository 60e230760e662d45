// How the doctor introduces itself to a server.
import { type HelloPacket, type NamespaceRequest, PacketType } from '@halyard/protocol';

/** @returns the first packet of a client without a session */
export function hello(namespaces: readonly NamespaceRequest[]): HelloPacket {
  const token = crypto.randomUUID();
  return {
    type: PacketType.Hello,
    namespaces,
    client: 'halyard doctor',
    resume: undefined,
    token,
    generation: 1,
    left: 0,
  };
}
