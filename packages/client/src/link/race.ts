// Several transports as one. They race instead of queueing: the next one starts when the one before fails or takes long.
// The first that opens wins, and the others are closed before anything was said on them. What worked is remembered, by a tab even
// when its page is loaded anew.
import { afterClose } from '@halyard/protocol';
import { debug } from '#debug';
import { checkNumber, optionError } from '../base/option-error';
import { keep, recall } from '../platform/tab-storage';
import { broken, type Link, type Transport } from './transport';

/** A transport that worked where an earlier one did not is tried first for this long. */
const preferenceMs = 300_000;

/**
 * @param transports in the order in which they are tried
 * @param fallbackDelayMs a transport that has not opened after this gets a rival, the next one: 0 to 600,000
 * @throws LocalUsageError `ERR_OPTION`
 */
export function race(transports: readonly Transport[], fallbackDelayMs = 400): Transport {
  if (!transports?.length || transports.some((transport) => !transport?.open))
    throw optionError('transports', 'a list, such as [websocket(), polling()]');
  checkNumber('fallbackDelayMs', fallbackDelayMs, 0, 600_000);
  let order = transports;
  let preferredUntil = 0;
  /** The first transport has worked: where it does not now, the server may just be starting. */
  let proven = false;
  let isRecalled = false;

  /** Goes on with the order that a page before this one has found out. */
  const recallOrder = (key: string, now: number) => {
    if (isRecalled) return;
    isRecalled = true;
    const [until, ...places] = recall(key) as number[];
    const leftMs = Math.min(until! - Date.now(), preferenceMs);
    // Of other transports it says nothing.
    if (!(leftMs > 0) || `${[...places].sort()}` !== `${[...transports.keys()]}`) return;
    order = places.map((place) => transports[place]!);
    preferredUntil = now + leftMs;
  };

  return {
    open(address, { onOpen, onFrame, onClose }) {
      const { clock } = address;
      const key = `halyard ${address.url}`;
      recallOrder(key, clock.now());
      if (clock.now() >= preferredUntil) order = transports;
      const tried = order;
      const links = new Map<Link, Transport>();
      let started = 0;
      let winner: Link | undefined;
      let said = false;
      let worked = false;
      let worst = broken('no transport');
      let cancelTimer = () => {};

      const prefer = (first: readonly Transport[], last: readonly Transport[]) => {
        order = [...first, ...order.filter((other) => other !== first[0] && other !== last[0]), ...last];
        preferredUntil = clock.now() + preferenceMs;
        keep(key, [Date.now() + preferenceMs, ...order.map((one) => transports.indexOf(one))]);
      };

      const stop = () => {
        cancelTimer();
        for (const link of links.keys()) if (link !== winner) link.close(1000, '');
      };

      /** The winner is gone. One that was spoken to and brought no answer, as through some proxies, is tried last. */
      const give = () => {
        if (winner && said && !worked) prefer([], [links.get(winner)!]);
      };

      const start = () => {
        cancelTimer();
        const transport = tried[started++];
        if (!transport) {
          if (!links.size) onClose(worst);
          return;
        }
        if (started < tried.length) cancelTimer = clock.after(fallbackDelayMs, start);
        const link = transport.open(address, {
          onOpen() {
            winner = link;
            stop();
            onOpen();
          },
          onFrame(frame) {
            if (!worked) {
              worked = true;
              if (transport === transports[0]) proven = true;
              else if (!proven && transport !== tried[0]) prefer([transport], []);
            }
            onFrame(frame);
          },
          onClose(close) {
            if (winner) {
              give();
              return onClose(close);
            }
            debug.log?.('transport', link.name, 'failed', { close });
            links.delete(link);
            // Of several failures the one that is final tells what is wrong.
            if (afterClose(worst.code) !== 'final') worst = close;
            start();
          },
        });
        links.set(link, transport);
      };

      start();
      return {
        get name() {
          return winner?.name ?? '';
        },
        get frameBytesMax() {
          return winner?.frameBytesMax;
        },
        get bufferedBytes() {
          return winner?.bufferedBytes ?? 0;
        },
        send(frame) {
          said = true;
          winner?.send(frame);
        },
        close(code, reason) {
          give();
          stop();
          winner?.close(code, reason);
        },
      };
    },
  };
}
