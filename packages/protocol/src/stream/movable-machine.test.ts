// Longer than other files: what is settled, told and stored, one rule after the other.
import { describe, expect, it } from 'vitest';
import { stateOf } from '../../testing/state';
import { defaultSettings, type RateLimits } from '../wire/limits';
import { type ControlPacket, type EventPacket, PacketType } from '../wire/packet';
import { largestWindow, MovableMachine, openMsMax, type StreamState, waitMsMax } from './movable-machine';

const settings = {
  ...defaultSettings,
  heartbeatMs: 1_000_000,
  sackPacketsMax: 2,
  sackDelayMs: 100,
  windowPacketsMax: 4,
  windowBytesMax: 100,
};
const limits = { outboxPacketsMax: 5, outboxBytesMax: 100, pendingAcksMax: 2 };
const nothing = { received: 0, confirmed: 0 };
const code = (value: string) => expect.objectContaining({ code: value });
const event = (name: string, ack?: number): EventPacket => ({
  ...{ type: PacketType.Event, namespace: '/', event: name, args: [], ack },
});
const sack = (received: number, settled?: number[]): ControlPacket => ({ type: PacketType.Sack, received, settled });

/** What its owner stores at once. */
class StoredMachine extends MovableMachine<string> {
  isStored = true;

  override settle(number: number, now: number): void {
    super.settle(number, now);
    this.#store(now);
  }

  override settleInTurn(number: number, now: number): void {
    super.settleInTurn(number, now);
    this.#store(now);
  }

  override receive(...how: Parameters<MovableMachine<string>['receive']>): boolean {
    const isCloser = super.receive(...how);
    this.#store(how[1]);
    return isCloser;
  }

  override tick(now: number): void {
    super.tick(now);
    this.#store(now);
  }

  #store(now: number): void {
    if (this.isStored && this.state !== 'ended') this.stored(this.snapshot(), now);
  }
}

/** A machine that writes down what it does. Its owner settles what it is told to. */
function scribe(state?: StreamState<string>, rates: Partial<RateLimits> = {}, hasBegun?: (number: number) => boolean) {
  const lines: unknown[] = [];
  const machine = new StoredMachine(
    {
      transmit: (frame) => lines.push(frame),
      control: (packet) => lines.push(packet),
      deliver: (packet, number) => lines.push(`${'event' in packet ? packet.event : packet.type} is ${number}`),
      silent() {},
      transmittedStamp: () => -1,
      hasBegun,
    },
    settings,
    { ...limits, ...rates },
    state,
  );
  return { machine, done: () => lines.splice(0) };
}

/** One that is open. */
function opened(
  state?: StreamState<string>,
  from: Parameters<MovableMachine<string>['hold']>[0] = nothing,
  rates: Partial<RateLimits> = {},
  hasBegun?: (number: number) => boolean,
) {
  const all = scribe(state, rates, hasBegun);
  all.machine.hold(from, 0);
  all.machine.open(0);
  return all;
}

describe('what is handled', () => {
  it('is told once its owner has settled it: all up to one number, and others above', () => {
    const { machine, done } = opened();
    for (const name of 'abcd') machine.receive(event(name), 1);
    expect(done()).toEqual(['a is 1', 'b is 2', 'c is 3', 'd is 4']);
    expect(machine.received).toBe(0);
    machine.settle(2, 2);
    machine.settle(4, 2);
    expect(done()).toEqual([sack(0, [2, 2, 4, 4])]);
    machine.settle(1, 3);
    machine.tick(103);
    expect(done()).toEqual([sack(2, [4, 4])]);
    machine.settle(3, 104);
    machine.tick(204);
    expect(done()).toEqual([sack(4)]);
  });

  it('is settled at once if it is an answer', () => {
    const { machine } = opened();
    const ack = machine.expectAck(1_000, () => {});
    machine.receive({ type: PacketType.Ack, ack, value: 1 }, 1);
    expect(machine.received).toBe(1);
  });

  it('is told by all its ranges, however many', () => {
    const { machine, done } = opened();
    machine.settings = { ...settings, windowPacketsMax: 1_024, sackPacketsMax: 1_000 };
    for (let i = 1; i <= 200; i++) machine.receive(event(`${i}`), 1);
    for (let i = 2; i <= 200; i += 2) machine.settle(i, 1);
    done();
    machine.tick(101);
    const [packet] = done() as [ControlPacket];
    expect(packet.settled).toEqual(Array.from({ length: 200 }, (_, i) => 2 + i - (i % 2)));
  });

  it('counts as settled once it has been open for 30 s, and is answered still', () => {
    const { machine, done } = opened();
    machine.receive(event('a', 7), 1);
    machine.receive(event('b'), 2);
    expect(machine.deadline).toBe(1 + openMsMax);
    machine.tick(1 + openMsMax);
    expect([machine.received, stateOf(machine).owed]).toEqual([1, [[1, 7]]]);
    machine.settle(1, 40_000);
    expect(stateOf(machine).owed).toEqual([]);
    machine.tick(2 + openMsMax);
    expect([machine.received, stateOf(machine).owed]).toEqual([2, []]);
    expect(done().slice(2)).toEqual([sack(2)]);
  });

  it('is owed nothing once it was answered, before it counts as settled or after', () => {
    const { machine } = opened();
    machine.receive(event('a', 7), 1);
    machine.receive(event('b', 8), 1);
    machine.answered(7);
    machine.tick(1 + openMsMax);
    expect(stateOf(machine).owed).toEqual([[2, 8]]);
    machine.answered(8);
    expect(stateOf(machine).owed).toEqual([]);
  });

  it('is open from when its owner has begun with it, and not before', () => {
    const begun = new Set([1]);
    const { machine } = opened(undefined, nothing, {}, (number) => begun.has(number));
    for (const name of 'abc') machine.receive(event(name), 1);
    machine.tick(1 + openMsMax);
    expect(machine.received).toBe(1);
    machine.begin(3, 50_000);
    begun.add(3);
    machine.tick(49_999 + openMsMax);
    expect(stateOf(machine).settled).toEqual([]);
    machine.tick(50_000 + openMsMax);
    expect(stateOf(machine)).toMatchObject({ received: 1, settled: [3, 3] });
    machine.settle(2, 50_000 + openMsMax);
    expect(machine.received).toBe(3);
  });

  it('is open from when its owner has begun with it, though nothing else waits', () => {
    const begun = new Set<number>();
    const { machine } = opened(undefined, nothing, {}, (number) => begun.has(number));
    machine.receive(event('a'), 1);
    begun.add(1);
    machine.begin(1, 28_000);
    machine.tick(27_999 + openMsMax);
    expect(machine.received).toBe(0);
    machine.tick(28_000 + openMsMax);
    expect(machine.received).toBe(1);
  });

  it('holds up nothing for longer than two minutes, begun or not', () => {
    const { machine } = opened(undefined, nothing, {}, () => false);
    machine.receive(event('a', 7), 1);
    machine.tick(1 + openMsMax);
    machine.tick(waitMsMax);
    expect(machine.received).toBe(0);
    machine.tick(waitMsMax + openMsMax);
    expect(stateOf(machine)).toMatchObject({ received: 1, owed: [[1, 7]] });
  });

  it('is not open while it is put off', () => {
    const { machine } = opened();
    for (const name of 'abc') machine.receive(event(name), 1);
    machine.putOff(2);
    machine.putOff(3);
    machine.tick(1 + openMsMax);
    expect(machine.received).toBe(1);
    machine.begin(2, 50_000);
    machine.putOff(3);
    machine.tick(49_999 + openMsMax);
    expect(machine.received).toBe(1);
    machine.tick(50_000 + openMsMax);
    expect(machine.received).toBe(2);
    machine.begin(3, 100_000);
    machine.tick(99_999 + openMsMax);
    expect(machine.received).toBe(2);
    machine.settle(3, 100_000 + openMsMax);
    expect(machine.received).toBe(3);
  });

  it('that settles in its turn waits for what came before', () => {
    const { machine } = opened();
    for (const name of 'abcd') machine.receive(event(name), 1);
    machine.settleInTurn(3, 1);
    machine.settle(1, 1);
    expect(stateOf(machine)).toMatchObject({ received: 1, settled: [] });
    machine.settle(2, 1);
    expect(machine.received).toBe(3);
    machine.settleInTurn(4, 1);
    expect(machine.received).toBe(4);
  });

  it('may have been delivered by a machine before: it is settled whether it has come here or not, and is not delivered then', () => {
    const { machine, done } = opened();
    machine.settle(2, 1);
    machine.settle(2, 1);
    expect(stateOf(machine)).toMatchObject({ received: 0, settled: [2, 2] });
    for (const name of 'abcd') machine.receive(event(name), 1);
    expect(done()).toEqual(['a is 1', 'c is 3', 'd is 4']);
    for (const number of [1, 3, 4]) machine.settle(number, 1);
    expect(machine.received).toBe(4);
  });

  it('and while it waits because it has come too fast', () => {
    const { machine, done } = opened(undefined, { ...nothing, left: 6 }, { packetsPerSecondMax: 2 });
    for (const name of 'abcdef') machine.receive(event(name), 1);
    expect(done()).toEqual(['a is 1', 'b is 2']);
    machine.settle(4, 2);
    for (let now = 1_000; now <= 5_000; now += 500) machine.tick(now);
    expect(done().filter((line) => typeof line === 'string')).toEqual(['c is 3', 'e is 5', 'f is 6']);
    for (const number of [1, 2, 3, 5, 6]) machine.settle(number, 5_000);
    machine.tick(5_000 + openMsMax * 2);
    expect(stateOf(machine)).toMatchObject({ received: 6, settled: [], owed: [] });
  });

  it('that settle in their turn wait for no later one', () => {
    const { machine } = opened();
    for (const name of 'abcd') machine.receive(event(name), 1);
    machine.settleInTurn(4, 1);
    machine.settleInTurn(2, 1);
    machine.settle(1, 1);
    expect(machine.received).toBe(2);
    machine.settle(3, 1);
    expect(machine.received).toBe(4);
  });

  it('that settles in its turn, and counts as settled before that, holds up nothing', () => {
    const { machine } = opened();
    machine.receive(event('a'), 1);
    machine.receive(event('b'), 1);
    machine.settleInTurn(2, 1);
    machine.tick(1 + openMsMax);
    machine.receive(event('c'), 2 + openMsMax);
    machine.settleInTurn(3, 2 + openMsMax);
    expect(machine.received).toBe(3);
  });
});

describe('what is not stored', () => {
  it('is not told, and does not leave', () => {
    const { machine, done } = opened();
    machine.isStored = false;
    for (const name of 'ab') machine.receive(event(name), 1);
    machine.settle(1, 1);
    machine.send('one', 1);
    machine.send('two', 2);
    done();
    const before = machine.snapshot();
    machine.settle(2, 1);
    machine.send('three', 3);
    machine.tick(500);
    expect([done(), machine.received, machine.counts().received]).toEqual([[], 0, 2]);
    machine.release(4);
    expect(done()).toEqual(['one']);
    machine.stored(before, 600);
    machine.tick(700);
    expect(done()).toEqual(['two', sack(1)]);
    machine.stored(machine.snapshot(), 800);
    machine.tick(900);
    expect(done()).toEqual(['three', sack(2)]);
  });

  it('counts for the window', () => {
    const { machine } = opened();
    machine.isStored = false;
    for (const [i, name] of [...'abcd'].entries()) {
      machine.receive(event(name), 1);
      machine.settle(i + 1, 1);
    }
    expect(() => machine.receive(event('e'), 1)).toThrow(code('ERR_WINDOW'));
  });
});

describe('the window', () => {
  it('of what its client says had left is the largest there is', () => {
    const { machine } = opened(undefined, { ...nothing, left: Number.MAX_SAFE_INTEGER });
    for (let i = 0; i < largestWindow.windowPacketsMax; i++) machine.receive(event('a'), 1);
    expect(() => machine.receive(event('a'), 1)).toThrow(code('ERR_WINDOW'));
  });

  it('of packets is kept, or the connection is closed with 4429', () => {
    const { machine } = opened();
    for (const name of 'abcd') machine.receive(event(name), 1);
    expect(() => machine.receive(event('e'), 1)).toThrow(
      expect.objectContaining({ code: 'ERR_WINDOW', closeCode: 4429 }),
    );
  });

  it('of bytes is kept, but for one packet of any size', () => {
    const { machine } = opened();
    machine.receive(event('a'), 1, 5_000);
    machine.settle(1, 1);
    machine.tick(101);
    machine.receive(event('b'), 200, 60);
    machine.receive(event('c'), 200, 40);
    expect(() => machine.receive(event('d'), 200, 1)).toThrow(code('ERR_WINDOW'));
  });

  it('is what the client was told: what is settled and not told counts', () => {
    const { machine, done } = opened();
    for (const name of 'abc') machine.receive(event(name), 1);
    machine.settle(1, 1);
    machine.receive(event('d'), 1);
    expect(() => machine.receive(event('e'), 1)).toThrow(code('ERR_WINDOW'));
    done();
  });
});

describe('another connection', () => {
  it('does not deliver again what is open or settled, and skips what its client skips', () => {
    const { machine, done } = opened();
    for (const name of 'abcd') machine.receive(event(name), 1);
    machine.settle(3, 1);
    machine.settle(2, 1);
    machine.detach();
    done();
    machine.hold({ received: 0, confirmed: 0, settled: [2, 3] }, 2);
    machine.open(2);
    for (const name of 'ade') machine.receive(event(name), 3);
    expect(done()).toEqual(['e is 5']);
    machine.settle(5, 3);
    expect(stateOf(machine)).toMatchObject({ received: 0, settled: [2, 3, 5, 5] });
  });

  it.each([
    ['that are open', [2, 2]],
    ['that never came', [3, 9]],
    ['around the first that is not', [1, 4]],
  ])('is refused if its client skips numbers %s, and nothing has changed', (_what, settled) => {
    const { machine } = opened();
    for (const name of 'abcd') machine.receive(event(name), 1);
    machine.settle(3, 1);
    machine.settle(4, 1);
    expect(machine.hasSettled(settled)).toBe(false);
    expect(() => machine.hold({ ...nothing, settled }, 2)).toThrow(code('ERR_RESUME_AHEAD'));
    expect([machine.state, machine.hasSettled([3, 4])]).toEqual(['live', true]);
  });
});

describe('another machine', () => {
  it('delivers again what was not settled, and goes on from there', () => {
    const before = opened();
    for (const name of 'abcd') before.machine.receive(event(name), 1);
    before.machine.settle(2, 1);
    before.machine.send('frame', 5);
    const { machine, done } = opened(stateOf(before.machine), { ...nothing, settled: [2, 2] });
    expect(done()).toEqual(['frame']);
    for (const name of 'acde') machine.receive(event(name), 1);
    expect(done()).toEqual(['a is 1', 'c is 3', 'd is 4', 'e is 5']);
    machine.settle(1, 1);
    expect(machine.received).toBe(2);
  });
});
