import { describe, expect, it } from 'vitest';
import { defaultSettings, type RateLimits } from '../wire/limits';
import { type EventPacket, PacketType } from '../wire/packet';
import { MovableMachine } from './movable-machine';
import { ServerMachine, type ServerSink } from './server-machine';

const settings = { ...defaultSettings, sackPacketsMax: 4, windowPacketsMax: 64, windowBytesMax: 10_000 };
const outbox = { outboxPacketsMax: 5, outboxBytesMax: 100, pendingAcksMax: 2 };
const event = (name: string, ack?: number): EventPacket => ({
  ...{ type: PacketType.Event, namespace: '/', event: name, args: [], ack },
});
const volatile = (name: string) => ({ type: PacketType.Volatile, namespace: '/', event: name, args: [] }) as const;

/** What a machine with these limits makes of what it is sent. */
function paced(limits: Partial<RateLimits>, Machine: typeof ServerMachine<string> = ServerMachine) {
  const handled: string[] = [];
  const told: string[] = [];
  const sink: ServerSink<string> = {
    transmit() {},
    control: (packet) => told.push(`${packet.type} ${packet.received}`),
    deliver: (packet) => handled.push('event' in packet ? packet.event : String(packet.type)),
    silent() {},
    transmittedStamp: () => -1,
    paced: (limit, isDropped) => told.push(`${limit}${isDropped ? ', dropped' : ''}`),
  };
  const machine = new Machine(sink, settings, { ...outbox, ...limits });
  machine.hold({ received: 0, confirmed: 0 }, 0);
  machine.open(0);
  return {
    machine,
    told,
    send: (now: number, count: number, size = 1) => {
      for (let i = 1; i <= count; i++) machine.receive(event(`${now}.${i}`), now, size);
    },
    take: () => handled.splice(0),
  };
}

describe('somebody who can take no more', () => {
  it('holds back what comes, for 30 s at most', () => {
    const { machine, send, take } = paced({});
    send(0, 2);
    machine.block(1_000);
    send(1_000, 3);
    // It goes on, and is full again at once: the time counts anew.
    machine.unblock();
    machine.tick(20_000);
    expect(take()).toEqual(['0.1', '0.2', '1000.1', '1000.2', '1000.3']);
    machine.block(20_000);
    machine.block(25_000);
    send(25_000, 1);
    // It is of what waits: nothing has until then.
    expect(machine.deadline).toBeLessThanOrEqual(55_000);
    machine.receive({ type: 'hint' }, 54_999);
    machine.tick(54_999);
    expect(take()).toEqual([]);
    expect(() => machine.tick(55_000)).toThrow(
      expect.objectContaining({ code: 'ERR_WAITS_LONG', closeCode: 4410, message: expect.stringContaining('30 s') }),
    );
  });

  it('may go on for as long as nothing comes', () => {
    const { machine, send, take } = paced({});
    machine.block(1_000);
    machine.receive({ type: 'hint' }, 40_000);
    machine.tick(40_000);
    machine.unblock();
    send(40_000, 1);
    expect(take()).toEqual(['40000.1']);
  });

  it('is not waited for by an answer that has come too fast before', () => {
    const { machine, send, take } = paced({ packetsPerSecondMax: 2 });
    send(0, 3);
    let answer: unknown;
    const ack = machine.expectAck(10_000, (_error, value) => {
      answer = value;
    });
    machine.receive({ type: PacketType.Ack, ack, value: 'yes' }, 1, 1);
    expect([take(), answer]).toEqual([['0.1', '0.2'], undefined]);
    machine.block(1);
    expect([take(), answer]).toEqual([[], 'yes']);
    machine.unblock();
    machine.tick(2_000);
    expect(take()).toEqual(['0.3']);
  });

  it('is not waited for by an answer, which is counted in its turn', () => {
    const { machine, send, take, told } = paced({});
    machine.block(0);
    send(0, 1);
    let answer: unknown;
    const ack = machine.expectAck(10_000, (_error, value) => {
      answer = value;
    });
    machine.receive({ type: PacketType.Ack, ack, value: 'yes' }, 1, 1);
    expect([take(), answer]).toEqual([[], 'yes']);
    machine.receive({ type: PacketType.Ping, received: undefined }, 2);
    expect(told.at(-1)).toMatch(/^9 (0|undefined)$/);
    machine.unblock();
    machine.tick(3);
    expect(take()).toEqual(['0.1']);
  });
});

describe('what says nothing', () => {
  const ping = { type: PacketType.Ping, received: undefined } as const;
  const ended = expect.objectContaining({ code: 'ERR_RATE', closeCode: 4429 });

  it('is no more than 10,000 packets in a second', () => {
    const { machine } = paced({});
    for (let now = 1_000; now < 4_000; now += 1_000) for (let i = 0; i < 10_000; i++) machine.receive(ping, now);
    expect(() => machine.receive(ping, 3_999)).toThrow(ended);
  });

  it.each([
    // A client that may send little has done no wrong with what is dropped of it.
    [1_000, 16 << 20],
    [64 << 20, 64 << 20],
  ])('with a rate of %i bytes is no more than %i bytes, with what is dropped', (bytesPerSecondMax, most) => {
    const { machine, told } = paced({ bytesPerSecondMax });
    machine.receive({ type: 'hint' }, 1_000, most);
    machine.receive(volatile('taken'), 2_000, bytesPerSecondMax);
    machine.receive(volatile('dropped'), 2_000, most);
    expect(told).toEqual(['bytesPerSecondMax, dropped']);
    expect(() => machine.receive({ type: 'hint' }, 2_999, 1)).toThrow(ended);
  });

  it('is not what confirms something', () => {
    const { machine } = paced({});
    for (let i = 1; i <= 30_000; i++) {
      machine.send('x', i);
      machine.receive({ type: PacketType.Sack, received: i }, 1_000, 10);
    }
    expect(machine.confirmed).toBe(30_000);
  });
});

describe('packets in a second', () => {
  it('are taken as they come if they are no more', () => {
    const { send, take, told, machine } = paced({ packetsPerSecondMax: 20 });
    send(0, 20);
    expect(take()).toHaveLength(20);
    for (let now = 1_000; now < 10_000; now += 100) send(now, 2);
    expect(take()).toHaveLength(180);
    expect(told.filter((line) => line.includes('Max'))).toEqual([]);
    expect(machine.received).toBe(200);
  });

  it('wait if they are more, unconfirmed, in their order, until there is time for them', () => {
    const { send, take, told, machine } = paced({ packetsPerSecondMax: 20 });
    send(1_000, 20);
    send(1_010, 10);
    expect(take()).toHaveLength(20);
    expect([machine.received, told.filter((line) => line.includes('Max'))]).toEqual([20, ['packetsPerSecondMax']]);
    const steps: number[] = [];
    for (let now = 1_100; machine.received < 30; now += 100) {
      expect(machine.deadline).toBeLessThanOrEqual(now);
      machine.tick(now);
      steps.push(machine.received);
    }
    expect(steps).toEqual([22, 24, 26, 28, 30]);
    expect(take()).toEqual(Array.from({ length: 10 }, (_none, i) => `1010.${i + 1}`));
    // Nothing waits any more, and nobody is woken for it.
    expect(machine.deadline).toBeGreaterThan(2_000);
    send(3_000, 20);
    expect(take()).toHaveLength(20);
  });

  it('are told handled no sooner than they are', () => {
    const { send, told, machine } = paced({ packetsPerSecondMax: 4 });
    send(1_000, 10);
    expect(told).toEqual([`${PacketType.Sack} 4`, 'packetsPerSecondMax']);
    for (let now = 1_250; now <= 2_000; now += 250) machine.tick(now);
    expect(told.at(-1)).toBe(`${PacketType.Sack} 8`);
  });

  it('may be one', () => {
    const { send, take, machine } = paced({ packetsPerSecondMax: 1 });
    send(5_000, 3);
    expect(take()).toHaveLength(1);
    for (let now = 5_100; now < 6_000; now += 100) machine.tick(now);
    expect(take()).toHaveLength(0);
    machine.tick(6_000);
    expect(take()).toHaveLength(1);
    machine.tick(7_050);
    expect(take()).toHaveLength(1);
  });
});

describe('bytes in a second', () => {
  it('wait likewise, and what is larger than all of them goes alone and is made up for', () => {
    const { send, take, told, machine } = paced({ bytesPerSecondMax: 1_000 });
    send(1_000, 1, 3_000);
    send(1_001, 2, 100);
    expect([take(), told]).toEqual([['1000.1'], ['bytesPerSecondMax']]);
    machine.tick(2_900);
    expect(take()).toEqual([]);
    machine.tick(3_300);
    expect(take()).toEqual(['1001.1', '1001.2']);
  });
});

describe('what waits', () => {
  it('is more than the window only if the client breaks a rule', () => {
    const { send } = paced({ packetsPerSecondMax: 1 });
    send(1_000, 65);
    expect(() => send(1_000, 1)).toThrow(expect.objectContaining({ code: 'ERR_WINDOW', closeCode: 4429 }));
    const bytes = paced({ packetsPerSecondMax: 1 });
    bytes.send(1_000, 2, 10_000);
    expect(() => bytes.send(1_000, 1, 1)).toThrow(expect.objectContaining({ code: 'ERR_WINDOW', closeCode: 4429 }));
  });

  it('is not overtaken by a volatile event, which is dropped', () => {
    const { machine, send, take, told } = paced({ packetsPerSecondMax: 2 });
    send(1_000, 3);
    machine.receive(volatile('too fast'), 1_000, 1);
    machine.tick(1_500);
    machine.tick(2_000);
    machine.receive(volatile('in time'), 3_000, 1);
    expect(take()).toEqual(['1000.1', '1000.2', '1000.3', 'in time']);
    expect(told).toContain('packetsPerSecondMax, dropped');
  });

  it('is passed by heartbeats and by what confirms', () => {
    const { machine, send, told } = paced({ packetsPerSecondMax: 4 });
    send(1_000, 10);
    machine.send('frame', 1);
    machine.receive({ type: PacketType.Ping, received: 1 }, 1_050);
    expect([told.at(-1), machine.confirmed]).toEqual([`${PacketType.Pong} 4`, 1]);
  });

  it('is gone with the connection: its client sends it again', () => {
    const { machine, send, take } = paced({ packetsPerSecondMax: 4 });
    send(1_000, 10);
    machine.detach();
    machine.tick(2_000);
    expect(take()).toHaveLength(4);
    machine.hold({ received: 0, confirmed: 4 }, 2_000);
    machine.open(2_000);
    send(2_000, 6);
    for (let now = 2_000; now <= 3_000; now += 250) machine.tick(now);
    expect([take().length, machine.received]).toEqual([6, 10]);
  });

  it.each([
    ['', ServerMachine],
    [', also of a session that can move', MovableMachine as never],
  ])('is not what comes again though it was handled%s: its client sends more, once it is told', (_what, Machine) => {
    const { machine, send, take } = paced({ packetsPerSecondMax: 4 }, Machine);
    send(1_000, 64);
    machine.detach();
    // It has heard nothing of the four that were handled, and hears of them next.
    machine.hold({ received: 0, confirmed: 0 }, 1_100);
    machine.open(1_100);
    send(1_100, 64);
    send(1_200, 4);
    expect(take()).toHaveLength(4);
    expect(() => send(1_200, 1)).toThrow(expect.objectContaining({ code: 'ERR_WINDOW' }));
    machine.tick(1_500);
    expect(take()).toEqual(['1100.5', '1100.6']);
  });

  it('is taken at once when its client says goodbye', () => {
    const { machine, send, take } = paced({ packetsPerSecondMax: 4 });
    send(1_000, 10);
    machine.takeLate(1_000);
    expect([take().length, machine.received]).toEqual([10, 10]);
  });

  it('has not begun, where what is begun may be open for so long only', () => {
    const { machine, send, take } = paced({ packetsPerSecondMax: 4 }, MovableMachine as never);
    const movable = machine as MovableMachine<string>;
    send(1_000, 6);
    expect([take().length, movable.settledThrough]).toEqual([4, 0]);
    for (let number = 1; number <= 4; number++) movable.settle(number, 1_000);
    machine.tick(1_500);
    expect([take().length, movable.settledThrough]).toEqual([2, 4]);
  });
});
