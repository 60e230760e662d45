import { packetLimits } from '@halyard/protocol';
import { describe, expect, it } from 'vitest';
import { createPositions, type Positions } from './positions';

const { helloPositionsMax } = packetLimits;

describe('advance', () => {
  it('takes what is above, and nothing twice', () => {
    const positions = createPositions(() => {});
    expect(positions.advance([['a', 5]])).toBe(true);
    expect(positions.advance([['a', 5]])).toBe(false);
    expect(positions.advance([['a', 4]])).toBe(false);
    expect(positions.advance([['a', 9]])).toBe(true);
    expect(positions.toArray()).toEqual([['a', 9]]);
  });

  it('takes a first message at offset 0', () => {
    const positions = createPositions(() => {});
    expect(positions.advance([['a', 0]])).toBe(true);
    expect(positions.advance([['a', 0]])).toBe(false);
  });

  it('drops a message that was reached in any of its logs, and then moves none', () => {
    const positions = createPositions(() => {});
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
  const read = (positions: Positions, first: number, count: number): void => {
    for (let i = first; i < first + count; i++) expect(positions.advance([[`log ${i}`, 1]])).toBe(true);
  };

  it('has every log of the last two rounds, as many as HELLO may carry', () => {
    const positions = createPositions(() => {});
    read(positions, 0, helloPositionsMax / 2);
    positions.pinged();
    read(positions, 10_000, helloPositionsMax / 2);
    expect(positions.toArray().length).toBe(helloPositionsMax);
    expect(positions.advance([['log 0', 1]])).toBe(false);
  });

  it('forgets what came two PINGs ago once there is more than HELLO may carry, and not before', () => {
    const positions = createPositions(() => {});
    positions.advance([['a', 1]]);
    positions.pinged();
    positions.pinged();
    read(positions, 0, helloPositionsMax - 1);
    expect(positions.advance([['a', 1]])).toBe(false);
    read(positions, helloPositionsMax, 1);
    expect(positions.advance([['a', 1]])).toBe(true);
  });

  it('counts on no answer that an earlier connection may have lost', () => {
    const positions = createPositions(() => {});
    positions.advance([['a', 1]]);
    positions.pinged();
    positions.attached();
    positions.pinged();
    read(positions, 0, helloPositionsMax - 1);
    expect(positions.advance([['a', 1]])).toBe(false);
    expect(positions.toArray().length).toBe(helloPositionsMax);
  });

  it('asks for a PING once, when half of what HELLO may carry is not confirmed', () => {
    let asked = 0;
    const positions = createPositions(() => asked++);
    read(positions, 0, helloPositionsMax / 2);
    expect(asked).toBe(0);
    read(positions, helloPositionsMax, 2);
    expect(asked).toBe(1);
    positions.pinged();
    read(positions, 2 * helloPositionsMax, 2);
    expect(asked).toBe(2);
    positions.pinged();
    read(positions, 3 * helloPositionsMax, 2);
    expect(asked).toBe(2);
  });

  it('names the newest if a server sends more than it may', () => {
    const positions = createPositions(() => {});
    read(positions, 0, helloPositionsMax + 5);
    expect(positions.toArray().length).toBe(helloPositionsMax);
    expect(positions.toArray().at(-1)).toEqual([`log ${helloPositionsMax + 4}`, 1]);
  });
});
