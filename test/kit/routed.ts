// A way for a client of ours to one server at a time, that may be cut.
import { type Transport, websocket } from '@halyard/client/core';
import type { Server } from '@halyard/server';

/** @returns the transport of a client, where it goes from now on, and what cuts it */
export function routed(to: Server) {
  const route = {
    to,
    cut: (): void => {},
    transport: {
      open(address, events) {
        const link = websocket().open({ ...address, url: `http://127.0.0.1:${route.to.port}/halyard` }, events);
        route.cut = () => {
          link.close(4000, '');
          events.onClose({ code: 1006, reason: 'cut', by: 'network' });
        };
        return link;
      },
    } satisfies Transport as Transport,
  };
  return route;
}
