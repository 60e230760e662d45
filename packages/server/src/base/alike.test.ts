import { expect, test } from 'vitest';
import { isAlike } from './alike';

test.each([
  ['conection', true],
  ['connnection', true],
  ['Connection', true],
  ['connectoin', true],
  ['connections', true],
  ['onnection', true],
  ['connectiom', true],
  ['connection', false],
  ['conexion', false],
  ['connectedion', false],
  ['', false],
  ['noitcennoc', false],
])('%s is like connection: %s', (text, expected) => {
  expect([isAlike(text, 'connection'), isAlike('connection', text)]).toEqual([expected, expected]);
});
