// Longer than other files: the table of states, and a case for each rule of docs/PROTOCOL.md §5 and §6.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LocalUsageError } from '../wire/errors';
import { defaultSettings } from '../wire/limits';
import { type ControlPacket, type EventPacket, PacketType, type Position, type PublishPacket } from '../wire/packet';
import { PendingAcks, type Settle } from './acks';
import { createClientOutbox } from './client-outbox';
import { type DeliveredPacket, SessionMachine, type SessionState } from './machine';
import { FrameTag } from './outbox';
import { ServerMachine, type ServerSink } from './server-machine';

const settings = {
  ...defaultSettings,
  heartbeatMs: 1_000,
  heartbeatTimeoutMs: 500,
  sackPacketsMax: 3,
  sackDelayMs: 100,
};
const limits = { outboxPacketsMax: 5, outboxBytesMax: 100, pendingAcksMax: 2 };
const lost = new LocalUsageError('ERR_LOST');
const nothing = { received: 0, confirmed: 0 };
const code = (value: string) => expect.objectContaining({ code: value });

function event(name: string, ack?: number): EventPacket {
  return { type: PacketType.Event, namespace: '/', event: name, args: [], ack };
}
function publish(name: string, ...positions: Position[]): PublishPacket {
  return { type: PacketType.Publish, namespace: '/', positions, event: name, args: [] };
}
const sack = (received: number): ControlPacket => ({ type: PacketType.Sack, received });
const ping = (received?: number): ControlPacket => ({ type: PacketType.Ping, received });
const pong = (received?: number): ControlPacket => ({ type: PacketType.Pong, received });

/** Machines that write down what they do: frames as their text, control packets, delivered events by their names. */
function scribeOf<Machine extends { acks: PendingAcks | undefined; send(frame: string, mark: number): void }>(
  make: (sink: ServerSink<string>) => Machine,
) {
  const lines: unknown[] = [];
  const owner = { transmittedStamp: -1, onDeliver: (_packet: DeliveredPacket) => {} };
  const machine = make({
    transmit: (frame) => lines.push(frame),
    control: (packet) => lines.push(packet),
    deliver: (packet) => {
      lines.push(`got ${'event' in packet ? packet.event : packet.type}`);
      owner.onDeliver(packet);
    },
    silent: () => lines.push('silent'),
    transmittedStamp: () => owner.transmittedStamp,
  });
  let serial = 0;
  return {
    machine,
    owner,
    /** @param mark as a server has it, unless given: a serial */
    send: (frame: string, mark = serial++) => machine.send(frame, mark),
    /** An event that asks for an acknowledgement; how that settles is written down. */
    ask(name: string, deadline: number): number {
      machine.acks ??= new PendingAcks();
      const settle: Settle = (error, value) => lines.push(`${name}: ${error?.code ?? value}`);
      const ack = machine.acks.expect(deadline, limits.pendingAcksMax, settle);
      machine.send(name, ack);
      return ack;
    },
    /** @returns what was done since the last call */
    done: () => lines.splice(0),
  };
}

/** A server's. */
const scribe = (probeSlackMs = 0) =>
  scribeOf((sink) => new ServerMachine<string>(sink, settings, limits, probeSlackMs));

const clientLimits = { offlinePacketsMax: 5, offlineBytesMax: 100 };

/** A client's, which may start anew. */
function clientScribe() {
  const client = scribeOf(
    (sink) => new SessionMachine(sink, settings, undefined, createClientOutbox<string>(defaultSettings, clientLimits)),
  );
  const { machine } = client;
  /** @returns how many events were given up */
  const restart = () => {
    const restarted = machine.outbox.restart(
      () => true,
      () => false,
    );
    machine.restart(lost, restarted.kept);
    return restarted.lost;
  };
  return { ...client, restart };
}

describe('sending', () => {
  it('waits for a connection and then goes out at once', () => {
    const { machine, send, done } = scribe();
    send('a');
    send('b');
    expect(done()).toEqual([]);
    machine.open(0);
    expect(done()).toEqual(['a', 'b']);
    send('c');
    expect(done()).toEqual(['c']);
    expect([machine.unconfirmed, machine.confirmed]).toEqual([3, 0]);
  });

  it('waits for the owner while it is held', () => {
    const { machine, send, done } = scribe();
    send('a');
    machine.hold(nothing, 0);
    send('b');
    expect([machine.waiting, machine.waitingStamp]).toEqual(['a', 0]);
    machine.transmitWaiting();
    expect([machine.waiting, machine.waitingStamp]).toEqual(['b', 1]);
    expect(done()).toEqual(['a']);
    machine.open(0);
    expect(done()).toEqual(['b']);
    machine.transmitWaiting();
    expect(done()).toEqual([]);
  });

  it('keeps the order when a transmission makes the owner send more', () => {
    const frames: string[] = [];
    const machine: ServerMachine<string> = new ServerMachine<string>(
      {
        transmit: (frame) => {
          frames.push(frame);
          if (frame === 'a') machine.send('c', 2);
        },
        control: () => {},
        deliver: () => {},
        silent: () => {},
        transmittedStamp: () => -1,
      },
      settings,
      limits,
    );
    machine.send('a', 0);
    machine.send('b', 1);
    machine.open(0);
    expect(frames).toEqual(['a', 'b', 'c']);
  });

  it('stops when a transmission loses the connection', () => {
    const frames: string[] = [];
    const machine: ServerMachine<string> = new ServerMachine<string>(
      {
        transmit: (frame) => {
          frames.push(frame);
          machine.detach();
        },
        control: () => {},
        deliver: () => {},
        silent: () => {},
        transmittedStamp: () => -1,
      },
      settings,
      limits,
    );
    machine.send('a', 0);
    machine.send('b', 1);
    machine.open(0);
    machine.open(1);
    expect(frames).toEqual(['a', 'a']);
  });

  it('is bounded', () => {
    const { machine, send, done } = scribe();
    machine.open(0);
    for (const frame of 'abcde') send(frame);
    expect(() => send('f')).toThrow(code('ERR_OUTBOX_FULL'));
    machine.receive(sack(1), 1);
    send('f');
    expect(done().join('')).toBe('abcdef');
  });
});

describe('resuming', () => {
  it('sends again what is not confirmed', () => {
    const { machine, send, done } = scribe();
    machine.open(0);
    for (const frame of 'abc') send(frame);
    machine.receive(sack(1), 1);
    machine.detach();
    send('d');
    done();
    machine.open(2);
    expect(done()).toEqual(['b', 'c', 'd']);
    machine.confirm(3);
    expect([machine.unconfirmed, machine.confirmedStamp]).toEqual([1, 2]);
  });

  it('skips what HELLO says was received', () => {
    const { machine, send, done } = scribe();
    machine.hold(nothing, 0);
    machine.open(0);
    for (const frame of 'abc') send(frame);
    machine.detach();
    done();
    machine.hold({ received: 2, confirmed: 0 }, 1);
    expect(machine.waiting).toBe('c');
    machine.open(1);
    expect(done()).toEqual(['c']);
  });

  it('ignores the packets that it handled before', () => {
    const { machine, done } = scribe();
    machine.hold(nothing, 0);
    for (const name of 'abc') machine.receive(event(name), 1);
    machine.detach();
    done();
    machine.hold({ received: 0, confirmed: 1 }, 2);
    for (const name of 'bcd') machine.receive(event(name), 3);
    expect(done()).toEqual(['got d']);
    expect(machine.received).toBe(4);
  });

  it('counts on from what it received, when it is the one who said so', () => {
    const { machine, done } = scribe();
    machine.open(0);
    machine.receive(event('a'), 1);
    machine.detach();
    machine.open(2);
    machine.receive(event('b'), 3);
    expect(done()).toEqual(['got a', 'got b']);
  });

  it('takes the session from a connection that is still there', () => {
    const { machine, send, done } = scribe();
    machine.hold(nothing, 0);
    machine.open(0);
    send('a');
    machine.hold(nothing, 1);
    send('b');
    expect(machine.state).toBe('catching-up');
    machine.open(1);
    expect(done()).toEqual(['a', 'a', 'b']);
  });

  it('owes the new connection nothing that it owed the old one', () => {
    const { machine, done } = scribe();
    machine.hold(nothing, 0);
    machine.receive(event('a'), 1);
    expect(machine.deadline).toBe(101);
    machine.hold(nothing, 10);
    expect(machine.deadline).toBe(1_010);
    machine.probe(20);
    expect(machine.deadline).toBe(520);
    machine.hold(nothing, 30);
    expect(machine.deadline).toBe(1_030);
    machine.tick(600);
    expect(done()).toEqual(['got a', ping(1)]);
  });

  it.each([
    ['more confirmed than was received', { received: 1, confirmed: 2 }, 'ERR_RESUME_AHEAD'],
    ['more received than was sent', { received: 4, confirmed: 0 }, 'ERR_SACK_AHEAD'],
    ['less received than was confirmed', { received: 0, confirmed: 0 }, 'ERR_SACK_BACK'],
  ])('refuses %s, and then nothing has changed', (_name, peer, error) => {
    const { machine, send, done } = scribe();
    machine.open(0);
    for (const frame of 'abc') send(frame);
    machine.receive(sack(1), 1);
    machine.receive(event('x'), 1);
    const look = () => [
      machine.state,
      machine.received,
      machine.confirmed,
      machine.unconfirmed,
      machine.confirmedStamp,
      machine.waiting,
      machine.deadline,
    ];
    for (const connected of [true, false]) {
      if (!connected) machine.detach();
      const before = look();
      done();
      expect(() => machine.hold(peer, 2)).toThrow(code(error));
      expect(look()).toEqual(before);
    }
    machine.hold({ received: 1, confirmed: 0 }, 3);
    machine.open(3);
    machine.receive(event('x'), 4);
    machine.receive(event('y'), 4);
    expect(done()).toEqual(['b', 'c', 'got y']);
  });

  it.each([4, 0])('takes a SACK of %i for an error of the peer', (received) => {
    const { machine, send } = scribe();
    machine.open(0);
    for (const frame of 'abc') send(frame);
    machine.receive(pong(1), 1);
    for (const packet of [sack(received), ping(received), pong(received)]) {
      expect(() => machine.receive(packet, 2)).toThrow(expect.objectContaining({ closeCode: 4400 }));
    }
    expect(machine.confirmed).toBe(1);
  });
});

describe('starting anew', () => {
  it('keeps events that never left before this connection', () => {
    const { machine, send, ask, restart, done } = clientScribe();
    machine.open(0);
    send('left', FrameTag.Event);
    ask('left, asks', 100);
    machine.detach();
    send('reply', FrameTag.Session);
    ask('new, asks', 100);
    send('new', FrameTag.Event);
    machine.open(1);
    done();
    expect(restart()).toBe(2);
    expect(done()).toEqual(['left, asks: ERR_LOST']);
    expect([machine.state, machine.outbox.confirmed]).toEqual(['away', 0]);
    machine.open(2);
    machine.receive({ type: PacketType.Ack, ack: 2, value: 'ok' }, 3);
    machine.receive(sack(2), 3);
    expect(done()).toEqual(['new, asks', 'new', 'new, asks: ok']);
    expect(machine.outbox.confirmed).toBe(2);
  });

  it('gives up what left on the last connection if there is no newer one', () => {
    const { machine, send, restart, done } = clientScribe();
    machine.open(0);
    send('left', FrameTag.Event);
    machine.detach();
    send('new', FrameTag.Event);
    done();
    expect(restart()).toBe(1);
    machine.open(1);
    expect(done()).toEqual(['new']);
  });

  it('gives up what the new session carried before it is lost too', () => {
    const { machine, send, restart, done } = clientScribe();
    machine.open(0);
    send('a', FrameTag.Event);
    restart();
    machine.open(1);
    send('b', FrameTag.Event);
    machine.detach();
    machine.open(2);
    done();
    expect(restart()).toBe(2);
    machine.open(3);
    expect(done()).toEqual([]);
  });

  it('keeps what never left, however much the lost session had carried', () => {
    const { machine, send, restart, done } = clientScribe();
    machine.open(0);
    for (const frame of 'abc') send(frame);
    machine.detach();
    machine.open(1);
    expect(restart()).toBe(3);
    machine.open(1);
    machine.detach();
    send('d', FrameTag.Event);
    machine.open(2);
    done();
    expect(restart()).toBe(0);
    machine.open(3);
    expect(done()).toEqual(['d']);
  });

  it('counts from 1 again', () => {
    const { machine, restart, done } = clientScribe();
    machine.open(0);
    machine.receive(event('a'), 1);
    expect(machine.received).toBe(1);
    restart();
    machine.open(2);
    expect(machine.received).toBe(0);
    done();
    machine.receive(event('b'), 3);
    machine.tick(103);
    expect(done()).toEqual(['got b', sack(1)]);
  });
});

describe('telling what was handled', () => {
  it('comes after sackPacketsMax packets', () => {
    const { machine, done } = scribe();
    machine.open(0);
    for (const name of 'abcdefg') machine.receive(event(name), 1);
    expect(done()).toEqual(['got a', 'got b', 'got c', sack(3), 'got d', 'got e', 'got f', sack(6), 'got g']);
  });

  it('comes sackDelayMs after the first packet that is not told', () => {
    const { machine, done } = scribe();
    machine.open(0);
    machine.receive(event('a'), 10);
    machine.receive(event('b'), 50);
    expect(machine.deadline).toBe(110);
    machine.tick(109);
    expect(done()).toEqual(['got a', 'got b']);
    machine.tick(110);
    expect(done()).toEqual([sack(2)]);
    machine.tick(500);
    expect(done()).toEqual([]);
  });

  it('counts every kind of counted packet, and no other', () => {
    const { machine, ask, done } = scribe();
    machine.open(0);
    ask('1', 900);
    ask('2', 900);
    const failure = { code: 'E', message: '', data: undefined };
    machine.receive({ type: PacketType.Connect, namespace: '/', auth: undefined }, 1);
    machine.receive({ type: PacketType.Connected, namespace: '/', id: 'i' }, 1);
    machine.receive({ type: PacketType.Refused, namespace: '/', ...failure }, 1);
    machine.receive({ type: PacketType.Disconnect, namespace: '/', reason: '' }, 1);
    machine.receive({ type: PacketType.Ack, ack: 1, value: undefined }, 1);
    machine.receive({ type: PacketType.Error, ack: 2, ...failure }, 1);
    machine.receive(event('e'), 1);
    expect(machine.received).toBe(7);
    machine.receive(publish('p', ['log', 1]), 1);
    machine.receive({ type: PacketType.Volatile, namespace: '/', event: 'v', args: [] }, 1);
    machine.receive(ping(), 1);
    machine.receive(pong(), 1);
    machine.receive(sack(0), 1);
    expect(machine.received).toBe(7);
    expect(done()).toEqual([
      ...['1', '2', 'got 10', 'got 11', 'got 12', sack(3), 'got 13', '1: undefined', '2: E', sack(6), 'got e'],
      ...['got p', 'got v', pong(7)],
    ]);
  });

  it('is part of the heartbeat, and then no SACK is due', () => {
    const { machine, done } = scribe();
    machine.open(0);
    machine.receive(event('a'), 10);
    machine.receive(ping(), 20);
    expect(done()).toEqual(['got a', pong(1)]);
    machine.receive(event('b'), 30);
    machine.probe(40);
    expect(done()).toEqual(['got b', ping(2)]);
    machine.tick(200);
    expect(done()).toEqual([]);
  });

  it('waits for nothing after the connection is gone: HELLO and WELCOME tell', () => {
    const { machine, done } = scribe();
    machine.open(0);
    machine.receive(event('a'), 10);
    machine.detach();
    machine.open(20);
    done();
    machine.tick(500);
    for (const name of 'bc') machine.receive(event(name), 501);
    expect(done()).toEqual(['got b', 'got c']);
  });

  it('says nothing when a handler has lost the connection', () => {
    const { machine, owner, done } = scribe();
    machine.open(0);
    for (const name of 'ab') machine.receive(event(name), 1);
    owner.onDeliver = () => machine.detach();
    machine.receive(event('c'), 1);
    expect(done()).toEqual(['got a', 'got b', 'got c']);
  });
});

describe('heartbeat', () => {
  it('of a client tells that it still reads, where the PING of its server waits behind what it reads', () => {
    const { machine, done } = clientScribe();
    machine.open(0);
    for (let now = 100; now < 1_350; now += 50) machine.receive(publish('p', ['log', now]), now);
    done();
    // heartbeatMs and half of heartbeatTimeoutMs after the first.
    expect(machine.deadline).toBe(1_350);
    machine.tick(1_350);
    expect(done()).toEqual([sack(0)]);
    machine.receive(publish('q', ['log', 2_000]), 1_400);
    // What is said meanwhile is a sign as well.
    machine.receive(ping(0), 1_500);
    machine.receive(publish('r', ['log', 2_001]), 1_600);
    machine.receive(event('e'), 1_700);
    done();
    expect(machine.deadline).toBe(1_700 + settings.sackDelayMs);
    machine.tick(1_800);
    expect(done()).toEqual([sack(1)]);
    // And nobody who reads nothing says so.
    expect(machine.deadline).toBe(1_700 + settings.heartbeatMs);
  });

  it('asks after heartbeatMs of silence, and gives up heartbeatTimeoutMs later', () => {
    const { machine, done } = scribe();
    machine.open(100);
    expect(machine.deadline).toBe(1_100);
    machine.tick(1_099);
    expect(done()).toEqual([]);
    machine.tick(1_100);
    expect(done()).toEqual([ping(0)]);
    expect(machine.deadline).toBe(1_600);
    machine.tick(1_599);
    expect(done()).toEqual([]);
    machine.tick(1_600);
    expect(done()).toEqual(['silent']);
  });

  it('leaves the first word to the other side, which has no slack', () => {
    const { machine, done } = scribe(250);
    machine.open(100);
    machine.tick(1_349);
    expect(done()).toEqual([]);
    expect(machine.deadline).toBe(1_350);
    machine.tick(1_350);
    expect(done()).toEqual([ping(0)]);
  });

  it.each([pong(), ping(), sack(0), event('e'), publish('p', ['log', 1])])(
    'takes any packet for life: %j',
    (packet) => {
      const { machine, done } = scribe();
      machine.open(0);
      machine.tick(1_000);
      machine.receive(packet, 1_200);
      machine.tick(1_500);
      expect(done()).not.toContain('silent');
      machine.tick(2_200);
      expect(done()).toContainEqual(expect.objectContaining({ type: PacketType.Ping }));
    },
  );

  it('answers PING with PONG, while it is held as well', () => {
    const { machine, done } = scribe();
    machine.hold(nothing, 0);
    machine.receive(ping(), 1);
    machine.open(1);
    machine.receive(ping(0), 2);
    expect(done()).toEqual([pong(0), pong(0)]);
  });

  it('confirms with PING and PONG as with SACK', () => {
    const { machine, send } = scribe();
    machine.open(0);
    for (const frame of 'abc') send(frame);
    machine.receive(ping(1), 1);
    expect([machine.confirmed, machine.confirmedStamp]).toEqual([1, 0]);
    machine.receive(pong(3), 2);
    expect([machine.confirmed, machine.confirmedStamp]).toEqual([3, 2]);
  });

  it('rests without a connection', () => {
    const { machine, done } = scribe();
    machine.tick(10_000);
    machine.probe(10_000);
    machine.open(20_000);
    machine.probe(20_000);
    machine.detach();
    expect(machine.deadline).toBe(Number.POSITIVE_INFINITY);
    machine.tick(90_000);
    expect(done()).toEqual([ping(0)]);
    machine.open(90_000);
    expect(machine.deadline).toBe(91_000);
  });

  it('is asked for by the owner, once at a time', () => {
    const { machine, done } = scribe();
    machine.open(0);
    machine.probe(10);
    machine.probe(20);
    expect(done()).toEqual([ping(0)]);
    expect(machine.deadline).toBe(510);
    machine.receive(pong(), 30);
    machine.probe(40);
    expect(done()).toEqual([ping(0)]);
  });
});

describe('what is known to be handled', () => {
  it('is what was transmitted before an answered PING', () => {
    const { machine, owner } = scribe();
    machine.open(0);
    owner.transmittedStamp = 7;
    machine.probe(1);
    owner.transmittedStamp = 9;
    expect(machine.confirmedStamp).toBe(-1);
    machine.receive(pong(), 2);
    expect(machine.confirmedStamp).toBe(7);
  });

  it('is not what was transmitted before a second PING, when the first is answered', () => {
    const { machine, owner, done } = scribe();
    machine.open(0);
    owner.transmittedStamp = 7;
    machine.probe(1);
    machine.receive(event('e'), 2);
    owner.transmittedStamp = 9;
    machine.probe(3);
    expect(done()).toEqual([ping(0), 'got e', ping(1)]);
    machine.receive(pong(), 4);
    expect(machine.confirmedStamp).toBeLessThan(9);
    machine.receive(pong(), 5);
    expect(machine.confirmedStamp).toBe(9);
  });

  it('is nothing more when a PONG comes that nobody asked for', () => {
    const { machine, owner } = scribe();
    owner.transmittedStamp = 7;
    machine.open(0);
    machine.receive(pong(), 1);
    expect(machine.confirmedStamp).toBe(-1);
    machine.probe(2);
    machine.detach();
    machine.open(3);
    machine.receive(pong(), 4);
    expect(machine.confirmedStamp).toBe(-1);
  });

  it('never goes back', () => {
    const { machine, owner, send } = scribe();
    machine.open(0);
    send('a');
    owner.transmittedStamp = 7;
    machine.probe(1);
    machine.receive(pong(0), 2);
    machine.receive(sack(1), 3);
    expect(machine.confirmedStamp).toBe(7);
    owner.transmittedStamp = 5;
    machine.probe(4);
    machine.receive(pong(1), 5);
    expect(machine.confirmedStamp).toBe(7);
  });
});

describe('acknowledgements', () => {
  it('of a client have numbers that grow, but for events that come again', () => {
    const { machine, done } = scribe();
    machine.open(0);
    machine.receive(event('a', 2), 0);
    machine.receive(event('b'), 0);
    machine.receive(event('c', 9), 0);
    machine.detach();
    machine.hold({ received: 0, confirmed: 1 }, 0);
    machine.open(0);
    done();
    // Numbers 2 and 3 come again, because the client knows of number 1 alone.
    machine.receive(event('b'), 0);
    machine.receive(event('c', 9), 0);
    expect(done()).toEqual([]);
    for (const ack of [9, 1]) expect(() => machine.receive(event('d', ack), 0)).toThrow(code('ERR_ACK_ORDER'));
    machine.receive(event('e', 10), 0);
    expect(done()[0]).toBe('got e');
  });

  it('settle by the reply, once, though it comes again on the next connection', () => {
    const { machine, ask, done } = scribe();
    machine.hold(nothing, 0);
    machine.open(0);
    ask('a', 1_000);
    machine.receive({ type: PacketType.Ack, ack: 1, value: 'ok' }, 1);
    machine.hold(nothing, 2);
    machine.receive({ type: PacketType.Ack, ack: 1, value: 'ok' }, 3);
    expect(done()).toEqual(['a', 'a: ok']);
  });

  it('not asked for are errors of the peer', () => {
    const { machine, ask } = scribe();
    machine.open(0);
    const answer = (ack: number) => machine.receive({ type: PacketType.Ack, ack, value: undefined }, 1);
    expect(() => answer(1)).toThrow(code('ERR_ACK_UNKNOWN'));
    ask('a', 1_000);
    answer(1);
    expect(() => answer(2)).toThrow(code('ERR_ACK_UNKNOWN'));
  });

  it('time out in any state, and decide the deadline', () => {
    const { machine, ask, done } = scribe();
    ask('a', 300);
    expect(machine.deadline).toBe(300);
    machine.open(0);
    ask('b', 200);
    expect(machine.deadline).toBe(200);
    done();
    machine.tick(200);
    machine.detach();
    machine.tick(300);
    expect(done()).toEqual(['b: ERR_ACK_TIMEOUT', 'a: ERR_ACK_TIMEOUT']);
    expect(machine.deadline).toBe(Number.POSITIVE_INFINITY);
  });

  it('all settle when the session ends', () => {
    const { machine, ask, done } = scribe();
    machine.open(0);
    ask('a', 300);
    ask('b', 300);
    done();
    machine.end(lost);
    machine.end(lost);
    machine.tick(1_000);
    expect(done()).toEqual(['a: ERR_LOST', 'b: ERR_LOST']);
  });

  it('are bounded, and may be cancelled', () => {
    const { machine, ask } = scribe();
    ask('a', 300);
    const cancelled = ask('b', 300);
    expect(() => ask('c', 300)).toThrow(code('ERR_ACKS_FULL'));
    machine.cancelAck(cancelled);
    expect(ask('c', 300)).toBe(3);
  });
});

describe('states', () => {
  const steps = {
    hold: (machine: ServerMachine<string>) => machine.hold(nothing, 0),
    open: (machine: ServerMachine<string>) => machine.open(0),
    detach: (machine: ServerMachine<string>) => machine.detach(),
    end: (machine: ServerMachine<string>) => machine.end(lost),
  };
  type Step = keyof typeof steps;
  const wayTo: Record<SessionState, readonly Step[]> = {
    away: [],
    'catching-up': ['hold'],
    live: ['open'],
    ended: ['end'],
  };
  const table: Record<SessionState, Record<Step, SessionState | 'ERR_STATE'>> = {
    away: { hold: 'catching-up', open: 'live', detach: 'ERR_STATE', end: 'ended' },
    'catching-up': { hold: 'catching-up', open: 'live', detach: 'away', end: 'ended' },
    live: { hold: 'catching-up', open: 'ERR_STATE', detach: 'away', end: 'ended' },
    ended: { hold: 'ERR_STATE', open: 'ERR_STATE', detach: 'ended', end: 'ended' },
  };
  const rows = Object.entries(table).flatMap(([from, row]) =>
    Object.entries(row).map(([step, to]) => [from as SessionState, step as Step, to] as const),
  );

  it.each(rows)('%s, then %s: %s', (from, step, to) => {
    const { machine } = scribe();
    for (const first of wayTo[from]) steps[first](machine);
    expect(machine.state).toBe(from);
    if (to === 'ERR_STATE') expect(() => steps[step](machine)).toThrow(code('ERR_STATE'));
    else steps[step](machine);
    expect(machine.state).toBe(to === 'ERR_STATE' ? from : to);
  });

  it('sends nothing once ended', () => {
    const { machine, send, done } = scribe();
    machine.open(0);
    machine.end(lost);
    expect(() => send('a')).toThrow(code('ERR_SESSION_ENDED'));
    machine.probe(1);
    machine.tick(10_000);
    expect(done()).toEqual([]);
    expect(machine.deadline).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('deadline', () => {
  it('is the earliest of heartbeat, SACK and acknowledgements', () => {
    const { machine, ask } = scribe();
    expect(machine.deadline).toBe(Number.POSITIVE_INFINITY);
    machine.open(0);
    expect(machine.deadline).toBe(1_000);
    ask('a', 900);
    expect(machine.deadline).toBe(900);
    machine.receive(event('e'), 100);
    expect(machine.deadline).toBe(200);
    machine.tick(200);
    expect(machine.deadline).toBe(900);
    machine.tick(900);
    // Silence ends at 1,100; what was handled is asked earlier.
    expect(machine.deadline).toBe(1_000);
    machine.probe(1_000);
    expect(machine.deadline).toBe(1_500);
  });

  it('follows the settings of WELCOME', () => {
    const { machine } = scribe();
    machine.open(0);
    machine.settings = { ...settings, heartbeatMs: 50 };
    expect(machine.deadline).toBe(50);
  });

  it('has come closer only when receive says so, whatever the order of the settings', () => {
    const step = fc.record({
      afterMs: fc.nat(200),
      what: fc.constantFrom('event', 'volatile', 'publish', 'sack', 'ping', 'pong', 'probe', 'tick'),
    });
    const kinds = { heartbeatMs: fc.integer({ min: 1, max: 600 }), sackDelayMs: fc.integer({ min: 1, max: 1_500 }) };
    const seen = { closer: 0, notCloser: 0 };
    fc.assert(
      fc.property(fc.record(kinds), fc.array(step, { maxLength: 30 }), (chosen, steps) => {
        const { machine } = scribe();
        machine.settings = { ...settings, ...chosen };
        machine.open(0);
        let now = 0;
        for (const [i, { afterMs, what }] of steps.entries()) {
          now += afterMs;
          const packets = {
            event: event('e'),
            volatile: { ...event('v'), type: PacketType.Volatile },
            publish: publish('p', ['log', i]),
            sack: sack(0),
            ping: ping(0),
            pong: pong(0),
          } as const;
          if (what === 'probe') machine.probe(now);
          else if (what === 'tick') machine.tick(now);
          else {
            const before = machine.deadline;
            const isCloser = machine.receive(packets[what], now);
            if (!isCloser) expect(machine.deadline).toBeGreaterThanOrEqual(before);
            seen[machine.deadline < before ? 'closer' : 'notCloser']++;
          }
        }
      }),
      { numRuns: 500 },
    );
    expect(seen.closer).toBeGreaterThan(0);
    expect(seen.notCloser).toBeGreaterThan(0);
  });
});
