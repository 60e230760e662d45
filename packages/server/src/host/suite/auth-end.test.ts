// What was presented ends: the server ends the session, with a reason that the client can tell, away or not.
import { describe, expect, test } from 'vitest';
import { starts } from '../../../../../test/kit/hosts';
import { WireClient } from '../../../../../test/kit/wire';
import type { Handshake } from '../../index';
import { clientsOf } from './clients';

const soonMs = 400;

/** Middleware that says when `auth` ends. */
const ending =
  (when: () => unknown) =>
  (handshake: Handshake): void => {
    handshake.expiresAt = when() as Date;
  };

describe.each(starts)('auth that ends, %s', (_name, start) => {
  const { listening, join, away } = clientsOf(start);

  test('ends the session with 4401 and a reason, in time', async () => {
    const io = await listening();
    const closes: unknown[] = [];
    let expiresAt = 0;
    io.use((handshake) => {
      expiresAt = Date.now() + soonMs;
      handshake.expiresAt = new Date(expiresAt);
    });
    io.on('connection', (socket) => void socket.on('disconnect', (close) => closes.push(close)));
    const { wire, socket } = await join(io);
    expect(socket.handshake.expiresAt).toEqual(new Date(expiresAt));
    const reason = `ERR_AUTH_EXPIRED: auth ended at ${new Date(expiresAt).toISOString()} and was not renewed, for /`;
    expect(await wire.until(({ closed }) => closed)).toEqual({ code: 4401, reason });
    expect(Date.now()).toBeGreaterThanOrEqual(expiresAt);
    expect(Date.now()).toBeLessThan(expiresAt + 5_000);
    await expect.poll(() => closes).toEqual([{ code: 4401, reason, by: 'server' }]);
    expect(io.sockets.size).toBe(0);
  });

  test('of a session that is away: it is over, and the client comes to another one', async () => {
    const io = await listening();
    io.use((handshake) => {
      if (handshake.auth.token === undefined) handshake.expiresAt = Date.now() + soonMs;
    });
    const client = await join(io);
    const over = new Promise((resolve) => client.socket.on('disconnect', resolve));
    await away(client);
    expect(await over).toMatchObject({ code: 4401, by: 'server' });
    const { session, secret } = client;
    const next = await WireClient.open(io.port);
    next.send([0, [['/', { token: 'fresh' }]], 'test', [session, secret, 1, 0]]);
    expect((await next.packet(1)).slice(5)).toEqual([false, 'unknown-session']);
    next.send([14]);
    await next.packet(11);
    expect([...io.sockets.values()][0]?.handshake.expiresAt).toBeUndefined();
  });

  test('of one namespace ends the session, and one that was left does not', async () => {
    const io = await listening();
    io.of('/left').use(ending(() => Date.now() + soonMs));
    io.of('/kept').use(ending(() => Date.now() + 2 * soonMs));
    const { wire } = await join(io);
    wire.send([10, '/left'], [10, '/kept'], [13, '/left']);
    expect(await wire.until(({ closed }) => closed)).toMatchObject({
      code: 4401,
      reason: expect.stringMatching(/for \/kept$/),
    });
  });

  test('already is refused, with when it was', async () => {
    const io = await listening();
    const errors: unknown[] = [];
    io.on('error', (error) => errors.push(error));
    io.of('/past').use(ending(() => new Date('2020-01-02T03:04:05.678Z')));
    io.of('/seconds').use(ending(() => 1_900_000_000));
    const { wire } = await join(io);
    wire.send([10, '/past'], [10, '/seconds']);
    const [, , code, message] = await wire.packet(12, ([, namespace]) => namespace === '/past');
    expect([code, message]).toEqual([
      'ERR_AUTH_EXPIRED',
      'auth had ended when it was presented, at 2020-01-02T03:04:05.678Z (handshake.expiresAt).',
    ]);
    const [, , , hint] = await wire.packet(12, ([, namespace]) => namespace === '/seconds');
    expect(hint).toBe(
      'auth had ended when it was presented, at 1970-01-22T23:46:40.000Z (handshake.expiresAt). It takes milliseconds; the exp of a JWT is in seconds.',
    );
    expect(errors).toEqual([]);
  });

  test.each([
    ['no date', new Date('nonsense'), 'an invalid Date'],
    ['a text', '2030-01-01', 'a string'],
    ['no number', Number.NaN, 'NaN'],
    ['for ever', Number.POSITIVE_INFINITY, 'Infinity'],
    ['more than a Date says', 1e17, '100000000000000000'],
    ['null', null, 'null'],
    ['an object', { secret: 1 }, 'an object'],
  ])('that is %s is an error that names it, and lets nobody in', async (_what, value, shown) => {
    const io = await listening();
    const errors: unknown[] = [];
    io.on('error', (error) => errors.push(error));
    io.of('/bad').use(ending(() => value as Date));
    const { wire } = await join(io);
    wire.send([10, '/bad']);
    expect((await wire.packet(12)).slice(2)).toEqual(['ERR_REFUSED', 'The connection was refused.']);
    expect(errors).toMatchObject([
      {
        code: 'ERR_EXPIRES_AT',
        message: `handshake.expiresAt takes a Date, or milliseconds since 1970, not ${shown}.`,
      },
    ]);
  });

  test('is said by middleware alone', async () => {
    const io = await listening();
    let kept: Handshake | undefined;
    io.use((handshake) => {
      handshake.expiresAt = Date.now() + 60_000;
      handshake.expiresAt = undefined;
      kept = handshake;
    });
    const { socket } = await join(io);
    expect(socket.handshake.expiresAt).toBeUndefined();
    const set = (): void => ending(() => Date.now() + 1)(kept!);
    expect(set).toThrow(expect.objectContaining({ code: 'ERR_EXPIRES_AT' }));
  });
});
