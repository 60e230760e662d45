import { context, SpanStatusCode, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { WireClient } from '../../../test/kit/wire';
import { node, PublicError, Server } from './index';
import { openTelemetry } from './opentelemetry';

/** Collects when it is asked. */
class Reader extends MetricReader {
  protected override async onForceFlush(): Promise<void> {}
  protected override async onShutdown(): Promise<void> {}
}

const manager = new AsyncLocalStorageContextManager();
beforeAll(() => context.setGlobalContextManager(manager.enable()));
afterAll(() => context.disable());

const servers: Server[] = [];
afterEach(async () => {
  for (const io of servers.splice(0)) await io.close();
});

async function start(): Promise<{ io: Server; wire: WireClient }> {
  const io = new Server({ host: node() });
  servers.push(io);
  io.on('error', () => {});
  await io.listen(0, '127.0.0.1');
  io.on('connection', (socket) => {
    socket.on('say', async () => {
      await Promise.resolve();
      trace.getActiveSpan()?.setAttribute('of the app', true);
      return true;
    });
    socket.on('fail', () => {
      throw new PublicError('ERR_NOT_NOW', 'Not now.');
    });
  });
  const wire = await WireClient.open(io.port);
  return { io, wire };
}

test('every metric is exported under its name and with its labels, until that is ended', async () => {
  const reader = new Reader();
  const meterProvider = new MeterProvider({ readers: [reader] });
  const { io, wire } = await start();
  const end = openTelemetry(io, { meterProvider });
  wire.send([0, [['/']]], [2, '/', 'say', [], 1]);
  await wire.packet(3);
  const read = async () => {
    const { resourceMetrics } = await reader.collect();
    return new Map(
      resourceMetrics.scopeMetrics.flatMap(({ metrics }) => metrics.map((one) => [one.descriptor.name, one] as const)),
    );
  };
  const all = await read();
  expect(all.get('halyard_connections')?.dataPoints).toMatchObject([
    { value: 1, attributes: { 'halyard.node': io.node, transport: 'websocket', codec: 'json' } },
  ]);
  expect(all.get('halyard_packets_total')?.dataPoints).toContainEqual(
    expect.objectContaining({
      value: 2,
      attributes: { 'halyard.node': io.node, direction: 'in', transport: 'websocket', codec: 'json' },
    }),
  );
  expect(all.get('halyard_packets_total')?.descriptor).toMatchObject({ unit: '{packets}' });
  expect(all.get('halyard_handler_seconds')).toMatchObject({
    descriptor: { unit: 's' },
    dataPoints: [{ value: { count: 1 }, attributes: { event: 'say' } }],
  });
  const expected = io.metrics().filter(({ type, samples }) => type !== 'histogram' && samples.length > 0);
  expect([...all.keys()]).toEqual(expect.arrayContaining(expected.map(({ name }) => name)));
  expect(() => openTelemetry(io, { meterProvider })).toThrow(/instrumented already/);
  end();
  openTelemetry(io, { meterProvider })();
  await meterProvider.shutdown();
});

test('each event that is handled is a span, which what its handler does is in; one that nobody handles is none', async () => {
  const exporter = new InMemorySpanExporter();
  const tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  const { io, wire } = await start();
  openTelemetry(io, { tracerProvider });
  wire.send([0, [['/']]], [2, '/', 'say', [], 1], [2, '/', 'fail', [], 2], [2, '/', 'nothing', [], 3]);
  const [, session] = await wire.packet(1);
  const [, , socket] = await wire.packet(11);
  await wire.packet(3);
  await wire.packet(4, ([, ack]) => ack === 3);
  const all = exporter.getFinishedSpans().filter(({ name }) => !name.startsWith('halyard connect'));
  const spans = all.toSorted((a, b) => a.name.localeCompare(b.name));
  expect(spans.map(({ name, status }) => [name, status.code])).toEqual([
    ['halyard fail', SpanStatusCode.ERROR],
    ['halyard say', SpanStatusCode.UNSET],
  ]);
  expect(spans[1]?.attributes).toEqual({
    ...{ 'halyard.node': io.node, 'halyard.event': 'say', 'halyard.namespace': '/' },
    ...{ 'halyard.socket': socket, 'halyard.session': session, 'of the app': true },
  });
});

test('each client that asks for a namespace, and each that comes back, is a span: what middleware does is in it, and why not', async () => {
  const exporter = new InMemorySpanExporter();
  const tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  const { io, wire } = await start();
  openTelemetry(io, { tracerProvider });
  io.use(async () => {
    await Promise.resolve();
    trace.getActiveSpan()?.setAttribute('of middleware', true);
  });
  io.of('/members').use(() => {
    throw new PublicError('ERR_TOKEN', 'Sign in first.');
  });
  io.of('/members').onResume(() => {});
  let isBanned = false;
  io.onResume(() => {
    if (isBanned) throw new PublicError('ERR_BANNED', 'Not any more.');
  });
  wire.send([0, [['/'], ['/members']]]);
  const [, session, secret] = await wire.packet(1);
  await wire.packet(11);
  await wire.packet(12);
  const resumed = async (text: unknown, type?: number) => {
    const other = await WireClient.open(io.port);
    other.send([0, [], '', [session, text, 0, 0]]);
    if (type === undefined) await other.until(({ closed }) => closed);
    else await other.packet(type);
  };
  await resumed(secret, 1);
  await resumed('another', 1);
  isBanned = true;
  await resumed(secret);
  const spans = exporter.getFinishedSpans().map(({ name, status, attributes }) => {
    const { 'halyard.node': node, 'halyard.session': its, ...others } = attributes;
    return [name, status.code === SpanStatusCode.ERROR, node === io.node && its === session, others] as const;
  });
  const over = { 'halyard.transport': 'websocket' };
  const back = (connection: number, refusal?: string) => ({
    ...over,
    'halyard.connection': connection,
    ...(refusal === undefined ? {} : { 'halyard.refusal': refusal }),
  });
  const first = spans.filter(([name]) => name === 'halyard resume')[0]?.[3]['halyard.connection'] as number;
  expect(spans.toSorted(([a], [b]) => a.localeCompare(b))).toEqual([
    ['halyard connect /', false, true, { ...over, 'halyard.namespace': '/', 'of middleware': true }],
    [
      'halyard connect /members',
      true,
      true,
      { ...over, 'halyard.namespace': '/members', 'halyard.refusal': 'ERR_TOKEN' },
    ],
    ['halyard resume', false, true, back(first)],
    ['halyard resume', true, true, back(first + 1, 'unknown-session')],
    ['halyard resume', true, true, back(first + 2, 'ERR_BANNED')],
  ]);
});
