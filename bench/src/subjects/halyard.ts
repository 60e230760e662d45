// Halyard as its users run it, recovery on: on uWebSockets.js and on node:http, with each codec; and another build of it.
import { pathToFileURL } from 'node:url';
import type { Codec } from '@halyard/codec';
import type { Adapter, Server as HalyardServer } from '@halyard/server';
import type { DialectName } from '../contract/operations';
import type { Plan } from '../contract/plan';
import type { Running, Subject, Tally } from './subject';

type HostName = 'uws' | 'node';
type CodecName = 'json' | 'msgpack' | 'protobuf';

export const halyardSubjects: readonly Subject[] = (['uws', 'node'] as const).flatMap((host) =>
  (['json', 'msgpack', 'protobuf'] as const).map((codec) => subject(host, codec)),
);

function subject(host: HostName, codec: CodecName): Subject {
  return {
    name: `halyard-${host}-${codec}`,
    title: `Halyard on ${host}, ${codec}`,
    dialect: `halyard-${codec}` satisfies DialectName,
    ...(codec === 'json' ? { pollingDialect: 'halyard-polling' as const, sseDialect: 'halyard-sse' as const } : {}),
    async start(plan, tally) {
      const build = await import('@halyard/server');
      return start(build, host === 'uws' ? build.uws() : build.node(), await loadCodec(codec), plan, tally);
    },
  };
}

/** The same while its metrics are read once a second, which is fifteen times as often as most do. */
export const halyardMetered: Subject = {
  name: 'halyard-uws-json-metrics',
  title: 'Halyard on uws, json, with metrics',
  dialect: 'halyard-json',
  async start(plan, tally) {
    const build = await import('@halyard/server');
    const { json } = await import('@halyard/codec/json');
    const isMetered = true;
    return start(build, build.uws(), json(), plan, tally, { isMetered });
  },
};

/** @param folder a checkout of Halyard that is built. @returns what it was there, to be measured beside what it is here */
export function halyardBefore(folder: string): Subject {
  const load = (file: string) => import(pathToFileURL(`${folder}/packages/${file}`).href);
  return {
    name: 'halyard-before',
    title: 'Halyard on uws, json, another build',
    dialect: 'halyard-json',
    pollingDialect: 'halyard-polling',
    sseDialect: 'halyard-sse',
    async start(plan, tally) {
      const build: Build = await load('server/dist/index.js');
      const { json }: typeof import('@halyard/codec/json') = await load('codec/dist/json.js');
      return start(build, build.uws(), json(), plan, tally);
    },
  };
}

export type Build = Pick<typeof import('@halyard/server'), 'Server' | 'uws' | 'node'>;

async function loadCodec(name: CodecName): Promise<Codec> {
  switch (name) {
    case 'json':
      return (await import('@halyard/codec/json')).json();
    case 'msgpack':
      return (await import('@halyard/codec-msgpack')).msgpack();
    case 'protobuf':
      return (await import('@halyard/codec-protobuf')).protobuf();
  }
}

/** @param more `adapter`: to the store that it shares with other servers. `isMetered`: whether somebody reads its metrics */
export async function start(
  { Server }: Build,
  host: ReturnType<Build['uws']>,
  codec: Codec,
  plan: Plan,
  tally: Tally,
  { adapter, isMetered = false }: { readonly adapter?: Adapter | undefined; readonly isMetered?: boolean } = {},
): Promise<Running> {
  const io = unlimited(Server, {
    host,
    codecs: [codec],
    origins: '*',
    ...(adapter === undefined ? {} : { adapter }),
    ...(plan.heartbeatMs === undefined ? {} : { heartbeatMs: plan.heartbeatMs }),
  });
  io.on('connection', (socket) => {
    socket.on('echo', (payload) => {
      tally.handled++;
      return payload;
    });
    socket.on('join', (room) => {
      tally.handled++;
      socket.join(room);
      return true;
    });
    socket.on('say', (room, payload) => {
      tally.handled++;
      socket.to(room).emit('message', payload);
    });
  });
  if (isMetered) {
    io.metrics();
    setInterval(() => io.metrics(), 1_000).unref();
  }
  await io.listen(0, '127.0.0.1');
  return {
    port: io.port,
    emit(rooms, payload) {
      if (rooms === undefined) io.emit('message', payload);
      else io.to([...rooms]).emit('message', payload);
    },
  };
}

/** All clients come from one address, which otherwise may not open so many connections so fast. A build from before has no such limit. */
function unlimited(Server: Build['Server'], options: ConstructorParameters<Build['Server']>[0]): HalyardServer {
  try {
    return new Server({ ...options, opensPerAddressPerSecondMax: 1 << 24 });
  } catch {
    return new Server(options);
  }
}
