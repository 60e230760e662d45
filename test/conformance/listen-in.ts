// A host that also tells when the server has dealt with something that arrived.
import type { HostFactory } from '@halyard/server';

/** @param heard is called after each request, handshake, message and end of a WebSocket */
export function listenIn(host: HostFactory, heard: () => void): HostFactory {
  return (path, handlers, ...rest) =>
    host(
      path,
      {
        refusal: (request, answer) => handlers.refusal(request, answer),
        request: (...request) => {
          handlers.request(...request);
          heard();
        },
        upgrade: (request) => {
          const verdict = handlers.upgrade(request);
          heard();
          if (verdict instanceof Promise || 'refuse' in verdict) return verdict;
          return {
            subprotocol: verdict.subprotocol,
            open: (socket) => {
              const listener = verdict.open(socket);
              return {
                onMessage: (data, binary) => {
                  listener.onMessage(data, binary);
                  heard();
                },
                onDrain: () => listener.onDrain(),
                onClose: (code, reason) => {
                  listener.onClose(code, reason);
                  heard();
                },
              };
            },
          };
        },
      },
      ...rest,
    );
}
