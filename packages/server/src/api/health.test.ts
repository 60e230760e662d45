import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { hosts } from '../../../../test/kit/hosts';
import { healthHandler, memory, node, Server, type Store, type StoreState } from '../index';

const cleanUp: (() => unknown)[] = [];

afterEach(async () => {
  for (const run of cleanUp.splice(0).reverse()) await run();
});

/** A shared store whose state is another's word. */
function storeOf(told: { state: StoreState }): ReturnType<typeof memory> {
  const shared = memory({ shared: true });
  return (context) => Object.defineProperty(shared(context) as Store, 'state', { get: () => told.state });
}

describe.each(hosts)('on %s', (_name, host) => {
  test('probes are answered by the option fetch', async () => {
    const told = { state: 'up' as StoreState };
    const io = new Server({ host: host(), adapter: storeOf(told), fetch: (request) => health(request) });
    const health = healthHandler(io);
    expect(io.health()).toEqual({
      ...{ live: true, ready: false, draining: false },
      reasons: ['The server does not listen yet: see listen and attach.'],
    });
    await io.listen(0, '127.0.0.1');
    cleanUp.push(() => io.close());
    const probe = async (path: string): Promise<unknown[]> => {
      const response = await fetch(`http://127.0.0.1:${io.port}${path}`);
      return [response.status, ((await response.json()) as { reasons?: unknown }).reasons];
    };
    expect(await probe('/readyz')).toEqual([200, []]);
    told.state = 'degraded';
    const away = ['The store does not answer, or refuses to store: what clients and handlers say waits until it does.'];
    expect(await probe('/healthz?full')).toEqual([503, away]);
    expect(await probe('/livez')).toEqual([200, away]);
    expect(await probe('/other')).toEqual([404, undefined]);
    told.state = 'recovering';
    expect((await probe('/probes/readyz'))[0]).toBe(503);
    told.state = 'up';
    const closed = io.close();
    expect(io.health()).toEqual({
      ...{ live: true, ready: false, draining: true },
      reasons: ['The server closes: it takes no new clients.'],
    });
    await closed;
    expect(io.health()).toMatchObject({
      live: false,
      ready: false,
      draining: false,
      reasons: ['The server is closed.'],
    });
  });
});

test('an app of Node has it as a listener, and is ready once its own server listens', async () => {
  const io = new Server({ host: node() });
  const app = createServer(healthHandler(io));
  await io.attach(app);
  cleanUp.push(
    () => app.close(),
    () => io.close(),
  );
  expect(io.health().ready).toBe(false);
  app.listen(0, '127.0.0.1');
  await once(app, 'listening');
  const response = await fetch(`http://127.0.0.1:${(app.address() as AddressInfo).port}/readyz`);
  expect([response.status, await response.json()]).toEqual([
    200,
    { live: true, ready: true, draining: false, reasons: [] },
  ]);
});
