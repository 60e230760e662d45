// Clients that come over TLS to what stands in front of the servers, and check its certificate.
import { globalAgent } from 'node:https';
import { type ClientOptions, connect, polling, type Socket, sse, type TransportName, websocket } from '@halyard/client';
import { cert } from '@halyard/harness/certificate';
import WebSocket from 'ws';

/** Where they come from: not from where the servers see the proxy. Linux alone has more than one address for that. */
export const clientAddress = process.platform === 'linux' ? '127.0.0.5' : '127.0.0.1';

const own = { ca: cert, localAddress: clientAddress };
// What polling and sse ask with.
Object.assign(globalAgent.options, own);

class OwnWebSocket extends WebSocket {
  constructor(url: string, protocol: string, options: object) {
    super(url, protocol, { ...options, ...own });
  }
}

export const transports = {
  websocket: () => websocket({ WebSocket: OwnWebSocket as never }),
  sse,
  polling,
} as const;

export const transportNames = Object.keys(transports) as TransportName[];

/** A client, and what it was told. */
export interface Told {
  readonly client: Socket;
  /** `connect` and whether it was recovered, `disconnect` and its code, `connect_error` and its message, `error`. */
  readonly told: string[];
  /** Every transport that has carried it, one after the other. */
  readonly carriers: (string | undefined)[];
}

/** @param names of its transports, all unless said; it waits as short as it may */
export function connectTo(
  url: string,
  { names = transportNames, ...options }: ClientOptions & { names?: readonly TransportName[] } = {},
): Told {
  const client = connect(url, {
    transports: names.map((name) => transports[name]()),
    reconnect: { delayMinMs: 1, delayMaxMs: 50 },
    random: () => 0,
    ...options,
  });
  const told: string[] = [];
  const carriers: (string | undefined)[] = [];
  client.on('connect', ({ recovered }) => void told.push(`connect ${recovered}`));
  client.on('disconnect', ({ code }) => void told.push(`disconnect ${code}`));
  client.on('connect_error', ({ message }) => void told.push(`connect_error ${message}`));
  client.on('error', (error) => void told.push(`error ${error}`));
  client.connection.on('state', (change) => void (change.to === 'open' && carriers.push(change.transport)));
  return { client, told, carriers };
}
