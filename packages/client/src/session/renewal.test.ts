// `auth` is asked again before it ends, and presented over the connection that there is.
import { PacketType, type Value } from '@halyard/protocol';
import { expect, test } from 'vitest';
import { briefs, connected, type Scene, scene, welcome } from '../../testing/fake';

/** A socket whose `auth` is good for so long, as the server says. */
async function lasting(renewMs: number, auth?: () => { [key: string]: Value } | Promise<never>) {
  let asked = 0;
  const all = scene({ auth: auth ?? (() => ({ token: ++asked })) });
  const { link } = all.transport;
  await link.open();
  await link.say(welcome(), connected('/', 'id1', renewMs));
  await link.read();
  all.log.length = 0;
  return { ...all, link };
}

/** What came of what `auth` is about. */
async function said({ transport }: Scene): Promise<string[]> {
  return briefs(
    (await transport.link.read()).filter(({ type }) => type !== PacketType.Ping && type !== PacketType.Sack),
  );
}

const ack = (number: number, value?: Value) => ({ type: PacketType.Ack, ack: number, value }) as const;
const refusal = (number: number) =>
  ({ type: PacketType.Error, ack: number, code: 'ERR_GONE', message: 'Not any more.', data: undefined }) as const;

test('after four fifths of the time, and again from what the answer says', async () => {
  const all = await lasting(10_000);
  await all.advance(7_999);
  expect(await said(all)).toEqual([]);
  await all.advance(1);
  expect(await said(all)).toEqual(['RENEW / {"token":2} #1']);
  await all.link.say(ack(1, 20_000));
  await all.advance(15_999);
  expect(await said(all)).toEqual([]);
  await all.advance(1);
  expect(await said(all)).toEqual(['RENEW / {"token":3} #2']);
  // It does not end any more.
  await all.link.say(ack(2));
  await all.advance(20_000);
  expect(await said(all)).toEqual([]);
  expect(all.log).toEqual([]);
});

test('never, if the server does not say that it ends', async () => {
  const all = await lasting(undefined as never);
  await all.advance(20_000);
  expect(await said(all)).toEqual([]);
});

test('an answer counts from when it was asked for', async () => {
  const all = await lasting(10_000);
  await all.advance(8_000);
  expect(await said(all)).toEqual(['RENEW / {"token":2} #1']);
  await all.advance(1_000);
  await all.link.say(ack(1, 10_000));
  // 9,000 are left, of which four fifths are 7,200.
  await all.advance(7_199);
  expect(await said(all)).toEqual([]);
  await all.advance(1);
  expect(await said(all)).toEqual(['RENEW / {"token":3} #2']);
});

test('a refusal is told as an error, and tried again while there is time', async () => {
  const all = await lasting(10_000);
  await all.advance(8_000);
  expect(await said(all)).toEqual(['RENEW / {"token":2} #1']);
  await all.link.say(refusal(1));
  expect(all.log).toEqual([['error', 'ERR_GONE']]);
  expect(all.socket.connected).toBe(true);
  await all.advance(1_600);
  expect(await said(all)).toEqual(['RENEW / {"token":3} #2']);
  await all.link.say(refusal(2));
  // 400 ms are left: there is no other time.
  await all.advance(5_000);
  expect(await said(all)).toEqual(['RENEW / {"token":4} #3']);
  await all.link.say(refusal(3));
  await all.advance(5_000);
  expect(await said(all)).toEqual([]);
  expect(all.log.map(([, what]) => what)).toEqual(['ERR_GONE', 'ERR_GONE', 'ERR_GONE']);
});

test('an auth that fails is told as an error, and asked again while there is time', async () => {
  let calls = 0;
  const all = await lasting(10_000, () => {
    if (++calls === 2) return Promise.reject(new Error('offline'));
    return { token: calls };
  });
  await all.advance(8_000);
  expect(await said(all)).toEqual([]);
  expect(all.log).toEqual([['error', 'ERR_AUTH']]);
  await all.advance(1_600);
  expect(await said(all)).toEqual(['RENEW / {"token":3} #1']);
});

test('an unchanged one is asked for again after four fifths of what is left, at least a second', async () => {
  const all = await lasting(10_000);
  await all.advance(8_000);
  await all.link.say(ack(1, 2_000));
  await all.link.read();
  await all.advance(1_600);
  expect(await said(all)).toEqual(['RENEW / {"token":3} #2']);
  await all.link.say(ack(2, 400));
  await all.advance(999);
  expect(await said(all)).toEqual([]);
  await all.advance(1);
  expect(await said(all)).toEqual(['RENEW / {"token":4} #3']);
});

test('what is due without a connection is asked for at once when the session is back', async () => {
  const all = await lasting(10_000);
  await all.advance(7_500);
  await all.link.drop();
  await all.advance(1_000);
  const next = all.transport.link;
  expect(briefs(await next.open())).toEqual(['HELLO /{"token":2} resume s1 1 0']);
  await all.advance(100);
  expect(await said(all)).toEqual([]);
  await next.say(welcome({ recovered: true }));
  await all.advance(0);
  expect(await said(all)).toEqual(['RENEW / {"token":3} #1']);
});

test('one that was under way is said again on resume, and not twice', async () => {
  const all = await lasting(10_000);
  await all.advance(8_000);
  expect(await said(all)).toEqual(['RENEW / {"token":2} #1']);
  await all.link.drop();
  await all.advance(1_000);
  const next = all.transport.link;
  expect(briefs(await next.open())).toEqual(['HELLO /{"token":3} resume s1 1 0', 'RENEW / {"token":2} #1']);
  await next.say(welcome({ recovered: true }), ack(1, 20_000));
  await all.advance(3_000);
  expect(await said(all)).toEqual([]);
});

test('who has left and come back renews no earlier than the last one is answered', async () => {
  const all = await lasting(10_000);
  all.socket.of('/b').connect();
  await all.link.say(connected('/b', 'b1'));
  await all.advance(8_000);
  expect(await said(all)).toEqual(['CONNECT /b undefined', 'RENEW / {"token":2} #1']);
  all.socket.disconnect();
  all.socket.connect();
  await all.advance(0);
  expect(await said(all)).toEqual(['DISCONNECT /', 'CONNECT / {"token":3}']);
  await all.link.say(connected('/', 'id2', 2_000));
  await all.advance(1_700);
  expect(await said(all)).toEqual([]);
  // It is about what was before. 300 ms are left, so the next one is a second later.
  await all.link.say(ack(1, 20_000));
  await all.advance(999);
  expect(await said(all)).toEqual([]);
  await all.advance(1);
  expect(await said(all)).toEqual(['RENEW / {"token":4} #2']);
});

test('of a session that is lost means nothing to the next one', async () => {
  const all = await lasting(10_000);
  await all.advance(8_000);
  await all.link.drop();
  await all.advance(1_000);
  const next = all.transport.link;
  await next.open();
  await next.say(welcome({ session: 's2', reason: 'unknown-session' }), connected('/', 'id2'));
  expect(briefs(await next.read())).toEqual(['RESET']);
  expect(all.log.map(([name]) => name)).toEqual(['disconnect', 'connect']);
  expect(all.log.at(-1)).toEqual(['connect', expect.objectContaining({ unconfirmed: 0 })]);
  await all.advance(20_000);
  expect(await said(all)).toEqual([]);
});

test('nothing is asked for a namespace that was left meanwhile', async () => {
  let give = (_: object) => {};
  const all = await lasting(10_000);
  const other = all.socket.of('/b', { auth: () => new Promise((resolve) => (give = resolve as never)) });
  give({ b: 1 });
  await all.advance(0);
  await all.link.say(connected('/b', 'id2', 5_000));
  await all.link.read();
  await all.advance(4_000);
  other.disconnect();
  give({ b: 2 });
  expect(await said(all)).toEqual(['DISCONNECT /b']);
});

test('a server may not send it', async () => {
  const all = await lasting(10_000);
  await all.link.say({ type: PacketType.Renew, namespace: '/', auth: 1, ack: 1 });
  expect(all.link.closed).toMatchObject({ code: 4400 });
});
