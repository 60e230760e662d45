// Lines by the name of their transport.
import type { TransportName } from '@halyard/client';
import type { Dial, Opening } from './line';
import { openPolling } from './polling-line';
import { openStream } from './stream-line';
import { openWebSocket } from './websocket-line';

/** In the order in which the client tries them. */
export const transportNames: readonly TransportName[] = ['websocket', 'sse', 'polling'];

const byName = { websocket: openWebSocket, sse: openStream, polling: openPolling };

/** MUST NOT reject: what goes wrong is in the opening. */
export function openLine(transport: TransportName, dial: Dial): Promise<Opening> {
  return byName[transport](dial);
}
