// Transports race instead of queueing: the next one starts when the one before fails or takes long. The first that
// opens wins; the others are closed before anything was said on them.
import { afterClose, type Close, type Frame } from '@halyard/protocol';
import { broken, type Link, type Target, type Transport } from '../transport/transport';

export interface RaceEvents {
  onWin(link: Link, transport: Transport): void;
  /** From the winner. */
  onFrame(frame: Frame): void;
  /** The winner closed, or every transport failed to open. */
  onClose(close: Close): void;
}

/** @returns a function that ends the race while nobody has won */
export function race(
  transports: readonly Transport[],
  target: Target,
  delayMs: number,
  { onWin, onFrame, onClose }: RaceEvents,
): () => void {
  const links = new Set<Link>();
  let started = 0;
  let won = false;
  let worst = broken('no transport');
  let cancelTimer = () => {};

  const stop = (winner?: Link) => {
    cancelTimer();
    for (const link of links) if (link !== winner) link.close(1000, '');
    links.clear();
  };

  const start = () => {
    cancelTimer();
    const transport = transports[started++];
    if (!transport) {
      if (!links.size) onClose(worst);
      return;
    }
    if (started < transports.length) cancelTimer = target.clock.after(delayMs, start);
    const link = transport.open(target, {
      onOpen() {
        won = true;
        stop(link);
        onWin(link, transport);
      },
      onFrame,
      onClose(close) {
        if (won) return onClose(close);
        links.delete(link);
        // Of several failures the one that is final tells what is wrong.
        if (afterClose(worst.code) !== 'final') worst = close;
        start();
      },
    });
    links.add(link);
  };

  start();
  return stop;
}
