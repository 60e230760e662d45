// The transports by their names, as options take them.
import { polling, sse, type Transport, websocket } from '@halyard/client';
import WebSocket from 'ws';
import { namesError } from '../base/option';

const transports: Readonly<Record<string, () => Transport>> = {
  // The same on every Node.
  websocket: () => websocket({ WebSocket: WebSocket as never }),
  sse,
  polling,
};

/** @param text names with commas between them; all if left out. @throws LocalUsageError `ERR_OPTION` */
export function transportsIn(text: string | undefined): Transport[] {
  const names = text?.split(',') ?? Object.keys(transports);
  return names.map((name) => {
    const make = Object.hasOwn(transports, name) ? transports[name] : undefined;
    if (make === undefined) throw namesError('--transport', Object.keys(transports), name);
    return make();
  });
}
