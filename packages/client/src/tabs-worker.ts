// For the worker that all tabs of a browser share: it has the session, and the tabs have sockets of it by `@halyard/client/tabs`.
import { json } from '@halyard/codec/json';
import { chosen } from './api/chosen';
import { createClient } from './api/connect';
import type { ClientOptions } from './api/options';
import { systemClock } from './platform/clock';
import { systemRandom } from './platform/random';
import { randomToken } from './platform/token';
import type { Reload } from './session/reload';
import { createHub, type Tab } from './tabs/hub';
import type { TabPort } from './tabs/messages';
import { createMirror } from './tabs/mirror';

export interface Tabs {
  /** Takes a tab in. A SharedWorker does that by itself. */
  accept(port: TabPort): void;
}

/**
 * Serves all tabs that have this worker: to be called once, before anything is awaited.
 * @param url of the server: `http`, `https`, `ws` or `wss`, or the worker's own if it is left out; the tabs say which namespaces they want
 * @param options as of `connect`; `auth` is the tabs'
 * @throws LocalUsageError `ERR_OPTION`
 */
export function serveTabs(
  url?: string | URL,
  options: Omit<ClientOptions, 'auth' | 'autoConnect' | 'reload'> = {},
): Tabs {
  const tabs = new Set<Tab>();
  const mirror = createMirror((kept) => {
    for (const tab of tabs) tab.post(['kept', kept]);
  });
  const reload: Reload = { savedCharsMax: Infinity, keep: mirror.keep };
  const all = chosen(options);
  const [client] = createClient(url, { ...all, reload });
  const accept = createHub(
    { ...client, mirror, codec: json(), frames: all.codec, clock: options.clock ?? systemClock },
    tabs,
    `halyard worker ${randomToken(systemRandom)}`,
  );
  globalThis.addEventListener?.('connect', ({ ports }: Event & { ports?: readonly TabPort[] }) => {
    for (const port of ports ?? []) accept(port);
  });
  return { accept };
}

export type { TabPort } from './tabs/messages';
