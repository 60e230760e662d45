// Several transports as one. They race instead of queueing: the next one starts when the one before fails or takes long.
// The first that opens wins, and the others are closed before anything was said on them. What worked is remembered for the next
// race to the same server, by a tab even when its page is loaded anew; and where another one than the first has won, that one can be
// tried beside it.
import { afterClose, type Clock } from '@halyard/protocol';
import { debug } from '#debug';
import { checkNumber, optionError } from '../base/option-error';
import { keep, recall } from '../platform/tab-storage';
import { type Address, broken, type Link, type LinkEvents, silentCode, type Transport } from './transport';

/** A transport that worked where an earlier one did not is tried first for this long. */
const preferenceMs = 300_000;
/** One that does not last is tried last, and not beside others, for this many times the delay of a switch: twice as long each time it happens again, … */
const avoidedDelays = 60;
/** … up to so many doublings. */
const doublingsMax = 4;
/** What works for so many of those delays lasts. */
const lastingDelays = 12;
const switchDelayMsDefault = 5_000;
/** What is cut twice at ages that differ by less is cut by something on the way that counts. */
const sameAgeMs = 2_000;

/** Of so many servers it is remembered. */
const serversMax = 100;

/** The orders that races have found out, as a tab keeps them: each of a server, for all that go by one clock. */
const found = new WeakMap<Clock, Record<string, readonly unknown[]>>();

/**
 * @param transports in the order in which they are tried
 * @param fallbackDelayMs a transport that has not opened after this gets a rival, the next one: 0 to 600,000
 * @param switchDelayMs where another one than the first carries a session, the first is tried beside it after this, and up to as much again: 1 to
 *   Infinity, which is never
 * @throws LocalUsageError `ERR_OPTION`
 */
export function race(
  transports: readonly Transport[],
  fallbackDelayMs = 400,
  switchDelayMs = switchDelayMsDefault,
): Transport {
  if (!transports?.length || transports.some((transport) => !transport?.open))
    throw optionError('transports', "a list of 'websocket', 'sse', 'polling', or of values such as websocket()");
  checkNumber('fallbackDelayMs', fallbackDelayMs, 0, 600_000);
  checkNumber('switchDelayMs', switchDelayMs, 1, Infinity);
  const unitMs = Math.min(switchDelayMs, switchDelayMsDefault);
  const [favourite] = transports as [Transport];
  let order = transports;
  let preferredUntil = 0;
  /** The favourite has worked: where it does not now, the server may just be starting. */
  let proven = false;
  let isRecalled = false;
  /** How old a link of each was when it was cut last. */
  const cutAges = new Map<Transport, number>();
  /** Those whose last link fell silent before it lasted. */
  const silent = new Set<Transport>();
  /** Until then the favourite is not tried beside another. */
  let avoidedUntil = 0;
  let doublings = 0;

  /** Of another list of transports it says nothing. */
  const keyOf = ({ url }: Address) => `halyard ${url} ${transports.map(({ name }) => name)}`;

  /** Goes on with the order that a race before this one has found out. */
  const recallOrder = (address: Address, now: number) => {
    if (isRecalled) return;
    isRecalled = true;
    const key = keyOf(address);
    const [until, ...places] = (found.get(address.clock)?.[key] ?? recall(key)) as number[];
    const leftMs = Math.min(until! - Date.now(), preferenceMs);
    // What is kept may be anything.
    if (!(leftMs > 0) || `${[...places].sort()}` !== `${[...transports.keys()]}`) return;
    order = places.map((place) => transports[place]!);
    preferredUntil = now + leftMs;
    // Of two the second may only have been quicker.
    if (order.length > 2 && order.at(-1) === favourite) avoidedUntil = preferredUntil;
  };

  /** @param pongs frames that prove nothing: what is tried beside another link has only answered PING with the first */
  const open = (
    address: Address,
    { onOpen, onFrame, onClose }: LinkEvents,
    tried: readonly Transport[],
    pongs = 0,
  ): Link => {
    const { clock } = address;
    const links = new Map<Link, Transport>();
    let started = 0;
    let heard = 0;
    let winner: Link | undefined;
    let said = false;
    let workedAt: number | undefined;
    let heardAt = 0;
    let worst = broken('no transport');
    let fault = '';
    let cancelTimer = () => {};

    const prefer = (first: readonly Transport[], last: readonly Transport[]) => {
      const isAvoided = last[0] === favourite;
      const forMs = isAvoided ? avoidedDelays * unitMs * 2 ** doublings : preferenceMs;
      order = [...first, ...order.filter((other) => other !== first[0] && other !== last[0]), ...last];
      preferredUntil = clock.now() + forMs;
      if (isAvoided) {
        avoidedUntil = preferredUntil;
        doublings = Math.min(doublings + 1, doublingsMax);
      }
      const key = keyOf(address);
      const list = [Date.now() + forMs, ...order.map((one) => transports.indexOf(one))];
      found.set(clock, Object.fromEntries([...Object.entries(found.get(clock) ?? {}), [key, list]].slice(-serversMax)));
      keep(key, list);
    };

    const stop = () => {
      cancelTimer();
      for (const link of links.keys()) if (link !== winner) link.close(1000, '');
    };

    /**
     * The winner is gone. One that was spoken to and brought no answer, as through some proxies, is tried last, and so is one that
     * something on the way cuts at the same age again, or lets fall silent again, and one that the session has moved to and that has not lasted.
     * What an end of it has closed says nothing.
     */
    const give = (isCut: boolean, isSilent: boolean) => {
      if (!winner || !said) return;
      const transport = links.get(winner)!;
      const lasted = heardAt - workedAt! >= lastingDelays * unitMs;
      if (lasted && transport === favourite) avoidedUntil = doublings = 0;
      if (!isCut) return;
      if (workedAt === undefined) return prefer([], [transport]);
      const age = clock.now() - workedAt;
      const isSameAge = Math.abs(age - cutAges.get(transport)!) < sameAgeMs;
      cutAges.set(transport, age);
      if (isSameAge || (!lasted && (pongs || (isSilent && silent.has(transport))))) prefer([], [transport]);
      if (isSilent && !lasted) silent.add(transport);
      else silent.delete(transport);
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
          heardAt = clock.now();
          if (heard++ === pongs) {
            workedAt = heardAt;
            if (transport === favourite) {
              proven = true;
              if (order[0] !== favourite) prefer([favourite], []);
            } else if (!proven && transport !== tried[0]) prefer([transport], []);
          }
          onFrame(frame);
        },
        onClose(close) {
          if (winner) {
            give(close.by === 'network', false);
            return onClose(close);
          }
          debug.log?.('transport', link.name, 'failed', { close });
          links.delete(link);
          fault += `; ${link.name}: ${close.reason}`;
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
      get fault() {
        return fault;
      },
      get better() {
        const isBest = !winner || links.get(winner) === favourite || switchDelayMs === Infinity;
        return isBest
          ? undefined
          : {
              notBeforeMs: avoidedUntil - clock.now(),
              delayMs: switchDelayMs,
              open: (_address: Address, events: LinkEvents) => open(address, events, [favourite], 1),
            };
      },
      send(frame) {
        said = true;
        winner?.send(frame);
      },
      close(code, reason) {
        give(code === silentCode, code === silentCode);
        said = false;
        stop();
        winner?.close(code, reason);
      },
    };
  };

  return {
    open(address, events) {
      const now = address.clock.now();
      recallOrder(address, now);
      if (now >= preferredUntil) order = transports;
      return open(address, events, order);
    },
  };
}
