import { describe, expect, it } from 'vitest';
import { packetLimits } from './limits';
import { Positions } from './positions';

describe('advance', () => {
  it('takes what is above, and nothing twice', () => {
    const positions = new Positions();
    expect(positions.advance([['a', 5]])).toBe(true);
    expect(positions.advance([['a', 5]])).toBe(false);
    expect(positions.advance([['a', 4]])).toBe(false);
    expect(positions.advance([['a', 9]])).toBe(true);
    expect(positions.toArray()).toEqual([['a', 9]]);
  });

  it('takes a first message at offset 0', () => {
    const positions = new Positions();
    expect(positions.advance([['a', 0]])).toBe(true);
    expect(positions.advance([['a', 0]])).toBe(false);
  });

  it('drops a message that was reached in any of its logs, and then moves none', () => {
    const positions = new Positions();
    positions.advance([['a', 5]]);
    expect(
      positions.advance([
        ['b', 1],
        ['a', 5],
      ]),
    ).toBe(false);
    expect(positions.advance([['b', 1]])).toBe(true);
    expect(
      positions.advance([
        ['a', 6],
        ['b', 2],
      ]),
    ).toBe(true);
    expect(positions.advance([['b', 2]])).toBe(false);
    expect(new Map(positions.toArray())).toEqual(
      new Map([
        ['a', 6],
        ['b', 2],
      ]),
    );
  });
});

describe('memory', () => {
  const logsOf = (first: number, count: number) =>
    Array.from({ length: count }, (_none, i) => [`log ${first + i}`, 1] as const);

  it('forgets a log only after thousands of others', () => {
    const positions = new Positions();
    positions.advance([['a', 1]]);
    for (const position of logsOf(0, 5_000)) positions.advance([position]);
    expect(positions.advance([['a', 1]])).toBe(false);
    for (const position of logsOf(5_000, 8_192)) positions.advance([position]);
    expect(positions.advance([['a', 1]])).toBe(true);
  });

  it('remembers a log that is read, whatever else is', () => {
    const positions = new Positions();
    for (let i = 0; i < 20_000; i++) {
      expect(positions.advance([[`log ${i}`, 1]])).toBe(true);
      if (i % 1_000 === 0) expect(positions.advance([['a', i]])).toBe(true);
    }
    expect(positions.advance([['a', 19_000]])).toBe(false);
    expect(positions.toArray()).toContainEqual(['a', 19_000]);
  });

  it('never has more than HELLO may carry, even after messages to many logs', () => {
    const positions = new Positions();
    const { publishLogsMax, helloPositionsMax } = packetLimits;
    let most = 0;
    const read = (first: number, count: number, together: number) => {
      for (let i = first; i < first + count; i += together) {
        positions.advance(logsOf(i, together));
        if (i % 60 === 0) most = Math.max(most, positions.toArray().length);
      }
    };
    read(0, 4_080, 1);
    read(5_000, publishLogsMax, publishLogsMax);
    read(6_000, 6_000, 1);
    read(12_000, 60 * publishLogsMax, publishLogsMax);
    expect(most).toBeLessThanOrEqual(helloPositionsMax);
    expect(most).toBeGreaterThan(helloPositionsMax - publishLogsMax);
  });
});
