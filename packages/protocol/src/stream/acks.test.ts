import { describe, expect, it } from 'vitest';
import { LocalUsageError, PublicError } from '../wire/errors';
import { PacketType } from '../wire/packet';
import { PendingAcks } from './acks';

const code = (value: string) => expect.objectContaining({ code: value });

/** Acknowledgements with a record of how they settled. */
function pendingAcks(pendingMax = 10) {
  const acks = new PendingAcks();
  const settled: string[] = [];
  return {
    acks,
    settled,
    ask: (name: string, deadline: number) =>
      acks.expect(deadline, pendingMax, (error, value) => settled.push(`${name}: ${error?.code ?? value}`)),
    reply: (ack: number, value?: string) => acks.receive({ type: PacketType.Ack, ack, value }),
  };
}

describe('replies', () => {
  it('settle the one with their number', () => {
    const { ask, reply, settled } = pendingAcks();
    expect([ask('a', 100), ask('b', 100)]).toEqual([1, 2]);
    reply(2, 'two');
    reply(1);
    expect(settled).toEqual(['b: two', 'a: undefined']);
  });

  it('may be errors of the other side', () => {
    const { acks } = pendingAcks();
    const errors: unknown[] = [];
    const ack = acks.expect(100, 1, (error) => errors.push(error));
    acks.receive({ type: PacketType.Error, ack, code: 'ERR_MINE', message: 'no', data: { why: 1 } });
    expect(errors).toEqual([new PublicError('ERR_MINE', 'no', { why: 1 })]);
    expect(errors[0]).toMatchObject({ code: 'ERR_MINE', data: { why: 1 } });
  });

  it('to what nobody asked are errors of the peer', () => {
    const { ask, reply } = pendingAcks();
    ask('a', 100);
    for (const ack of [2, 3]) expect(() => reply(ack)).toThrow(code('ERR_ACK_UNKNOWN'));
  });

  it('that come again change nothing', () => {
    const { ask, reply, settled } = pendingAcks();
    reply(ask('a', 100), 'first');
    reply(1, 'second');
    expect(settled).toEqual(['a: first']);
  });

  it('to what was never sent settle nothing', () => {
    const { acks, ask, reply, settled } = pendingAcks();
    acks.cancel(ask('a', 100));
    reply(1);
    acks.expire(1_000);
    expect(settled).toEqual([]);
  });
});

describe('deadlines', () => {
  it('settle what is due, the others later', () => {
    const { acks, ask, settled } = pendingAcks();
    ask('late', 300);
    ask('early', 100);
    expect(acks.deadline).toBe(100);
    acks.expire(99);
    expect(settled).toEqual([]);
    acks.expire(100);
    expect(settled).toEqual(['early: ERR_ACK_TIMEOUT']);
    expect(acks.deadline).toBe(300);
    acks.expire(300);
    expect(settled).toEqual(['early: ERR_ACK_TIMEOUT', 'late: ERR_ACK_TIMEOUT']);
    expect(acks.deadline).toBe(Number.POSITIVE_INFINITY);
  });

  it('are gone when all is answered', () => {
    const { acks, ask, reply } = pendingAcks();
    reply(ask('a', 100));
    expect(acks.deadline).toBe(Number.POSITIVE_INFINITY);
  });

  it('make a late reply harmless', () => {
    const { acks, ask, reply, settled } = pendingAcks();
    ask('a', 100);
    acks.expire(100);
    reply(1, 'late');
    expect(settled).toEqual(['a: ERR_ACK_TIMEOUT']);
  });

  it('let a handler ask again', () => {
    const { acks, ask, settled } = pendingAcks();
    acks.expect(100, 10, () => ask('again', 200));
    acks.expire(100);
    expect(acks.deadline).toBe(200);
    acks.expire(200);
    expect(settled).toEqual(['again: ERR_ACK_TIMEOUT']);
  });
});

it('tells who is waited for, and until when', () => {
  const { acks, ask, reply } = pendingAcks();
  ask('a', 100);
  ask('b', 200);
  expect([1, 2, 3].map((ack) => acks.deadlineOf(ack))).toEqual([100, 200, undefined]);
  reply(1);
  expect(acks.deadlineOf(1)).toBeUndefined();
});

describe('bounds and ends', () => {
  it('takes pendingAcksMax and no more', () => {
    const { ask, reply } = pendingAcks(2);
    ask('a', 100);
    ask('b', 100);
    expect(() => ask('c', 100)).toThrow(code('ERR_ACKS_FULL'));
    reply(1);
    expect(ask('c', 100)).toBe(3);
  });

  it('settles all when the session ends', () => {
    const { acks, ask, settled } = pendingAcks();
    ask('a', 100);
    ask('b', 200);
    acks.fail(new LocalUsageError('ERR_OVER'));
    acks.fail(new LocalUsageError('ERR_OVER'));
    acks.expire(1_000);
    expect(settled).toEqual(['a: ERR_OVER', 'b: ERR_OVER']);
    expect(acks.deadline).toBe(Number.POSITIVE_INFINITY);
  });

  it('keeps those whose events a new session will carry', () => {
    const { acks, ask, reply, settled } = pendingAcks();
    ask('lost', 100);
    ask('kept', 100);
    acks.fail(new LocalUsageError('ERR_OVER'), new Set([2]));
    reply(2, 'ok');
    expect(settled).toEqual(['lost: ERR_OVER', 'kept: ok']);
  });
});
