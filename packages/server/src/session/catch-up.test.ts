import { VirtualClock } from '@halyard/harness/clock';
import { forSeeds, seededRandom } from '@halyard/harness/random';
import { defaultOutboxLimits, defaultSettings, type Frame, ServerMachine } from '@halyard/protocol';
import { describe, expect, test, vi } from 'vitest';
import { Meters } from '../base/meters';
import { platformOf } from '../base/platform';
import { TimerWheel } from '../base/wheel';
import { LocalStore } from '../log/local-store';
import { Log } from '../log/log';
import { FanOut } from '../room/fan-out';
import { type Membership, membershipOf } from '../room/membership';
import { nobody, Room } from '../room/room';
import { DirectTurn } from '../store/turn';
import { Flusher } from '../wire/flusher';
import { CatchUp } from './catch-up';
import type { Presence } from './presence';

const limits = { entryAgeMsMax: 1_000_000, logPacketsMax: 100_000, logBytesMax: 1 << 28, journalBytesMax: 1 << 30 };

/** A socket that is excepted where its name is. */
const presence = { isExcepted: (_membership: unknown, except: unknown) => except === 'it' } as unknown as Presence;

function setUp(rooms: number) {
  const platform = platformOf(new VirtualClock());
  const turn = new DirectTurn(new LocalStore(platform, new TimerWheel(platform), limits));
  const { stamps } = turn;
  const context = {
    turn,
    fanOut: new FanOut([], new Flusher(platform), new Meters({ platform, codecs: [], metricEventsMax: 0 })),
    resolve: () => nobody,
  };
  const machine = new ServerMachine<Frame>(
    {
      transmit: (frame) => sent.push(String(frame)),
      control: () => {},
      deliver: () => {},
      silent: () => {},
      transmittedStamp: () => -1,
    },
    defaultSettings,
    { ...defaultOutboxLimits, outboxPacketsMax: 1 << 20 },
  );
  machine.hold({ received: 0, confirmed: 0 }, 0);
  const sent: string[] = [];
  const memberships = Array.from({ length: rooms }, (_, i) =>
    membershipOf(new Room(`${i}`, `log ${i}`, context), 0, 0),
  );
  const publish = (room: number, text: string, except?: string): void => {
    turn.append(memberships[room]!.room.log, stamps.next(), except, [Buffer.from(text)]);
  };
  const catchUp = new CatchUp(machine, stamps, 0, 0);
  for (const membership of memberships) catchUp.add(presence, membership, 0);
  const connection = {
    bufferedBytes: 0,
    send: (frame: Frame) => sent.push(Buffer.from(frame as Uint8Array).toString()),
  };
  /** @returns the frames of each page, until all was sent */
  const pages = (between = (): void => {}): number[] => {
    const counts: number[] = [];
    for (let done = false; !done; between()) {
      const before = sent.length;
      done = catchUp.pump(connection, 0, undefined);
      counts.push(sent.length - before);
    }
    return counts;
  };
  return { stamps, machine, publish, catchUp, sent, pages, connection, memberships };
}

describe('work', () => {
  /** How often a log is looked into for a resume with so many rooms, and a message in each. */
  function looks(rooms: number): { total: number; pages: number[] } {
    const { publish, pages } = setUp(rooms);
    for (let i = rooms - 1; i >= 0; i--) publish(i, 'x');
    const spy = vi.spyOn(Log.prototype, 'stampAt');
    const counts = pages();
    const total = spy.mock.calls.length;
    spy.mockRestore();
    return { total, pages: counts };
  }

  test('grows with the messages, not with messages times rooms, and is bounded in each page', () => {
    const one = looks(9_000);
    expect(one.total).toBeLessThanOrEqual(4 * 9_000);
    expect(Math.max(...one.pages)).toBeLessThanOrEqual(2_048);
    expect(looks(18_000).total).toBeLessThanOrEqual(2.1 * one.total);
  });

  test('is bounded too where much is passed over', () => {
    const { publish, pages, sent } = setUp(3);
    for (let i = 0; i < 30_000; i++) publish(i % 3, 'not for it', 'it');
    publish(1, 'for it');
    const spy = vi.spyOn(Log.prototype, 'stampAt');
    let most = 0;
    pages(() => {
      most = Math.max(most, spy.mock.calls.length);
      spy.mockClear();
    });
    spy.mockRestore();
    expect(most).toBeLessThanOrEqual(2_048 + 3);
    expect(sent).toEqual(['for it']);
  });
});

test('of two times in one room the one that has ended is read first, whichever was added first', () => {
  const { machine, stamps, publish, sent, connection, memberships } = setUp(1);
  const [now] = memberships as [Membership];
  publish(0, 'then');
  publish(0, 'now');
  const catchUp = new CatchUp(machine, stamps, 0, 0);
  // Since when is not told apart: so it is in a namespace as a whole.
  catchUp.add(presence, { ...now, from: 1, read: 1 }, 0);
  catchUp.add(presence, { ...now, to: 1, until: 1 }, 0);
  expect([catchUp.pump(connection, 0, undefined), sent]).toEqual([true, ['then', 'now']]);
});

test('everything comes once, in the order it was emitted, whatever is said meanwhile', () =>
  forSeeds(50, (seed) => {
    const random = seededRandom(seed);
    const { stamps, machine, publish, pages, sent } = setUp(20);
    const wanted: string[] = [];
    const say = (): void => {
      const text = `${wanted.length} ${'x'.repeat(random.int(2_000))}`;
      if (random.chance(0.3)) machine.send(text, stamps.next());
      else if (random.chance(0.2)) {
        publish(random.int(20), text, 'it');
        return;
      } else publish(random.int(20), text);
      wanted.push(text);
    };
    for (let i = 0; i < 500; i++) say();
    let more = 30;
    pages(() => {
      for (let i = random.int(20); i > 0 && more > 0; i--) say();
      more--;
    });
    expect(sent).toEqual(wanted.slice(0, sent.length));
    pages();
    expect(sent).toEqual(wanted);
  }));

test('a socket that is over is sent what was for it before, and nothing later', () => {
  const { stamps, publish, pages, catchUp, sent } = setUp(2);
  publish(0, 'a');
  publish(1, 'b');
  catchUp.leave(presence, stamps.last);
  publish(0, 'c');
  pages();
  expect(sent).toEqual(['a', 'b']);
  const other = setUp(1);
  other.publish(0, 'a');
  other.catchUp.leave(presence, -1);
  other.pages();
  expect(other.sent).toEqual([]);
});
