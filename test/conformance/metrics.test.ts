// What a server says of itself in numbers: each is what its clients have seen of it, on either host and over any transport.
import { type HostFactory, type Labels, memory, PublicError, Server, type ServerOptions } from '@halyard/server';
import { prometheus } from '@halyard/server/prometheus';
import { Registry } from 'prom-client';
import { afterEach, describe, expect, test } from 'vitest';
import { hosts } from '../kit/hosts';
import { WireClient } from '../kit/wire';
import { Poller } from './poller';

const servers: Server[] = [];

afterEach(async () => {
  for (const io of servers.splice(0)) await io.close();
});

async function start(host: HostFactory, options: ServerOptions = {}): Promise<Server> {
  const io = new Server({ host, ...options });
  servers.push(io);
  io.metrics();
  return io.listen(0, '127.0.0.1');
}

/** @returns a client that is in the main namespace */
async function enter(io: Server): Promise<WireClient> {
  const wire = await WireClient.open(io.port);
  wire.send([0, [['/']]]);
  await wire.packet(11);
  return wire;
}

/** @returns the samples of a metric whose labels are these, each with the others of its labels, or a histogram's count */
function valuesOf(io: Server, name: string, wanted: Labels = {}): Record<string, number> {
  const metric = io.metrics().find((one) => one.name === name);
  const found = metric?.samples.filter(({ labels }) =>
    Object.entries(wanted).every(([label, value]) => labels[label] === value),
  );
  return Object.fromEntries(
    (found ?? []).map((sample) => {
      const others = Object.entries(sample.labels).filter(([label]) => wanted[label] === undefined);
      return [others.map(([, value]) => value).join(' '), 'count' in sample ? sample.count : sample.value];
    }),
  );
}

const webSocket = { transport: 'websocket', codec: 'json' };

describe.each(hosts)('on %s', (name, host) => {
  test('packets and bytes are those that were on the way, by direction and transport', async () => {
    const io = await start(host());
    io.on('connection', (socket) => {
      socket.join('room');
      socket.on('say', (text) => {
        socket.to('room').emit('said', text);
        io.to('room').emit('all', 'é€');
        return text;
      });
    });
    const wires = [await enter(io), await enter(io), await enter(io)];
    wires[0]?.send([2, '/', 'say', ['é'], 1]);
    await wires[0]?.packet(3);
    for (const wire of wires) {
      await wire.packet(5, ([, , , event]) => event === 'all');
      await wire.settle();
    }
    const frames = wires.flatMap(({ received }) => received.map((tuple) => JSON.stringify(tuple)));
    expect(valuesOf(io, 'halyard_packets_total', webSocket)).toEqual({ in: 7, out: frames.length });
    const bytesIn = [...Array(3).fill('[0,[["/"]]]'), ...Array(3).fill('[8]'), '[2,"/","say",["é"],1]'];
    expect(valuesOf(io, 'halyard_bytes_total', webSocket)).toEqual({
      in: Buffer.byteLength(bytesIn.join('')),
      out: Buffer.byteLength(frames.join('')),
    });
    expect(valuesOf(io, 'halyard_connections', webSocket)).toEqual({ '': 3 });
    expect(valuesOf(io, 'halyard_handler_seconds')).toEqual({ say: 1 });

    const poller = await Poller.open(io.port);
    await poller.send([0, [['/']]]);
    await poller.packet(11);
    expect(valuesOf(io, 'halyard_packets_total', { transport: 'polling' })).toEqual({ 'in json': 1, 'out json': 2 });
    expect(valuesOf(io, 'halyard_connections')).toEqual({ 'websocket json': 3, 'polling json': 1 });
    await poller.request('DELETE', { 'halyard-close': '1000' });
    expect(valuesOf(io, 'halyard_connections')).toEqual({ 'websocket json': 3, 'polling json': 0 });
    expect(valuesOf(io, 'halyard_connections_closed_total')).toEqual({ 1000: 1 });
  });

  test('sessions are counted by state, by how they were resumed, and by how they ended', async () => {
    const io = await start(host());
    const away = new Promise((resolve) => io.on('connection', (socket) => socket.once('away', resolve)));
    const wire = await enter(io);
    const [, session, secret] = (await wire.packet(1)) as [number, string, string];
    await wire.settle();
    expect(valuesOf(io, 'halyard_sessions')).toEqual({ live: 1, 'catching-up': 0, away: 0 });
    io.emit('lost', 1);
    wire.cut();
    await away;
    io.sockets.values().next().value?.emit('waits', 'for it');
    expect(valuesOf(io, 'halyard_sessions')).toEqual({ live: 0, 'catching-up': 0, away: 1 });
    expect(valuesOf(io, 'halyard_sessions_away_total')).toEqual({ 1006: 1 });
    expect(valuesOf(io, 'halyard_outbox_packets')['']).toBeGreaterThan(0);
    expect(valuesOf(io, 'halyard_log_entries')).toEqual({ '': 1 });
    expect(valuesOf(io, 'halyard_log_bytes')['']).toBeGreaterThan(10);
    const back = await WireClient.open(io.port);
    back.send([0, [], '', [session, secret, 1, 0]]);
    await back.packet(5);
    const stranger = await WireClient.open(io.port);
    stranger.send([0, [], '', ['nobody', secret, 0, 0]]);
    await stranger.packet(1);
    expect(valuesOf(io, 'halyard_resumes_total')).toEqual({ resumed: 1, 'unknown-session': 1 });
    expect(valuesOf(io, 'halyard_sessions_begun_total')).toEqual({ '': 2 });
    back.send([0]);
    await back.until(({ closed }) => closed);
    expect(valuesOf(io, 'halyard_sessions_ended_total')).toEqual({ 4400: 1 });
  });

  test('codes that clients invent to close with are one label', async () => {
    const io = await start(host());
    const codes = [1001, 4404, ...Array.from({ length: 70 }, (_, i) => 4200 + i)];
    for (const code of codes) await (await enter(io)).close(code);
    const poller = await Poller.open(io.port);
    await poller.send([0, [['/']]]);
    await poller.packet(11);
    await poller.request('DELETE', { 'halyard-close': '1500' });
    const counted = { 1001: 1, 4404: 1, other: 71 };
    await expect.poll(() => valuesOf(io, 'halyard_connections_closed_total')).toEqual(counted);
    expect(valuesOf(io, 'halyard_sessions_away_total')).toEqual(counted);
    await (await enter(io)).close();
    await expect.poll(() => valuesOf(io, 'halyard_connections_closed_total')).toEqual({ 1000: 1, ...counted });
  });

  test('what was refused and what has failed is counted by code', async () => {
    const io = await start(host(), { metricEventsMax: 2 });
    io.on('error', () => {});
    io.on('warning', () => {});
    io.of('/members').use(() => {
      throw new PublicError('ERR_TOKEN', 'No.');
    });
    io.on('connection', (socket) => {
      socket.on('fail', () => {
        throw new TypeError('of the app');
      });
      socket.on('refuse', async () => {
        throw new PublicError('ERR_NOT_NOW', 'Not now.');
      });
      socket.on('more', () => true);
    });
    const wire = await enter(io);
    wire.send([10, '/members'], [10, '/nowhere']);
    wire.send([2, '/', 'fail', [], 1], [2, '/', 'refuse', [], 2], [2, '/', 'more', [], 3], [2, '/', 'nothing', [], 4]);
    for (const ack of [1, 2, 4]) await wire.packet(4, ([, number]) => number === ack);
    await wire.packet(12, ([, namespace]) => namespace === '/nowhere');
    await fetch(`http://127.0.0.1:${io.port}/halyard`, { method: 'POST', headers: { origin: 'http://foreign.test' } });
    await expect(WireClient.open(io.port, { origin: 'http://foreign.test' })).rejects.toThrow('403');
    expect(valuesOf(io, 'halyard_refused_namespaces_total')).toEqual({ ERR_TOKEN: 1, ERR_NAMESPACE_UNKNOWN: 1 });
    expect(valuesOf(io, 'halyard_failed_events_total')).toEqual({ ERR_HANDLER: 1, ERR_NOT_NOW: 1 });
    expect(valuesOf(io, 'halyard_errors_total')).toEqual({ TypeError: 1 });
    expect(valuesOf(io, 'halyard_refused_requests_total')).toEqual({ ERR_ORIGIN: 2 });
    expect(valuesOf(io, 'halyard_warnings_total')).toEqual({ ERR_ORIGIN: 2 });
    // Of the names of events only so many are told apart, and what nobody handles is none.
    const handled = valuesOf(io, 'halyard_handler_seconds');
    expect(handled).toMatchObject({ fail: 1, other: 1 });
    expect(Object.keys(handled).length).toBe(3);
  });

  test('replies of clients are timed, and missed ones counted', async () => {
    const io = await start(host());
    const replies = new Promise<unknown[]>((resolve) =>
      io.on('connection', async (socket) => {
        const late = socket
          .timeout(50)
          .emitWithAck('late')
          .catch(() => 'none');
        resolve([await socket.emitWithAck('now'), await late]);
      }),
    );
    const wire = await enter(io);
    const [, , , , ack] = await wire.packet(2, ([, , event]) => event === 'now');
    wire.send([3, ack, 'yes']);
    expect(await replies).toEqual(['yes', 'none']);
    expect(valuesOf(io, 'halyard_ack_seconds')).toEqual({ '': 1 });
    expect(valuesOf(io, 'halyard_acks_missed_total')).toEqual({ '': 1 });
  });

  test('Prometheus reads what metrics() gives, once for all metrics', async () => {
    const io = await start(host());
    io.on('connection', (socket) => socket.on('say', () => true));
    const wire = await enter(io);
    wire.send([2, '/', 'say', [], 1]);
    await wire.packet(3);
    let reads = 0;
    const counted = {
      metrics: () => {
        reads++;
        return io.metrics();
      },
    };
    for (const contentType of [Registry.PROMETHEUS_CONTENT_TYPE, Registry.OPENMETRICS_CONTENT_TYPE] as const) {
      reads = 0;
      const registry = new Registry();
      registry.setContentType(contentType as never);
      expect(prometheus(counted, { registry })).toBe(registry);
      await Promise.resolve();
      const text = await registry.metrics();
      expect(reads).toBe(2);
      expect(text).toContain('\nhalyard_connections{transport="websocket",codec="json"} 1\n');
      expect(text).toContain('halyard_packets_total{direction="in",transport="websocket",codec="json"} 2\n');
      expect(text).toContain('halyard_handler_seconds_bucket{le="10",event="say"} 1\n');
      expect(text).toContain('halyard_handler_seconds_bucket{le="+Inf",event="say"} 1\n');
      expect(text).toContain('halyard_handler_seconds_count{event="say"} 1\n');
      expect(text).toMatch(/# TYPE halyard_sessions gauge\n/);
      expect(() => prometheus(io, { registry })).toThrow(/has a metric halyard_ready already/);
    }
  });

  test.runIf(name === 'node')('of a store that servers share: its state, its commits, and who is there', async () => {
    const adapter = memory({ shared: true });
    const [io, other] = [await start(host(), { adapter }), await start(host(), { adapter })];
    const wire = await enter(io);
    const [, session, secret] = (await wire.packet(1)) as [number, string, string];
    wire.cut();
    const moved = await WireClient.open(other.port);
    moved.send([0, [], '', [session, secret, 1, 0, [], []], '', 2]);
    await moved.packet(1);
    expect(valuesOf(other, 'halyard_store_state')).toEqual({ up: 1, degraded: 0, recovering: 0 });
    expect(valuesOf(other, 'halyard_nodes')).toEqual({ '': 2 });
    expect(valuesOf(other, 'halyard_commit_seconds')['']).toBeGreaterThan(0);
    expect(valuesOf(other, 'halyard_store_lag_seconds')).toEqual({ '': 0 });
    expect(valuesOf(io, 'halyard_sessions_moved_total')).toEqual({ in: 0, out: 1 });
    expect(valuesOf(other, 'halyard_sessions_moved_total')).toEqual({ in: 1, out: 0 });
    expect(valuesOf(other, 'halyard_resumes_total')).toEqual({ resumed: 1 });
  });
});

test('every metric has a name by the rules of Prometheus, an explanation, and the labels of the catalogue', async () => {
  const { catalogue } = await import('../../packages/server/src/api/catalogue');
  for (const { name, help, type, unit, labels } of catalogue) {
    expect(name).toMatch(type === 'counter' ? /^halyard_[a-z_]+_total$/ : /^halyard_[a-z_]+(?<!_total)$/);
    expect(help).toMatch(/^[A-Z0-9].+\.$/);
    if (unit === 'seconds' || unit === 'bytes') expect(name).toContain(`_${unit}`);
    for (const label of labels) expect(label).toMatch(/^[a-z]+$/);
  }
  expect(new Set(catalogue.map(({ name }) => name)).size).toBe(catalogue.length);
});
