// A transport that tells of each frame as it goes.
import type { Link, Transport } from '@halyard/client';
import type { Frame } from '@halyard/protocol';

export type Direction = 'in' | 'out';

export function tapped(transport: Transport, tell: (direction: Direction, frame: Frame) => void): Transport {
  return {
    open(address, events) {
      const link = transport.open(address, {
        onOpen: () => events.onOpen(),
        onClose: (close) => events.onClose(close),
        onFrame(frame) {
          tell('in', frame);
          events.onFrame(frame);
        },
      });
      return tappedLink(link, (frame) => tell('out', frame));
    },
  };
}

function tappedLink(link: Link, tell: (frame: Frame) => void): Link {
  return {
    name: link.name,
    get bufferedBytes() {
      return link.bufferedBytes;
    },
    get frameBytesMax() {
      return link.frameBytesMax;
    },
    get better() {
      return link.better;
    },
    send(frame) {
      tell(frame);
      link.send(frame);
    },
    close: (code, reason) => link.close(code, reason),
  };
}
