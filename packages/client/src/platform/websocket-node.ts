// Finds the WebSocket class in Node: the global one, or the optional peer dependency `ws`.
let told = false;

export const loadWebSocket = (): typeof WebSocket | Promise<typeof WebSocket> =>
  globalThis.WebSocket ??
  import('ws').then(
    (ws) => ws.WebSocket as unknown as typeof WebSocket,
    (error) => {
      if (!told) console.warn('Halyard: this Node has no WebSocket. Install ws, or another transport is used.');
      told = true;
      throw error;
    },
  );
