// The server of the soak, in a process of its own: it tells what it has, for itself and for the system.
import { queryObjects } from 'node:v8';
import { redis } from '@halyard/adapter-redis';
import { Log } from '../../packages/server/src/log/log';
import { Room } from '../../packages/server/src/room/room';
import { Session } from '../../packages/server/src/session/session';
import { HttpConnection } from '../../packages/server/src/wire/http/http-connection';
import { WebSocketConnection } from '../../packages/server/src/wire/websocket';
import { answering } from '../hostile/processes';
import { hosts } from '../kit/hosts';
import { gaugesOf, visited } from './app';
import type { Kept } from './kept';

/** What there may be many of, by the class that makes it. */
const kinds = { Session, Room, Log, WebSocketConnection, HttpConnection, Map, Set, Promise };

async function main(host: string, url: string): Promise<void> {
  const factory = hosts.find(([name]) => name === host)?.[1];
  if (factory === undefined) throw new Error(`there is no host ${host} here`);
  const io = await visited({ host: factory(), ...(url !== '' && { adapter: redis({ url }) }) });
  const kept = async (): Promise<Kept> => {
    const objects: Record<string, number> = {};
    for (const [name, kind] of Object.entries(kinds)) {
      objects[name] = queryObjects(kind as never, { format: 'count' }) as unknown as number;
    }
    // It has collected all garbage.
    const { heapUsed, external, rss } = process.memoryUsage();
    const handles: Record<string, number> = {};
    for (const handle of process.getActiveResourcesInfo()) handles[handle] = (handles[handle] ?? 0) + 1;
    return { heap: heapUsed, external, rss, objects, gauges: gaugesOf(io), handles };
  };
  answering(io.port, kept, () => io.close());
}

await main(process.argv[2] ?? '', process.argv[3] ?? '');
