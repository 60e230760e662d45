// Longer than other files: a case for each field of each packet.
import { describe, expect, it } from 'vitest';
import { HalyardError, RemoteProtocolError } from './errors';
import { fromTupleFast, toTupleFast } from './fast-tuple';
import { defaultSettings, packetLimits } from './limits';
import type { Packet } from './packet';
import { fromTuple, namespaceName, type Tuple, toTuple } from './tuple';

const settings = [25_000, 20_000, 120_000, 1 << 20, 32, 1_000, 1_024, 1 << 20];
const none = undefined;

/** Every shape of every packet: the packet, and the tuple that docs/PROTOCOL.md §4 has for it. */
const shapes: readonly (readonly [name: string, packet: Packet, tuple: Tuple])[] = [
  [
    'HELLO',
    {
      type: 0,
      namespaces: [{ namespace: '/', auth: none }],
      client: 'x/1',
      resume: none,
      token: '',
      generation: 0,
      left: 0,
    },
    [0, [['/']], 'x/1', null, '', 0, 0],
  ],
  [
    'HELLO with a token',
    { type: 0, namespaces: [], client: '', resume: none, token: 'sixteen letters.', generation: 0, left: 0 },
    [0, [], '', null, 'sixteen letters.', 0, 0],
  ],
  [
    'HELLO with a generation',
    { type: 0, namespaces: [], client: '', resume: none, token: '', generation: 7, left: 3 },
    [0, [], '', null, '', 7, 3],
  ],
  [
    'HELLO with auth and resume',
    {
      type: 0,
      namespaces: [
        { namespace: '/a', auth: { token: 't', generation: 0 } },
        { namespace: '/b', auth: null },
      ],
      client: '',
      resume: {
        session: 's',
        secret: 'k',
        received: 3,
        confirmed: 2,
        positions: [
          ['l', 7],
          ['m', 0],
        ],
        settled: [4, 4, 8, 20],
      },
      token: '',
      generation: 0,
      left: 0,
    },
    [
      0,
      [
        ['/a', { token: 't', generation: 0 }],
        ['/b', null],
      ],
      '',
      ['s', 'k', 3, 2, ['l', 7, 'm', 0], [4, 4, 8, 20]],
      '',
      0,
      0,
    ],
  ],
  [
    'WELCOME',
    {
      type: 1,
      session: 's',
      secret: 'k',
      settings: { ...defaultSettings, sentFrameBytesMax: 65_536 },
      received: 4,
      recovered: true,
      reason: '',
      settled: [6, 9],
    },
    [1, 's', 'k', [...settings, 65_536], 4, true, '', [6, 9]],
  ],
  [
    'WELCOME that refuses',
    {
      type: 1,
      session: 's',
      secret: 'k',
      settings: { ...defaultSettings, sentFrameBytesMax: none },
      received: 0,
      recovered: false,
      reason: 'gone',
      settled: none,
    },
    [1, 's', 'k', settings, 0, false, 'gone'],
  ],
  ['EVENT', { type: 2, namespace: '/', event: 'e', args: [1, 'x', null], ack: none }, [2, '/', 'e', [1, 'x', null]]],
  ['EVENT with ack', { type: 2, namespace: '/', event: 'e', args: [], ack: 1 }, [2, '/', 'e', [], 1]],
  ['ACK', { type: 3, ack: 1, value: none }, [3, 1]],
  ['ACK with value', { type: 3, ack: 9, value: [true] }, [3, 9, [true]]],
  ['ACK with null', { type: 3, ack: 9, value: null }, [3, 9, null]],
  ['ERROR', { type: 4, ack: 1, code: 'E', message: '', data: none }, [4, 1, 'E', '']],
  ['ERROR with data', { type: 4, ack: 1, code: 'E', message: 'm', data: { a: 1 } }, [4, 1, 'E', 'm', { a: 1 }]],
  [
    'PUBLISH',
    {
      type: 5,
      namespace: '/',
      positions: [
        ['l', 1],
        ['m', 2],
      ],
      event: 'e',
      args: ['x'],
    },
    [5, '/', ['l', 1, 'm', 2], 'e', ['x']],
  ],
  ['VOLATILE', { type: 6, namespace: '/', event: 'e', args: [] }, [6, '/', 'e', []]],
  ['SACK', { type: 7, received: 0, settled: none }, [7, 0]],
  ['SACK with a count', { type: 7, received: 3, settled: none }, [7, 3]],
  ['SACK with ranges', { type: 7, received: 3, settled: [5, 5, 7, 9] }, [7, 3, [5, 5, 7, 9]]],
  ['PING', { type: 8, received: none, settled: none }, [8]],
  ['PING with count', { type: 8, received: 5, settled: none }, [8, 5]],
  ['PONG', { type: 9, received: none, settled: none }, [9]],
  ['PONG with count', { type: 9, received: 5, settled: none }, [9, 5]],
  ['PONG with ranges', { type: 9, received: 5, settled: [7, 7] }, [9, 5, [7, 7]]],
  ['CONNECT', { type: 10, namespace: '/a', auth: none }, [10, '/a']],
  ['CONNECT with auth', { type: 10, namespace: '/a', auth: 't' }, [10, '/a', 't']],
  ['CONNECTED', { type: 11, namespace: '/a', id: 'i', renewMs: none }, [11, '/a', 'i']],
  ['CONNECTED that ends', { type: 11, namespace: '/a', id: 'i', renewMs: 5 }, [11, '/a', 'i', 5]],
  ['REFUSED', { type: 12, namespace: '/a', code: 'E', message: 'm', data: none }, [12, '/a', 'E', 'm']],
  ['REFUSED with data', { type: 12, namespace: '/a', code: 'E', message: 'm', data: 1 }, [12, '/a', 'E', 'm', 1]],
  ['DISCONNECT', { type: 13, namespace: '/a', reason: 'bye' }, [13, '/a', 'bye']],
  ['RESET', { type: 14 }, [14]],
  ['RENEW', { type: 15, namespace: '/a', auth: 't', ack: 3 }, [15, '/a', 't', 3]],
  ['RENEW without auth', { type: 15, namespace: '/a', auth: none, ack: 3 }, [15, '/a', null, 3]],
];

describe.each([
  ['by the table', toTuple, fromTuple],
  ['frequent ones by hand', toTupleFast, fromTupleFast],
])('%s', (_way, toTuple, fromTuple) => {
  describe('shapes', () => {
    it.each(shapes)('%s becomes its tuple and back', (_name, packet, tuple) => {
      expect(toTuple(packet)).toStrictEqual(tuple);
      expect(fromTuple(tuple)).toStrictEqual(packet);
    });

    it('has every packet type', () => {
      expect([...new Set(shapes.map(([, { type }]) => type))]).toEqual([
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
      ]);
    });

    it('fills in what may be left out', () => {
      const hello = {
        type: 0,
        namespaces: [{ namespace: '/', auth: none }],
        client: '',
        resume: none,
        token: '',
        generation: 0,
        left: 0,
      };
      expect(fromTuple([0])).toStrictEqual(hello);
      expect(fromTuple([0, null, null, null])).toStrictEqual(hello);
      expect(fromTuple([0, [], '', ['s', 'k', 0, 0]])).toMatchObject({ namespaces: [], resume: { positions: [] } });
      expect(fromTuple([1, 's', 'k', settings, 0, true])).toMatchObject({ reason: '' });
      expect(fromTuple([2, '/', 'e', [], null])).toMatchObject({ ack: none });
      expect(fromTuple([8, null])).toMatchObject({ received: none });
      expect(fromTuple([13, '/'])).toMatchObject({ reason: '' });
    });

    it('ignores fields that it does not know', () => {
      expect(fromTuple([7, 1, null, 'new'])).toStrictEqual({ type: 7, received: 1, settled: none });
      expect(fromTuple([7, 0, [], 'new'])).toStrictEqual({ type: 7, received: 0, settled: none });
      expect(fromTuple([14, 'new'])).toStrictEqual({ type: 14 });
    });

    it('takes types from 64 to 127 for hints, whatever they hold', () => {
      for (const tuple of [[64], [100, {}, 'x'], [127, 1]]) expect(fromTuple(tuple)).toStrictEqual({ type: 'hint' });
    });
  });

  function codeOf(input: unknown): string {
    try {
      fromTuple(input);
    } catch (error) {
      if (error instanceof RemoteProtocolError) return `${error.code} ${error.closeCode}`;
      throw error;
    }
    return 'valid';
  }

  const name = (chars: number) => 'n'.repeat(chars);
  const { nameCharsMax, reasonCharsMax, publishLogsMax, helloNamespacesMax, helloPositionsMax, settingMax } =
    packetLimits;

  /** What is no name, no text and no count. */
  const noName = [none, null, '', 0, true, [], {}, name(nameCharsMax + 1)];
  const noText = [0, true, [], {}, name(reasonCharsMax + 1)];
  const noCount = [none, null, '1', -1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, 1n, true, [1], {}];
  const noAck = [...noCount.filter((value) => value != null), 0, -1];
  const noNamespace = [...noName, 'lobby', ' /', name(nameCharsMax)];
  const noList = [none, null, '', 'text', 0, true, {}, { length: 1 }, new Uint8Array(2)];
  const noPositions = [...noList, ['l'], ['l', 1, 'm'], ['', 1], [1, 'l'], ['l', -1], ['l', '1'], ['l', null]];
  const noRanges = [
    ...noList,
    [1],
    [1, 2, 3],
    [0, 1],
    [2, 1],
    [1, 2, 3, 4],
    [3, 3, 1, 1],
    ['1', '2'],
    [1, null],
    [1, 1.5],
  ].filter((value) => value != null);
  const noSetting = [...noCount, settingMax + 1];

  /** For each field of each packet: a valid tuple, the way to the field, values that it must not have. */
  const fields: readonly (readonly [
    field: string,
    tuple: Tuple,
    path: readonly number[],
    wrong: readonly unknown[],
  ])[] = [
    ['HELLO namespaces', [0, [], ''], [1], noList.filter((value) => value != null)],
    ['HELLO namespaces[]', [0, [['/']], ''], [1, 0], noList],
    ['HELLO namespaces[] name', [0, [['/']], ''], [1, 0, 0], noNamespace],
    ['HELLO client', [0, [], ''], [2], noText],
    ['HELLO generation', [0, [], '', null, '', 1], [5], noCount.filter((value) => value != null)],
    [
      'HELLO token',
      [0, [], '', null, 'sixteen letters.', 0, 0],
      [4],
      [0, -0, false, 1, true, [], 'fifteen letters', 'x'.repeat(257)],
    ],
    ['HELLO resume', [0, [], '', ['s', 'k', 0, 0, []]], [3], noList.filter((value) => value != null)],
    ['HELLO session', [0, [], '', ['s', 'k', 0, 0, []]], [3, 0], noName],
    ['HELLO secret', [0, [], '', ['s', 'k', 0, 0, []]], [3, 1], noName],
    ['HELLO received', [0, [], '', ['s', 'k', 0, 0, []]], [3, 2], noCount],
    ['HELLO confirmed', [0, [], '', ['s', 'k', 0, 0, []]], [3, 3], noCount],
    ['HELLO positions', [0, [], '', ['s', 'k', 0, 0, []]], [3, 4], noPositions.filter((value) => value != null)],
    ['HELLO settled', [0, [], '', ['s', 'k', 0, 0, [], [2, 2]]], [3, 5], noRanges],
    ['WELCOME session', [1, 's', 'k', settings, 0, true], [1], noName],
    ['WELCOME secret', [1, 's', 'k', settings, 0, true], [2], noName],
    ['WELCOME settings', [1, 's', 'k', settings, 0, true], [3], [...noList, [], settings.slice(1)]],
    ...settings.map(
      (_value, i) => [`WELCOME settings ${i}`, [1, 's', 'k', settings, 0, true], [3, i], noSetting] as const,
    ),
    ['WELCOME received', [1, 's', 'k', settings, 0, true], [4], noCount],
    ['WELCOME recovered', [1, 's', 'k', settings, 0, true], [5], [none, null, 0, 1, 'true', [], {}]],
    ['WELCOME reason', [1, 's', 'k', settings, 0, true, ''], [6], noText],
    ['WELCOME settled', [1, 's', 'k', settings, 0, true, '', [2, 2]], [7], noRanges],
    ['EVENT namespace', [2, '/', 'e', []], [1], noName],
    ['EVENT event', [2, '/', 'e', []], [2], noName],
    ['EVENT args', [2, '/', 'e', []], [3], noList],
    ['EVENT ack', [2, '/', 'e', [], 1], [4], noAck],
    ['ACK ack', [3, 1], [1], [...noAck, none, null]],
    ['ERROR ack', [4, 1, 'E', ''], [1], [...noAck, none, null]],
    ['ERROR code', [4, 1, 'E', ''], [2], noName],
    ['ERROR message', [4, 1, 'E', ''], [3], [...noText, none, null]],
    ['PUBLISH namespace', [5, '/', [], 'e', []], [1], noName],
    ['PUBLISH positions', [5, '/', [], 'e', []], [2], noPositions],
    ['PUBLISH event', [5, '/', [], 'e', []], [3], noName],
    ['PUBLISH args', [5, '/', [], 'e', []], [4], noList],
    ['VOLATILE namespace', [6, '/', 'e', []], [1], noName],
    ['VOLATILE event', [6, '/', 'e', []], [2], noName],
    ['VOLATILE args', [6, '/', 'e', []], [3], noList],
    ['SACK received', [7, 0], [1], noCount],
    ['SACK settled', [7, 0, [2, 3]], [2], noRanges],
    ['SACK settled with a count', [7, 4, [6, 6]], [2], noRanges],
    ['PING settled', [8, 0, [2, 3]], [2], noRanges],
    ['PONG settled', [9, 0, [2, 3]], [2], noRanges],
    ['PING received', [8, 0], [1], noCount.filter((value) => value != null)],
    ['PONG received', [9, 0], [1], noCount.filter((value) => value != null)],
    ['CONNECT namespace', [10, '/'], [1], noNamespace],
    ['CONNECTED namespace', [11, '/', 'i'], [1], noNamespace],
    ['CONNECTED id', [11, '/', 'i'], [2], noName],
    ['REFUSED namespace', [12, '/', 'E', ''], [1], noNamespace],
    ['REFUSED code', [12, '/', 'E', ''], [2], noName],
    ['REFUSED message', [12, '/', 'E', ''], [3], [...noText, none, null]],
    ['DISCONNECT namespace', [13, '/'], [1], noNamespace],
    ['DISCONNECT reason', [13, '/', ''], [2], noText],
  ];

  function replaced(tuple: readonly unknown[], [index = 0, ...rest]: readonly number[], value: unknown): unknown[] {
    const copy = [...tuple];
    copy[index] = rest.length === 0 ? value : replaced(copy[index] as unknown[], rest, value);
    return copy;
  }

  describe('rejections', () => {
    it.each(fields)('%s of any other kind is ERR_PACKET_SHAPE', (_field, tuple, path, wrong) => {
      expect(codeOf(tuple)).toBe('valid');
      for (const value of wrong) {
        expect(codeOf(replaced(tuple, path, value)), `${String(path)} = ${typeof value}`).toBe('ERR_PACKET_SHAPE 4400');
      }
    });

    it.each([none, null, 0, 2, '', '[7,0]', true, {}, { 0: 7, 1: 0, length: 2 }, new Uint8Array([7, 0]), () => 7])(
      'takes no packet but an array: not %s',
      (input) => {
        expect(codeOf(input)).toBe('ERR_PACKET_SHAPE 4400');
      },
    );

    it.each([
      [[]],
      [[16]],
      [[63]],
      [[64.5]],
      [[128]],
      [[-1]],
      [[2.5]],
      [[Number.NaN]],
      [['2', '/', 'e', []]],
      [[2n, '/', 'e', []]],
      [[null]],
      [[true]],
      [[[2]]],
      [[{}]],
      [[{ toString: 1, valueOf: 1 }]],
      [[Object.create(null)]],
      [[Symbol('2')]],
    ])('knows no other type: %#', (input) => {
      expect(codeOf(input)).toBe('ERR_PACKET_TYPE 4400');
    });

    it('takes −0 for the type it is', () => {
      expect(fromTuple([-0])).toStrictEqual(fromTuple([0]));
    });

    it('says which rule was broken, and is an error of Halyard', () => {
      const broken = () => fromTuple([2, '/', 'e', 'args']);
      expect(broken).toThrow(HalyardError);
      expect(broken).toThrow('args: an array');
      expect(() => fromTuple([50])).toThrow('unknown packet type 50');
    });
  });

  describe('limits', () => {
    const flat = (logs: number) => Array.from({ length: logs }, (_none, i) => [`log ${i}`, i]).flat();
    const hello = (namespaces: number) => [0, Array.from({ length: namespaces }, (_none, i) => [`/${i}`])];

    it.each([
      ['nameCharsMax', (over: number) => [2, '/', name(nameCharsMax + over), []]],
      ['nameCharsMax of a namespace', (over: number) => [10, `/${name(nameCharsMax - 1 + over)}`]],
      ['nameCharsMax of a log', (over: number) => [5, '/', [name(nameCharsMax + over), 1], 'e', []]],
      ['reasonCharsMax', (over: number) => [13, '/', name(reasonCharsMax + over)]],
      ['reasonCharsMax of a message', (over: number) => [4, 1, 'E', name(reasonCharsMax + over)]],
      ['publishLogsMax', (over: number) => [5, '/', flat(publishLogsMax + over), 'e', []]],
      ['helloNamespacesMax', (over: number) => hello(helloNamespacesMax + over)],
      ['settingMax', (over: number) => [1, 's', 'k', replaced(settings, [2], settingMax + over), 0, true]],
      ['the largest count', (over: number) => [7, Number.MAX_SAFE_INTEGER + over]],
    ])('%s is the last that is valid', (_name, tuple) => {
      expect(codeOf(tuple(0))).toBe('valid');
      expect(codeOf(tuple(1))).toBe('ERR_PACKET_SHAPE 4400');
    });

    it('takes more positions than HELLO should have: whether a session can be resumed by them is for the server to say', () => {
      expect(codeOf([0, [], '', ['s', 'k', 0, 0, flat(helloPositionsMax + 1)]])).toBe('valid');
    });

    it('checks a namespace name on its own', () => {
      expect(namespaceName('/')).toBe('/');
      expect(namespaceName(`/${name(nameCharsMax - 1)}`)).toHaveLength(nameCharsMax);
      for (const wrong of noNamespace) expect(() => namespaceName(wrong)).toThrow(RemoteProtocolError);
    });
  });
});
