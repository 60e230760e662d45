// How WebSockets are made where the platform has a class for them. No header field can be set there.
export type MakeWebSocket = (
  url: string,
  protocol: string,
  headers: Readonly<Record<string, string>> | undefined,
) => WebSocket;

export const loadWebSocket =
  (Class: typeof WebSocket = WebSocket): MakeWebSocket | Promise<MakeWebSocket> =>
  (url, protocol) =>
    new Class(url, protocol);

/** @returns why a WebSocket did not open */
export const whyOf = (_event: Event): unknown => 'browsers do not say why';
