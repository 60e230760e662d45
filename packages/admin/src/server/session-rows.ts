// A session as it is shown: nothing of what is said over it, and of the app's own data what the app says.
import type { InspectedSession, Socket } from '@halyard/server';
import { fewOf } from '../base/few';
import type { SessionDetails, SessionRow, SocketRow } from '../base/said';

/** @returns what is shown of a socket beside ids */
export type Describe = (socket: Socket) => string;

const descriptionCharsMax = 200;
const textCharsMax = 64;
const socketsMax = 64;
const roomsMax = 100;
/** Of a session its first sockets are described. */
const describedMax = 4;

/** @param describe the option */
export function describer(describe: ((socket: Socket) => string | undefined) | undefined): Describe {
  if (describe === undefined) return () => '';
  return (socket) => {
    try {
      return String(describe(socket) ?? '').slice(0, descriptionCharsMax);
    } catch (error) {
      return `(describe has failed: ${error instanceof Error ? error.name : typeof error})`;
    }
  };
}

export function descriptionOf({ sockets }: InspectedSession, describe: Describe): string {
  const all = sockets.slice(0, describedMax).map(describe);
  return [...new Set(all)].filter((text) => text !== '').join(', ');
}

export function rowOf(session: InspectedSession, describe: Describe): SessionRow {
  const { id, state, transport = '', codec, address, client, bufferedBytes, sockets } = session;
  const times = sockets.map(({ handshake }) => handshake.time.getTime());
  return {
    ...{ id, state, transport, codec, bufferedBytes },
    address: address.slice(0, textCharsMax),
    client: client.slice(0, textCharsMax),
    since: times.length === 0 ? 0 : Math.min(...times),
    sockets: sockets.length,
    description: descriptionOf(session, describe),
  };
}

export function detailsOf(session: InspectedSession, describe: Describe): SessionDetails {
  const { connection = 0, outboxPackets, outboxBytes, sockets } = session;
  const socketList = fewOf(sockets, {
    ...{ rowsMax: socketsMax, weight: () => 0 },
    row: (socket) => socketRowOf(socket, describe),
  });
  return { ...rowOf(session, describe), connection, outboxPackets, outboxBytes, socketList };
}

function socketRowOf(socket: Socket, describe: Describe): SocketRow {
  const { id, namespace, handshake } = socket;
  const rooms = new Set(socket.rooms);
  rooms.delete(id);
  return {
    ...{ id, namespace },
    since: handshake.time.getTime(),
    rooms: fewOf(rooms, { rowsMax: roomsMax, weight: () => 0, row: (room) => room }),
    description: describe(socket),
  };
}
