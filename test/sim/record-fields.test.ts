// Every field of a session's record is needed: a session that moves with one field taken out, or made nothing of, is not what
// it was. One script in virtual time, with all that a record can hold, is run once for each field.
// Longer than other files: the one script has everything in it.
import { connect } from '@halyard/client/core';
import { json } from '@halyard/codec/json';
import { msgpack } from '@halyard/codec-msgpack';
import { VirtualClock } from '@halyard/harness/clock';
import { seededRandom } from '@halyard/harness/random';
import { type Adapter, memory, Server, type Socket, type Store } from '@halyard/server';
import { MemoryNetwork } from '@halyard/testkit/internal';
import { describe, expect, test } from 'vitest';
import { ServerClock } from '../kit/server-clock';

type Fields = Record<string, unknown>;
type Path = readonly (string | number)[];

const codec = msgpack();
const settings = { heartbeatMs: 100_000, sackPacketsMax: 2, sackDelayMs: 5 };
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** The value of a part. */
const contentOf = (part: Parameters<typeof codec.decode>[0]): unknown =>
  (codec.decode(part) as { value?: unknown }).value;
const partOf = (value: unknown) => codec.encode({ type: 3, ack: 1, value: value as never });

/** A store that gives out records with something changed. */
function tampering(adapter: Adapter, change: (record: Fields) => void): Adapter {
  return (context) => {
    const store = adapter(context) as Store;
    const session = store.session.bind(store);
    store.session = async (id) => {
      const stored = await session(id);
      if (typeof stored !== 'object') return stored;
      const record: Fields = { frames: [], sockets: [], data: [], tops: [] };
      const names: Record<string, string[]> = { frames: [], sockets: [], data: [], tops: [] };
      for (const [name, part] of stored.record) {
        const [kind = '', which] = name.split(' ');
        const list = kind === 'data' ? kind : `${kind}s`;
        if (which === undefined) record[kind] = contentOf(part);
        else {
          (record[list] as unknown[]).push(kind === 'data' || kind === 'top' ? part : contentOf(part));
          names[list]!.push(name);
        }
      }
      if (!isIts(record)) return stored;
      change(record);
      const changed = new Map<string, ReturnType<typeof partOf>>();
      for (const [name, value] of Object.entries(record)) {
        if (!Object.hasOwn(names, name)) changed.set(name, partOf(value));
        else
          for (const [i, one] of (value as unknown[]).entries()) {
            const isPart = name === 'data' || name === 'tops';
            if (one !== undefined) changed.set(names[name]![i]!, isPart ? (one as Uint8Array) : partOf(one));
          }
      }
      return { ...stored, record: changed };
    };
    return store;
  };
}

/** Whether a record is of the session that the script is about. */
function isIts({ sockets, pending }: Fields): boolean {
  const [any] = [sockets, pending].flat() as readonly { readonly auth: Uint8Array }[];
  const packet = any && (codec.decode(any.auth) as unknown as { value: Fields });
  return packet?.value.who === 'it';
}

/** Runs a script. @returns everything that can be seen of the session after it has moved */
async function facts(script: 'told' | 'untold' | 'refused', change: (record: Fields) => void = () => {}) {
  const clock = new VirtualClock();
  const seen = {
    client: [] as string[],
    other: [] as string[],
    server: [] as string[],
    told: [] as string[],
    entered: [] as string[],
    replies: [] as string[],
  };
  const errors: string[] = [];
  let decide = (): void => {};
  const adapter = tampering(memory({ shared: true, codec }), change);
  const network = { latencyMs: [1, 1], noticeMs: [0, 0], unnoticed: 0 } as const;
  let server: { io: Server; wires: MemoryNetwork; time: ServerClock };
  let servers = 0;
  const start = async (): Promise<void> => {
    const isFirst = ++servers === 1;
    const time = new ServerClock(clock);
    const wires = new MemoryNetwork(clock, seededRandom(1), { ...network, latencyMs: [1, 1], noticeMs: [0, 0] }, true);
    const io = new Server({ host: wires.host, clock: time, adapter, ...settings });
    io.on('error', (error) => errors.push(String(error)));
    for (const name of ['/', '/b', '/c']) {
      const namespace = io.of(name);
      namespace.use(async ({ auth }) => {
        if (name === '/c' && auth.who === 'it') await new Promise<void>((resolve) => (decide = resolve));
      });
      namespace.on('connection', (socket) => {
        if (socket.handshake.auth.who === 'it') seen.entered.push(`${name} ${socket.recovered}`);
        socket.on('event', (text: string) => {
          seen.server.push(`${name} ${text}`);
        });
        socket.on('hold', (text: string) => {
          if (socket.handshake.auth.who === 'it')
            seen.server.push(`${name} ${text}${socket.redelivered ? ' again' : ''}`);
          return isFirst ? new Promise(() => {}) : undefined;
        });
      });
    }
    await io.listen(1);
    server = { io, wires, time };
  };
  await start();
  const elapse = async (ms: number) => {
    for (let i = 0; i < ms; i++) {
      clock.advance(1);
      await turn();
    }
  };
  const open = (who: string) =>
    connect('http://memory.example', {
      ...{ codec: json(), clock, random: () => 0.5, auth: { who }, connectTimeoutMs: 1_000 },
      transport: { open: (address, events) => server.wires.transport.open(address, events) },
      reconnect: { delayMinMs: 20, delayMaxMs: 20 },
    });
  const move = async (): Promise<void> => {
    await turn();
    server.time.isGone = true;
    server.wires.cut();
    await start();
  };
  const bystander = open('bystander');
  bystander.of('/b', { auth: { who: 'bystander' } });
  await elapse(20);
  for (const socket of server!.io.sockets.values()) socket.join(['a', 'left', 'late', 'x']);

  const client = open('it');
  client.on('connect', (info) => seen.told.push(JSON.stringify(info)));
  client.on('event', (text: string) => {
    seen.client.push(text);
    return text;
  });
  const other = client.of('/b', { auth: { who: 'it' } });
  other.on('event', (text: string) => {
    seen.other.push(text);
  });
  const atServer = (namespace = '/'): Socket | undefined =>
    [...server.io.of(namespace).sockets.values()].find(({ handshake }) => handshake.auth.who === 'it');

  if (script === 'told') {
    await elapse(20);
    const { io } = server!;
    const socket = atServer()!;
    const there = atServer('/b')!;
    socket.join(['a', 'left', 'gone']);
    socket.data.user = 'ada';
    io.to('late').emit('event', 'before it joins');
    socket.join('late');
    client.emit('event', '1');
    // Open for so long that it counts as settled: nobody answers it.
    const reply = client.timeout(1_000_000).emitWithAck('hold', 'for long');
    reply.catch((error) => seen.replies.push(String(error)));
    await elapse(5);
    clock.advance(30_200);
    await elapse(5);
    client.emit('hold', 'now');
    client.emit('event', '2');
    socket.emitWithAck('event', 'asked').catch(() => {});
    for (const room of ['a', 'left']) io.to(room).emit('event', `${room} 1`);
    client.of('/c', { auth: { who: 'it' } });
    await elapse(20);
    // The rest is not read before the move.
    server!.wires.cut();
    socket.emit('event', 'direct');
    socket.emitWithAck('event', 'asked again').catch(() => {});
    io.to('a').emit('event', 'a 2');
    io.to('left').emit('event', 'left 2');
    socket.leave('left');
    io.to('left').emit('event', 'left 3');
    io.except('x').emit('event', 'before it is in x');
    socket.join('x');
    io.except('x').emit('event', 'it is in x');
    there.emit('event', 'b 1');
    there.broadcast.emit('event', 'of its own');
    io.of('/b').emit('event', 'b 2');
    there.disconnect();
    io.of('/b').emit('event', 'b 3');
    // Where it has left is known by now, and is written anew.
    await turn();
    await turn();
    socket.join('y');
  } else if (script === 'untold') {
    client.emit('event', '1');
    // HELLO has come, and WELCOME has not.
    await elapse(2);
    other.disconnect();
    await elapse(1);
  } else {
    client.emit('event', '1');
    await elapse(2);
    server!.wires.cut();
    // The second HELLO has come, and something had left before it.
    while (atServer() === undefined) await elapse(1);
  }
  await move();
  // The server that is gone is asked to let the session go, and does not answer.
  await elapse(700);
  decide();
  const there = atServer();
  there?.emit('event', 'after');
  try {
    client.emit('event', 'after');
  } catch (error) {
    errors.push(String(error));
  }
  await elapse(100);
  const socket = atServer();
  const handshakes = ['/', '/b', '/c'].map((name) => {
    const found = atServer(name);
    if (found === undefined) return undefined;
    const { auth, client: software, transport, address, secure, headers, url, time } = found.handshake;
    return { auth, software, transport, address, secure, headers: [...headers], url, time: time.getTime() };
  });
  const after = {
    ...{ ...seen, handshakes, id: socket?.id === undefined ? undefined : client.id === socket.id, errors },
    rooms: socket && [...socket.rooms].filter((room) => room !== socket.id).sort(),
    data: socket?.data,
    connected: ['/', '/b', '/c'].map((name) => atServer(name) !== undefined),
  };
  client.connection.close();
  bystander.connection.close();
  await server!.io.close();
  return after;
}

/** All paths in a record, but for lists with nothing in them. */
function pathsOf(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return [path];
  const steps = Array.isArray(value) ? value.keys() : Object.keys(value);
  return [...steps].flatMap((step) => pathsOf((value as Fields)[step], [...path, step]));
}

function parentOf(record: Fields, path: Path): Fields {
  return path.slice(0, -1).reduce<Fields>((at, step) => at[step] as Fields, record);
}

/** What stands in place of a field. */
function nothingsOf(value: unknown): readonly unknown[] {
  if (typeof value === 'string') return [value === '' ? 'x' : ''];
  if (typeof value === 'number') return value > 0 ? [0, -1] : [7];
  if (typeof value === 'boolean') return [!value];
  return [(value as Uint8Array).length === 0 ? new Uint8Array(32) : codec.encode({ type: 3, ack: 1, value: {} })];
}

const scripts = ['told', 'untold', 'refused'] as const;

/** The paths of every field, by their names, in the records of the scripts that have it. */
type Place = readonly [script: (typeof scripts)[number], path: Path];
const fields = new Map<string, Place[]>();
for (const script of scripts) {
  let record: Fields | undefined;
  await facts(script, (its) => {
    record ??= structuredClone(its);
  });
  for (const path of pathsOf(record)) {
    const name = path.filter((step) => typeof step === 'string').join('.');
    fields.set(name, [...(fields.get(name) ?? []), [script, path]]);
  }
}

describe('the script', () => {
  test('moves the session with everything', async () => {
    const { client, other, server, told, replies, rooms, data, connected, errors } = await facts('told');
    expect(client).toEqual([
      ...['asked', 'a 1', 'left 1', 'direct', 'asked again', 'a 2', 'left 2', 'before it is in x', 'after'],
    ]);
    expect(other).toEqual(['b 1', 'b 2']);
    expect(server).toEqual(['/ 1', '/ for long', '/ now', '/ 2', '/ now again', '/ after']);
    expect([rooms, data]).toEqual([['a', 'gone', 'late', 'x', 'y'], { user: 'ada' }]);
    expect(told.at(-1)).toBe('{"recovered":true,"unconfirmed":0}');
    expect(replies).toEqual(['PublicError: The server that was to answer is gone.']);
    expect(connected).toEqual([true, false, true]);
    expect(errors).toEqual([]);
  });
});

/** Fields of which nothing is seen in these scripts, and what they are for. */
const unseen: Readonly<Record<string, string>> = {
  'counts.generation': 'a HELLO that was overtaken and comes to the new server first',
  'counts.mail.number': 'letters of other servers, of which there are none here',
  'counts.mail.node': 'the same, if the store loses some',
  'counts.mail.stamp': 'the same',
  'left.memberships.since': 'an exception of a room that it was in',
  'left.memberships.until': 'the same',
  'left.memberships.to': 'one of which it was known where it ends when it was written',
  'left.memberships.begins': 'one of which it was not known where it begins',
};

/** Fields that hold the record together: another value is refused, as one that is left out. */
const binding = [
  ...['version', 'counts.sent', 'counts.confirmed', 'sockets.id'],
  ...['tops', 'sockets.memberships.begins', 'sockets.memberships.ends', 'left.memberships.ends'],
];

describe.each([...fields])('%s', (name, places) => {
  test('left out: the record is refused, and its session is told', async () => {
    const [script, path] = places[0]!;
    const { errors, told } = await facts(script, (record) => {
      const at = path.findLastIndex((step) => typeof step === 'string');
      delete parentOf(record, path.slice(0, at + 1))[path[at] as string];
    });
    expect(errors.join()).toContain('RecordError');
    expect(told.at(-1)).toContain('"recovered":false');
  });

  test('made nothing of: it is not the session that it was', async () => {
    const isSeen = async ([script, path]: Place): Promise<boolean> => {
      const before = JSON.stringify(await facts(script));
      const last = path.at(-1) as string;
      let nothings: readonly unknown[] = [undefined];
      for (let i = 0; i < nothings.length; i++) {
        const after = await facts(script, (record) => {
          const parent = parentOf(record, path);
          nothings = nothingsOf(parent[last]);
          parent[last] = nothings[i];
        });
        // A value that cannot be is refused, which is no wonder.
        const isRefused = after.errors.some((error) => error.startsWith('RecordError'));
        if (isRefused === binding.includes(name) && JSON.stringify(after) !== before) return true;
      }
      return false;
    };
    let seen = false;
    for (const place of places) seen ||= await isSeen(place);
    expect(seen, unseen[name]).toBe(!Object.hasOwn(unseen, name));
  });
});
