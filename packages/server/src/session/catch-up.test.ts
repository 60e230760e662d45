import { VirtualClock } from '@halyard/harness/clock';
import { forSeeds, seededRandom } from '@halyard/harness/random';
import { defaultOutboxLimits, defaultSettings, type Frame, ServerMachine } from '@halyard/protocol';
import { describe, expect, test, vi } from 'vitest';
import { Meters } from '../base/meters';
import { platformOf } from '../base/platform';
import { TimerWheel } from '../base/wheel';
import { Earlier, isEarlier, Places } from '../log/except';
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

describe('messages to several rooms, of before a session came from another server, keep the order of each room', () => {
  /** Of each log the entries: a text, when it was emitted, and the offset in the other log if it is sent by that. */
  type Entry = readonly [text: string, emitted: number, other?: number];

  /** @returns what is sent to a member of both */
  function read(a: readonly Entry[], b: readonly Entry[]): string[] {
    const { machine, stamps, memberships, connection, sent } = setUp(2);
    const since = 1_000;
    stamps.observe(since);
    const both = memberships.map((membership, i): Membership => {
      const log = new Log(`${i}`, `${i}`, limits, true);
      for (const [text, emitted, other] of [a, b][i]!) {
        const except = other === undefined ? undefined : new Earlier(undefined, new Places([[`${1 - i}`, other]]), 1);
        const frame = Buffer.from(text);
        log.append(stamps.next(), except, [frame], frame.length, emitted);
      }
      return { ...membership, epoch: log.id, room: { ...membership.room, log } as never };
    });
    const member = {
      isExcepted: (_membership: unknown, except: unknown) => isEarlier(except as never),
      comesBy: ({ places }: Earlier) => both.find(({ epoch }) => places.indexOf(epoch) !== undefined),
    } as unknown as Presence;
    const catchUp = new CatchUp(machine, stamps, 0, since);
    for (const membership of both) catchUp.add(member, membership, 0);
    while (!catchUp.pump(connection, 0, undefined));
    return sent;
  }

  test.each<[what: string, a: readonly Entry[], b: readonly Entry[], sent: string[]]>([
    [
      'what is before it in the second comes before it',
      [['both', 10]],
      [
        ['x', 12],
        ['both', 10, 1],
        ['y', 5],
      ],
      ['x', 'both', 'y'],
    ],
    [
      'what is behind it in the second comes behind it',
      [
        ['p', 20],
        ['both', 10],
      ],
      [
        ['both', 10, 2],
        ['y', 15],
      ],
      ['p', 'both', 'y'],
    ],
    [
      'and of two of them',
      [
        ['p', 20],
        ['one', 10],
        ['two', 11],
      ],
      [
        ['q', 30],
        ['one', 10, 2],
        ['r', 1],
        ['two', 11, 3],
        ['s', 2],
      ],
      ['p', 'q', 'one', 'r', 'two', 's'],
    ],
    [
      'that the logs have the other way round come once, in the order of one',
      [
        ['one', 10],
        ['two', 11, 1],
      ],
      [
        ['two', 11],
        ['one', 10, 1],
      ],
      ['one', 'two'],
    ],
  ])('%s', (_what, a, b, sent) => {
    expect(read(a, b)).toEqual(sent);
  });
});
