// Finds the WebSocket class where the platform has one.
export const loadWebSocket = (): typeof WebSocket | Promise<typeof WebSocket> => WebSocket;
