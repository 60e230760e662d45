import { expect, test } from 'vitest';
import { Peer } from '../host/host';
import { clientAddress, isRange, Proxies } from './proxies';

const from = (address: string, forwarded?: string): Peer =>
  new Peer(address, false, forwarded === undefined ? [] : [`x-forwarded-for: ${forwarded}`]);

test('without trust it is the address of the socket', () => {
  expect(clientAddress(from('192.0.2.1', '198.51.100.1'), false)).toBe('192.0.2.1');
});

test('with trust it is what the nearest proxy has seen, whoever that is', () => {
  expect(clientAddress(from('192.0.2.1', '203.0.113.1, 198.51.100.1'), true)).toBe('198.51.100.1');
  expect(clientAddress(from('192.0.2.1'), true)).toBe('192.0.2.1');
});

test('of a list it is what the first listed proxy has seen, and who is not listed names nobody', () => {
  const trust = new Proxies(['10.0.0.0/8', '192.0.2.7', '2001:db8::/32']);
  expect(clientAddress(from('10.1.2.3', '203.0.113.1, 198.51.100.1'), trust)).toBe('198.51.100.1');
  expect(clientAddress(from('10.1.2.3', '203.0.113.1, 198.51.100.1, 192.0.2.7'), trust)).toBe('198.51.100.1');
  expect(clientAddress(from('2001:db8::9', '::ffff:198.51.100.1'), trust)).toBe('198.51.100.1');
  expect(clientAddress(from('192.0.2.8', '203.0.113.1'), trust)).toBe('192.0.2.8');
  expect(clientAddress(from('10.1.2.3', '10.0.0.1'), trust)).toBe('10.0.0.1');
  expect(clientAddress(from('10.1.2.3', 'nonsense'), trust)).toBe('nonsense');
  expect(clientAddress(from('10.1.2.3', '\x9b31mred'), trust)).toBe('?31mred');
  expect(clientAddress(from('', '203.0.113.1'), trust)).toBe('');
});

test.each(['10.0.0.0/8', '192.0.2.7', '::1', '2001:db8::/32', '10.0.0.0/0'])('%s is an address or a network', (range) =>
  expect(isRange(range)).toBe(true),
);

test.each(['10.0.0.0/33', '10.0.0/8', 'proxy.example', '', '2001:db8::/129', 7, '10.0.0.1/'])('%s is none', (range) =>
  expect(isRange(range)).toBe(false),
);
