import { expect, test } from 'vitest';
import { addressOfBytes, addressOfText, networkOf } from './address';

const wrapped = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 192, 0, 2, 1];

test.each([
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['192.0.2.1', '192.0.2.1'],
  ['2001:db8::1', '2001:db8::1'],
  ['::1', '::1'],
  ['::ffff:0:0', '::ffff:0:0'],
  ['192.0.2.1:4711', '192.0.2.1'],
  ['[2001:db8::1]:4711', '2001:db8::1'],
  ['[2001:db8::1]', '2001:db8::1'],
  ['[::ffff:192.0.2.1]:4711', '192.0.2.1'],
  ['unknown', 'unknown'],
])('text %s', (address, written) => {
  expect(addressOfText(address)).toBe(written);
});

test.each([
  [[192, 0, 2, 1], '192.0.2.1'],
  [wrapped, '192.0.2.1'],
  [[1, ...wrapped.slice(1)], 'text'],
  [[...wrapped.slice(0, 10), 0, 255, 192, 0, 2, 1], 'text'],
  [[], 'text'],
])('bytes %j', (bytes, written) => {
  expect(addressOfBytes(new Uint8Array(bytes), () => 'text')).toBe(written);
});

test.each([
  ['192.0.2.1', '192.0.2.1'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
  ['2001:0db8:0001:0002:ffff:ffff:ffff:ffff', '2001:db8:1:2'],
  ['2001:db8::1', '2001:db8:0:0'],
  ['2001:db8::', '2001:db8:0:0'],
  ['::1', '0:0:0:0'],
  ['::', '0:0:0:0'],
  ['2001:db8:1:2:3::1%eth0', '2001:db8:1:2'],
  ['no:address', 'no:address'],
])('the network of %s', (address, network) => {
  expect(networkOf(address)).toBe(network);
});
