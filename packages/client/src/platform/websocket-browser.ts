// How WebSockets are made where the platform has a class for them. No header field can be set there.
import type { Close } from '@halyard/protocol';

/** @param refuse told instead of an event what the handshake was refused with, where that can be known */
export type MakeWebSocket = (
  url: string,
  protocol: string,
  headers: Readonly<Record<string, string>> | undefined,
  refuse: (close: Close) => void,
) => WebSocket;

export const loadWebSocket =
  (Class: typeof WebSocket = WebSocket): MakeWebSocket | Promise<MakeWebSocket> =>
  (url, protocol) =>
    new Class(url, protocol);

/** @returns why a WebSocket did not open */
export const whyOf = (_event: Event): unknown => 'browsers do not say why';
