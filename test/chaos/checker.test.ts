// The checker is what the chaos run stands on: fed with books that are wrong, it finds what is wrong with them.
import { describe, expect, test } from 'vitest';
import { check, type FaultKind } from './checker';
import { type Epoch, Ledger, type Seat } from './ledger';

/** Books of two clients who were sent and got everything: a has what was to a, and to both; b has what was to both. */
function books() {
  const ledger = new Ledger(() => 0);
  const enter = (name: string): { seat: Seat; epoch: Epoch } => {
    const [seat] = ledger.addClient(name, ['/']).seats;
    if (seat === undefined) throw new Error('a client has a seat');
    return { seat, epoch: begin(ledger, seat, `${name} 1`) };
  };
  const a = enter('a');
  const b = enter('b');
  const say = (...epochs: Epoch[]) => ledger.emitted('to some', epochs);
  const hear = (seat: Seat, ...numbers: number[]) => {
    for (const number of numbers) ledger.received(seat, seat.current?.id, number);
  };
  return { ledger, a, b, say, hear, kinds: () => kinds(ledger) };
}

function begin(ledger: Ledger, seat: Seat, id: string, told: { reason?: string; unconfirmed?: number } = {}): Epoch {
  const epoch = ledger.opened(seat, id);
  ledger.connected(seat, id, { recovered: false, reason: told.reason, unconfirmed: told.unconfirmed ?? 0 });
  return epoch;
}

function kinds(ledger: Ledger): FaultKind[] {
  return check(ledger).faults.map(({ kind }) => kind);
}

describe('what the server emits', () => {
  test('is right when it came once, in order, and to whom it was for', () => {
    const { ledger, a, b, say, hear, kinds } = books();
    say(a.epoch, b.epoch);
    say(a.epoch);
    say(a.epoch, b.epoch);
    hear(a.seat, 1, 2, 3);
    hear(b.seat, 1, 3);
    expect(kinds()).toEqual([]);
    expect(ledger.owed).toBe(0);
    expect(ledger.isAtRest).toBe(true);
  });

  test('is lost: in the midst, or at the end', () => {
    const { ledger, a, say, hear, kinds } = books();
    for (let i = 0; i < 4; i++) say(a.epoch);
    hear(a.seat, 1, 3);
    expect(kinds()).toEqual(['lost', 'lost']);
    expect(ledger.isAtRest).toBe(false);
    const [{ text, context } = { text: '', context: [] }] = check(ledger).faults;
    expect(text).toBe('message 2 (to some) did not come');
    expect(context.slice(0, 2)).toEqual(['expected: 1 [2] 3 4', 'arrived: 1 [3], the first one newer']);
  });

  test('is doubled', () => {
    const { a, say, hear, kinds } = books();
    say(a.epoch);
    say(a.epoch);
    hear(a.seat, 1, 2, 1);
    expect(kinds()).toEqual(['doubled']);
  });

  test('is out of order, in one namespace or across them', () => {
    const { a, say, hear, kinds } = books();
    for (let i = 0; i < 3; i++) say(a.epoch);
    hear(a.seat, 1, 3, 2);
    expect(kinds()).toEqual(['reordered']);

    const ledger = new Ledger(() => 0);
    const [main, side] = ledger.addClient('a', ['/', '/side']).seats as [Seat, Seat];
    ledger.emitted('to main', [begin(ledger, main, 'm')]);
    ledger.emitted('to side', [begin(ledger, side, 's')]);
    ledger.received(side, 's', 2);
    ledger.received(main, 'm', 1);
    expect(check(ledger).faults).toMatchObject([{ kind: 'reordered', who: 'a / as m' }]);
  });

  test('came to one that was excepted, or to another epoch than it was for', () => {
    const { ledger, a, b, say, hear, kinds } = books();
    say(a.epoch);
    hear(a.seat, 1);
    hear(b.seat, 1);
    expect(kinds()).toEqual(['misdelivered']);
    say(a.epoch);
    ledger.closed(a.epoch, 'away');
    begin(ledger, a.seat, 'a 2', { reason: 'unknown-session' });
    hear(a.seat, 2);
    expect(kinds()).toEqual(['misdelivered', 'misdelivered']);
  });

  test('may be missing if it is volatile, and may not be doubled or late', () => {
    const { ledger, a, say, hear, kinds } = books();
    for (let i = 0; i < 3; i++) ledger.emitted('volatile', [a.epoch], true);
    say(a.epoch);
    hear(a.seat, 2, 4);
    expect(kinds()).toEqual([]);
    hear(a.seat, 2, 3);
    expect(kinds()).toEqual(['doubled', 'reordered']);
  });
});

describe('a session that ends', () => {
  test('may take its last messages with it, if its client was told why', () => {
    const { ledger, a, say, hear, kinds } = books();
    for (let i = 0; i < 3; i++) say(a.epoch);
    hear(a.seat, 1);
    ledger.closed(a.epoch, 'log-trimmed');
    begin(ledger, a.seat, 'a 2', { reason: 'log-trimmed' });
    expect(kinds()).toEqual([]);
    expect(check(ledger)).toMatchObject({ toldLosses: 2, told: new Map([['log-trimmed', 1]]) });
  });

  test('may not take one that is older than what arrived', () => {
    const { ledger, a, say, hear, kinds } = books();
    for (let i = 0; i < 3; i++) say(a.epoch);
    hear(a.seat, 1, 3);
    ledger.closed(a.epoch, 'log-trimmed');
    begin(ledger, a.seat, 'a 2', { reason: 'log-trimmed' });
    expect(kinds()).toEqual(['lost']);
  });

  test('is a fault if its client was not told, or not why', () => {
    const untold = books();
    untold.ledger.closed(untold.a.epoch, 'gone');
    expect(untold.kinds()).toEqual(['untold']);
    const unreasoned = books();
    unreasoned.ledger.closed(unreasoned.a.epoch, 'gone');
    begin(unreasoned.ledger, unreasoned.a.seat, 'a 2');
    expect(unreasoned.kinds()).toEqual(['untold']);
    const replaced = books();
    begin(replaced.ledger, replaced.a.seat, 'a 2', { reason: 'unknown-session' });
    expect(replaced.kinds()).toEqual(['untold']);
  });

  test('is left behind if its client never heard of it', () => {
    const { ledger, a, say, kinds } = books();
    ledger.closed(a.epoch, 'log-trimmed');
    const lost = ledger.opened(a.seat, 'never heard of');
    say(lost);
    ledger.asked('server', a.seat, lost, 1);
    begin(ledger, a.seat, 'a 2', { reason: 'unknown-session' });
    expect(kinds()).toEqual([]);
    expect(ledger.isAtRest).toBe(true);
  });
});

describe('what a client emits', () => {
  test('is lost, doubled or out of order', () => {
    for (const [handled, found] of [
      [[1, 2, 3], []],
      [[1, 3], ['lost']],
      [[1, 2], ['lost']],
      [[1, 2, 2, 3], ['doubled']],
      [
        [1, 3, 2],
        ['lost', 'reordered'],
      ],
    ] as const) {
      const { ledger, a, kinds } = books();
      a.seat.sent = 3;
      for (const number of handled) ledger.handled(a.epoch, number);
      expect([handled, kinds()]).toEqual([handled, found]);
    }
  });

  test('may be given up with a session, as much as was told', () => {
    for (const [unconfirmed, found] of [
      [2, []],
      [1, ['lost']],
    ] as const) {
      const { ledger, a, kinds } = books();
      a.seat.sent = 4;
      ledger.handled(a.epoch, 1);
      ledger.closed(a.epoch, 'unknown-session');
      ledger.handled(begin(ledger, a.seat, 'a 2', { reason: 'unknown-session', unconfirmed }), 4);
      expect([unconfirmed, kinds()]).toEqual([unconfirmed, found]);
    }
  });

  test('may be missing if it is volatile, and may not be doubled or late', () => {
    const { ledger, a, kinds } = books();
    for (const number of [1, 3, 3, 2]) ledger.handledVolatile(a.epoch, number);
    expect(kinds()).toEqual(['doubled', 'reordered']);
  });
});

describe('an acknowledgement', () => {
  test('must come, be the right one, and fail only with its session', () => {
    for (const [by, outcome, found] of [
      ['client', 'right', []],
      ['client', undefined, ['unanswered']],
      ['client', 'answered 7', ['unanswered']],
      ['client', 'ERR_ACK_TIMEOUT', ['unanswered']],
      ['client', 'ERR_SESSION_LOST', ['unanswered']],
      ['server', 'ERR_SESSION_ENDED', ['unanswered']],
    ] as const) {
      const { ledger, a, kinds } = books();
      const ask = ledger.asked(by, a.seat, a.epoch, 1);
      if (outcome !== undefined) ledger.settled(ask, outcome);
      expect([by, outcome, kinds()]).toEqual([by, outcome, found]);
    }
  });

  test('may fail when the session ended', () => {
    const { ledger, a, kinds } = books();
    ledger.settled(ledger.asked('server', a.seat, a.epoch, 1), 'ERR_SESSION_ENDED');
    ledger.settled(ledger.asked('client', a.seat, undefined, 1), 'ERR_SESSION_LOST');
    ledger.closed(a.epoch, 'unknown-session');
    begin(ledger, a.seat, 'a 2', { reason: 'unknown-session' });
    expect(kinds()).toEqual([]);
  });
});

test('an end that broke the protocol is a fault', () => {
  const { ledger, kinds } = books();
  ledger.breach('a', 'closed for good, 4400');
  expect(kinds()).toEqual(['broken']);
});
