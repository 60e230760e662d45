import { describe, expect, it } from 'vitest';
import { negotiate, subprotocol } from './version';

const all = ['json', 'msgpack', 'protobuf'];

describe('negotiate', () => {
  it.each([
    ['halyard.v1+json', 'json'],
    ['halyard.v1+msgpack', 'msgpack'],
    ['halyard.v1+protobuf, halyard.v1+json', 'protobuf'],
    ['halyard.v1+json,halyard.v1+protobuf', 'json'],
    ['  halyard.v1+msgpack\t,', 'msgpack'],
    ['graphql-ws, halyard.v2+json, halyard.v1+msgpack', 'msgpack'],
    [', ,halyard.v1+json', 'json'],
  ])('takes the first of "%s" that it has', (offered, codec) => {
    expect(negotiate(offered, all)).toEqual({ codec, subprotocol: subprotocol(codec) });
  });

  it("goes by the client's order, not by the server's", () => {
    expect(negotiate('halyard.v1+msgpack, halyard.v1+json', ['json', 'msgpack'])?.codec).toBe('msgpack');
  });

  it.each([undefined, '', ' '])('takes JSON unnamed when nothing is offered (%j)', (offered) => {
    expect(negotiate(offered, all)).toEqual({ codec: 'json', subprotocol: '' });
    expect(negotiate(offered, ['msgpack'])).toBeUndefined();
  });

  it.each([
    'graphql-ws',
    'halyard.v2+json',
    'halyard.v1+cbor',
    'HALYARD.V1+JSON',
    'halyard.v1+',
    'halyard.v1',
    'json',
    ',',
    'halyard.v1+json;q=1',
  ])('has nothing in common with "%s"', (offered) => {
    expect(negotiate(offered, all)).toBeUndefined();
  });

  it('has nothing in common without that codec', () => {
    expect(negotiate('halyard.v1+protobuf', ['json', 'msgpack'])).toBeUndefined();
    expect(negotiate('halyard.v1+json', [])).toBeUndefined();
  });
});
