// The end of a world: whoever is still there is named, and closed, and nothing goes on.
import type { OwnTime } from './own-time';
import type { Roster } from './roster';
import type { WorldTime } from './world-time';

/** What was still running when a world was closed. Each list is empty if the test and the app have ended everything. */
export interface Leftovers {
  /** Clients that were not closed. */
  readonly clients: readonly string[];
  /** Servers that were neither closed nor killed. */
  readonly servers: readonly string[];
  /** WebSockets and requests that a client took for alive, and how many. */
  readonly connections: readonly string[];
  /** Who still had timers once everything was closed, and how many; `world`: `sleep`, and what servers share. */
  readonly timers: readonly string[];
}

/** How long clients have to say that they leave. */
const goodbyeMs = 100;
/** How long everything may take to end: as long as most stores keep what nobody asks for any more. */
const endingMsMax = 600_000;

/** @param common the time of what belongs to no client and no server */
export async function endAll({ clients, servers }: Roster, time: WorldTime, common: OwnTime): Promise<Leftovers> {
  const open = clients.filter(({ isOpen }) => isOpen);
  const listening = [...servers].filter(([, { isThere }]) => isThere);
  const alive = clients.filter(({ connections }) => connections > 0);
  const connections = alive.map((place) => `${place.name}: ${place.connections}`);
  const timers: string[] = [];
  try {
    for (const { connection } of open) connection?.close();
    await time.runOut(goodbyeMs);
    for (const [io] of listening) await io.close();
    for (const place of clients) place.cut('both', [0, 0]);
    await time.runOut(endingMsMax);
  } finally {
    for (const { name, time: own } of [...servers.values(), ...clients, { name: 'world', time: common }]) {
      if (own.pending > 0) timers.push(`${name}: ${own.pending}`);
      own.end();
    }
  }
  return {
    clients: open.map(({ name }) => name),
    servers: listening.map(([, { name }]) => name),
    connections,
    timers,
  };
}
