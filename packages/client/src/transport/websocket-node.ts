// Finds the WebSocket class in Node: the global one, or the optional peer dependency `ws`.
export const loadWebSocket = (): typeof WebSocket | Promise<typeof WebSocket> =>
  globalThis.WebSocket ?? import('ws').then((ws) => ws.WebSocket as unknown as typeof WebSocket);
