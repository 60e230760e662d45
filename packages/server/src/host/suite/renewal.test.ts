// Another `auth` over a live connection: on each host, on the raw wire.
import { describe, expect, test } from 'vitest';
import { starts } from '../../../../../test/kit/hosts';
import { WireClient } from '../../../../../test/kit/wire';
import { type Handshake, PublicError, type Server } from '../../index';
import { clientsOf } from './clients';

/** `auth` says how long it is good, and who it is. */
function lasting(handshake: Handshake): void | Promise<void> {
  const { ms, user, fails } = handshake.auth;
  if (fails === 'never') return new Promise(() => {});
  if (fails === 'public') throw new PublicError('ERR_GONE', 'Not any more.', { user });
  if (fails !== undefined) throw new Error('a secret of the server');
  if (handshake.data.user !== undefined && handshake.data.user !== user)
    throw new PublicError('ERR_USER', 'That is somebody else.');
  handshake.data.user = user;
  if (ms !== undefined) handshake.expiresAt = Date.now() + Number(ms);
  return undefined;
}

describe.each(starts)('renewal, %s', (_name, start) => {
  const { listening } = clientsOf(start);

  async function joined(io: Server, ms: number | undefined, renews = true) {
    io.use(lasting);
    if (renews) io.renew(lasting);
    const wire = await WireClient.open(io.port);
    wire.send([0, [['/', { ms, user: 'ada' }]]]);
    const [, , id, renewMs] = await wire.packet(11);
    const [, session, secret] = (await wire.packet(1)) as [number, string, string];
    return { wire, renewMs, session, secret, socket: io.sockets.get(id as string)! };
  }

  test('the client is told for how long, and the new one counts from its answer on', async () => {
    const io = await listening();
    const { wire, renewMs, socket } = await joined(io, 300);
    expect(renewMs).toBeGreaterThan(0);
    expect(renewMs).toBeLessThanOrEqual(300);
    const before = socket.handshake.expiresAt!;
    wire.send([15, '/', { ms: 1_000, user: 'ada', again: true }, 1]);
    const [, , next] = await wire.packet(3, ([, ack]) => ack === 1);
    expect(next).toBeGreaterThan(300);
    expect(next).toBeLessThanOrEqual(1_000);
    expect(socket.handshake.auth).toEqual({ ms: 1_000, user: 'ada', again: true });
    expect(socket.handshake.expiresAt!.getTime()).toBeGreaterThan(before.getTime() + 100);
    expect(socket.data).toEqual({ user: 'ada' });
    expect(socket.handshake.headers.get('host')).toBe(`127.0.0.1:${io.port}`);
    const { code, reason } = await wire.until(({ closed }) => closed);
    expect([code, reason]).toEqual([4401, expect.stringMatching(/^ERR_AUTH_EXPIRED: /)]);
    expect(Date.now()).toBeGreaterThanOrEqual(before.getTime() + 500);
  });

  test('one that does not end is answered without a time, and there is no other', async () => {
    const io = await listening();
    const { wire, socket } = await joined(io, 300);
    wire.send([15, '/', { user: 'ada' }, 1]);
    expect(await wire.packet(3)).toEqual([3, 1]);
    expect(socket.handshake.expiresAt).toBeUndefined();
    wire.send([15, '/', { user: 'ada' }, 2]);
    expect(await wire.packet(3, ([, ack]) => ack === 2)).toEqual([3, 2]);
    expect(socket.handshake.auth).toEqual({ user: 'ada' });
  });

  test.each([
    ['nobody renews', 5_000, false],
    ['nothing ends', undefined, true],
  ])('where %s nothing is presented, and it is answered without a time', async (_what, ms, renews) => {
    const io = await listening();
    const { wire, renewMs, socket } = await joined(io, ms, renews);
    expect(renewMs).toBeUndefined();
    wire.send([15, '/', { ms: 9_000, user: 'ada', another: true }, 1]);
    expect(await wire.packet(3)).toEqual([3, 1]);
    expect(socket.handshake.auth).toEqual({ ms, user: 'ada' });
  });

  test('who has left and connected again while the answer was on its way may renew what is not decided', async () => {
    const io = await listening();
    let admit: () => void = () => {};
    let admits = 0;
    io.of('/slow')
      .use((handshake) => {
        lasting(handshake);
        return ++admits === 1 ? undefined : new Promise((resolve) => (admit = resolve));
      })
      .renew(lasting);
    const { wire } = await joined(io, undefined);
    wire.send([10, '/slow', { ms: 5_000 }]);
    const isSlow = ([, namespace]: unknown[]) => namespace === '/slow';
    const [, , first] = await wire.packet(11, isSlow);
    // It says so before it has the answer, and has that now.
    wire.send([13, '/slow'], [10, '/slow', { ms: 8_000 }], [15, '/slow', { ms: 9_000 }, 1]);
    expect(await wire.packet(3)).toEqual([3, 1]);
    admit();
    const [, , second, renewMs] = await wire.packet(11, (packet) => isSlow(packet) && packet[2] !== first);
    expect(second).not.toBe(first);
    expect(renewMs).toBeGreaterThan(5_000);
    expect(renewMs).toBeLessThanOrEqual(8_000);
    wire.send([15, '/slow', { ms: 20_000 }, 2]);
    expect((await wire.packet(3, ([, ack]) => ack === 2))[2]).toBeGreaterThan(8_000);
  });

  test('a refusal is an error, and what there was stays good until it ends', async () => {
    const io = await listening();
    const errors: unknown[] = [];
    io.on('error', (error) => errors.push(error));
    const { wire, socket } = await joined(io, 1_000);
    const until = socket.handshake.expiresAt;
    wire.send([15, '/', { fails: 'public', user: 'ada' }, 1]);
    expect(await wire.packet(4, ([, ack]) => ack === 1)).toEqual([4, 1, 'ERR_GONE', 'Not any more.', { user: 'ada' }]);
    wire.send([15, '/', { fails: 'other' }, 2]);
    expect(await wire.packet(4, ([, ack]) => ack === 2)).toEqual([4, 2, 'ERR_REFUSED', 'The renewal was refused.']);
    wire.send([15, '/', { ms: 5_000, user: 'eve' }, 3]);
    expect((await wire.packet(4, ([, ack]) => ack === 3))[2]).toBe('ERR_USER');
    wire.send([15, '/', { ms: -5_000, user: 'ada' }, 4]);
    expect((await wire.packet(4, ([, ack]) => ack === 4))[2]).toBe('ERR_AUTH_EXPIRED');
    wire.send([15, '/', { ms: 'nonsense', user: 'ada' }, 5]);
    expect((await wire.packet(4, ([, ack]) => ack === 5))[2]).toBe('ERR_REFUSED');
    expect(errors).toMatchObject([{ message: 'a secret of the server' }, { code: 'ERR_EXPIRES_AT' }]);
    expect(socket.handshake.expiresAt).toEqual(until);
    expect(socket.data).toEqual({ user: 'ada' });
    expect(await wire.until(({ closed }) => closed)).toMatchObject({ code: 4401 });
  });

  test.each<[what: string, flight: unknown[][], reason: string]>([
    [
      'the last one is not answered',
      [
        [15, '/', { fails: 'never' }, 1],
        [15, '/', {}, 2],
      ],
      'ERR_RENEW_REPEATED: RENEW for / before the last one was answered',
    ],
    [
      'its ack is not above',
      [
        [2, '/', 'x', [], 1],
        [15, '/', {}, 1],
      ],
      'ERR_ACK_ORDER: acknowledgement 1 after 1: they grow',
    ],
    ['it has no ack', [[15, '/', {}]], 'ERR_PACKET_SHAPE: ack: a whole number from 1 to 9007199254740991'],
    ['it names no namespace', [[15, 'x', {}, 1]], 'ERR_PACKET_SHAPE: namespace: starts with "/"'],
  ])('where %s it ends the session', async (_what, flight, reason) => {
    const io = await listening();
    const { wire } = await joined(io, 5_000);
    wire.send(...flight);
    expect(await wire.until(({ closed }) => closed)).toEqual({ code: 4400, reason });
  });

  test('of a namespace that the server has sent its client out of is an error, and nothing else', async () => {
    const io = await listening();
    const { wire, socket } = await joined(io, 5_000);
    socket.disconnect();
    wire.send([15, '/', { user: 'ada' }, 1]);
    expect(await wire.packet(4)).toEqual([4, 1, 'ERR_NAMESPACE_NOT_CONNECTED', 'The namespace is not connected.']);
  });

  test('several decide in turn, and those of a pattern too', async () => {
    const io = await listening();
    const asked: unknown[] = [];
    io.of(/^\/room-\d$/)
      .use(lasting)
      .renew(({ namespace, data }) => void asked.push(namespace, (data as { user: string }).user))
      .renew((handshake) => lasting(handshake as Handshake));
    const wire = await WireClient.open(io.port);
    wire.send([0, [['/room-1', { ms: 5_000, user: 'ada' }]]]);
    await wire.packet(11);
    wire.send([15, '/room-1', { ms: 9_000, user: 'ada' }, 1]);
    await wire.packet(3);
    expect(asked).toEqual(['/room-1', 'ada']);
  });

  test('what lasts for more than a timer can wait is told to be as much', async () => {
    const io = await listening();
    const { renewMs } = await joined(io, 2 ** 40);
    expect(renewMs).toBe(2 ** 31 - 1);
  });
});
