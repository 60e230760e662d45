import { expect, test } from 'vitest';
import { Peer } from '../host/host';
import { Addresses } from './addresses';

function limited(connections: number, opensPerSecond: number) {
  let now = 1_000;
  const warned: string[] = [];
  const addresses = new Addresses({
    ...{ connectionsPerAddressMax: connections, opensPerAddressPerSecondMax: opensPerSecond, trustProxy: true },
    now: () => now,
    warn: (code, message, about) => void warned.push(`${code} ${about}: ${message}`),
  });
  const peerOf = (address: string): Peer => new Peer(address, false, []);
  return {
    addresses,
    warned,
    peerOf,
    pass: (ms: number) => {
      now += ms;
    },
    /** @returns the status of the refusal, or 200 for who has entered */
    open(address: string): number {
      const peer = peerOf(address);
      const refusal = addresses.ask(peer);
      if (refusal === undefined) addresses.entered(peer);
      return refusal?.status ?? 200;
    },
  };
}

test('one address has so many connections, and what is gone makes room', () => {
  const { addresses, open, peerOf, warned } = limited(2, 1_000);
  expect(['192.0.2.1', '192.0.2.1', '192.0.2.1', '192.0.2.2'].map(open)).toEqual([200, 200, 429, 200]);
  addresses.left(peerOf('192.0.2.1'));
  expect(open('192.0.2.1')).toBe(200);
  expect(warned).toEqual([
    expect.stringMatching(/^connectionsPerAddressMax 192\.0\.2\.1: .* has 2 connections .*trustProxy/),
  ]);
});

test('the addresses of one network of IPv6 are one', () => {
  const { open } = limited(2, 1_000);
  expect(['2001:db8::1', '2001:db8:0:0:ffff::9', '2001:db8::2', '2001:db8:0:1::1'].map(open)).toEqual([
    200, 200, 429, 200,
  ]);
});

test('one opens so many in a second, and five times as many at once', () => {
  const { open, pass, warned } = limited(1_000, 2);
  const many = (): number =>
    Array.from({ length: 20 }, () => open('192.0.2.1')).filter((status) => status === 200).length;
  expect(many()).toBe(10);
  expect(many()).toBe(0);
  pass(1_000);
  expect(many()).toBe(2);
  pass(500);
  expect([many(), open('192.0.2.2')]).toEqual([1, 200]);
  pass(60_000);
  expect(many()).toBe(10);
  expect(warned[0]).toMatch(/^opensPerAddressPerSecondMax 192\.0\.2\.1: .* more than 2 connections in a second/);
});

test('who has no connection is forgotten', () => {
  const { addresses, open, pass, peerOf } = limited(10, 10);
  for (let i = 0; i < 200; i++) open(`192.0.2.${i}`);
  for (let i = 0; i < 199; i++) addresses.left(peerOf(`192.0.2.${i}`));
  pass(5_000);
  open('198.51.100.1');
  expect(addresses.size).toBe(2);
});
