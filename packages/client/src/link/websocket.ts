// The websocket transport (docs/PROTOCOL.md §2): one message is one frame.
import type { Close, Frame } from '@halyard/protocol';
import { loadWebSocket, whyOf } from '#websocket';
import { type Address, broken, type Link, type LinkEvents, type Transport } from './transport';

const nothing = () => {};

export interface WebSocketOptions {
  /** The class to open sockets with. Default: the platform's, or in a Node without one that of `ws`. */
  WebSocket?: typeof WebSocket | undefined;
}

/** RFC 6455: one connection for both directions. */
export function websocket({ WebSocket }: WebSocketOptions = {}): Transport {
  return { name: 'websocket', open: (address, events) => open(address, events, WebSocket) };
}

function open(address: Address, { onOpen, onFrame, onClose }: LinkEvents, given?: typeof WebSocket): Link {
  let socket: WebSocket | undefined;
  let closed = false;
  const fail = (close: Close) => {
    if (!closed) onClose(close);
    closed = true;
  };
  (async () => {
    const make = await loadWebSocket(given);
    if (closed) return;
    socket = make(address.url.replace('http', 'ws'), address.protocol, address.extraHeaders, fail);
    socket.binaryType = 'arraybuffer';
    socket.onopen = () => {
      socket!.onerror = nothing;
      onOpen();
    };
    socket.onmessage = ({ data }) => onFrame(typeof data === 'string' ? data : new Uint8Array(data));
    // Once open, `close` always follows. Before, it does not in Node 22.
    socket.onerror = (event) => {
      socket!.onclose = null;
      fail(broken(`${whyOf(event)}`));
    };
    socket.onclose = ({ code, reason }) =>
      onClose(code === 1006 || code === 1005 ? broken(reason, code) : { code, reason, by: 'server' });
  })().catch((error: Error) => fail(broken(error.message)));
  return {
    name: 'websocket',
    get bufferedBytes() {
      return socket?.bufferedAmount ?? 0;
    },
    send: (frame: Frame) => socket?.send(frame as string | Uint8Array<ArrayBuffer>),
    close(code, reason) {
      closed = true;
      if (!socket) return;
      socket.onopen = socket.onmessage = socket.onclose = null;
      // Browsers let a page send 1000 and 3000 to 4999 only, with at most 123 bytes of reason. Without a code the
      // session stays resumable.
      if (code > 2999) socket.close(code, reason.slice(0, 40));
      else socket.close(code < 1002 ? 1000 : undefined);
    },
  };
}
