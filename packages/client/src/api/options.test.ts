import { json } from '@halyard/codec/json';
import type { HalyardError } from '@halyard/protocol';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { FakeTransport, scene } from '../../testing/fake';
import { connect as connectCore } from '../core';
import { type ClientOptions, connect } from '../index';

afterEach(() => vi.unstubAllGlobals());

function codeOf(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    const { code, message } = error as { code: string; message: string };
    return `${code} ${message}`;
  }
  return undefined;
}

describe('options', () => {
  const aList = "transports: a list of 'websocket', 'sse', 'polling', or of values such as websocket()";
  const cases: [string, ClientOptions][] = [
    ['path: starts with "/"', { path: 'halyard' }],
    [aList, { transports: [] }],
    [aList, { transports: null as never }],
    [aList, { transports: 'sse' as never }],
    [aList, { transports: ['sse', 'toString' as never] }],
    [aList, { transports: [new FakeTransport('fake'), FakeTransport as never] }],
    ['transport: a transport, such as websocket()', { transport: {} } as object],
    ['heartbeatMs: no such option', { heartbeatMs: 5 } as object],
    ['constructor: no such option', Object.fromEntries([['constructor', 1]])],
    ['codec: such as json()', { codec: {} as never }],
    ['connectTimeoutMs: a number from 100 to 600000', { connectTimeoutMs: 5 }],
    ['fallbackDelayMs: a number from 0 to 600000', { fallbackDelayMs: -1 }],
    ['switchDelayMs: a number from 1 to Infinity', { switchDelayMs: 0 }],
    ['ackTimeoutMs: a number from 1 to Infinity', { ackTimeoutMs: 0 }],
    ['offlinePacketsMax: a number from 1 to 1000000', { offlinePacketsMax: Number.NaN }],
    ['offlineBytesMax: a number from 1 to 1073741824', { offlineBytesMax: '9' as never }],
    ['reconnect: an object; { attemptsMax: 0 } for never', { reconnect: false as never }],
    ['attemptsMax: a number from 0 to Infinity', { reconnect: { attemptsMax: -1 } }],
    ['delayMinMs: a number from 1 to 600000', { reconnect: { delayMinMs: 0 } }],
    ['delayMaxMs: a number from 1 to 3600000', { reconnect: { delayMaxMs: Number.POSITIVE_INFINITY } }],
  ];

  test.each(cases)('%s', (message, options) => {
    expect(codeOf(() => connect('http://app.example', { autoConnect: false, ...options }))).toBe(
      `ERR_OPTION ${message}`,
    );
  });

  test('of `timeout` and `of`', () => {
    const { socket } = scene();
    expect(codeOf(() => socket.timeout(0))).toBe('ERR_OPTION timeoutMs: a number from 1 to Infinity');
    expect(codeOf(() => socket.of('admin'))).toMatch('ERR_OPTION namespace: "/"');
    expect(codeOf(() => socket.of(`/${'x'.repeat(256)}`))).toMatch('ERR_OPTION namespace');
    expect(codeOf(() => socket.of(`/${'x'.repeat(255)}`))).toBeUndefined();
  });

  test('the core has no codec and no transports of its own', () => {
    expect(codeOf(() => connectCore('http://a.example', {} as never))).toBe('ERR_OPTION codec: such as json()');
  });
});

describe('url', () => {
  test.each([
    ['http://app.example', 'http://app.example/halyard', '/'],
    ['https://app.example:8443/', 'https://app.example:8443/halyard', '/'],
    ['ws://app.example/chat', 'http://app.example/halyard', '/chat'],
    ['wss://app.example/a/b%20c', 'https://app.example/halyard', '/a/b c'],
  ])('%s', (url, target, namespace) => {
    const { socket, transport } = scene({ url });
    expect(transport.link.address).toMatchObject({ url: target, protocol: 'halyard.v1+json', binary: false });
    expect(socket.namespace).toBe(namespace);
  });

  test.each([
    '',
    '//app.example/chat',
    '/\\app.example/chat',
    'undefined',
    'app.example',
    'ftp://app.example',
    'http://app.example/?token=1',
    'http://user:secret@app.example',
    'http://',
    'http://app.example/%zz',
  ])('not %j', (url) => {
    expect(codeOf(() => connect(url, { autoConnect: false }))).toBe(
      'ERR_OPTION url: such as https://app.example/chat, without query',
    );
  });

  test('in a page it may be relative or absent', () => {
    vi.stubGlobal('location', { origin: 'https://page.example' });
    const transport = new FakeTransport('fake');
    const options = { codec: json(), transport, path: '/rt' };
    expect(connectCore('/chat', options).namespace).toBe('/chat');
    expect(connectCore(undefined, options).namespace).toBe('/');
    expect(transport.links.map((link) => link.address.url)).toEqual(Array(2).fill('https://page.example/rt'));
  });

  test('where there is no page it may be so too, as a module of a page has it: nothing is connected, and who wants it to be is told', async () => {
    const warned = vi.spyOn(console, 'warn').mockImplementation(() => {});
    for (const url of [undefined, null as never, '/', '/chat']) {
      warned.mockClear();
      const socket = connect(url, { autoConnect: false });
      expect([socket.namespace, socket.active]).toEqual([url ?? '/', false]);
      expect(warned).not.toHaveBeenCalled();
      const failed = new Promise<HalyardError>((resolve) => socket.on('connect_error', resolve as never));
      socket.connect();
      const { code, message, details } = await failed;
      expect([code, message]).toEqual([
        'ERR_OPTION',
        expect.stringMatching(/^nothing is connected: connect\(\) has no/),
      ]);
      expect([details!.final, socket.active]).toEqual([true, false]);
      expect(warned).toHaveBeenCalledExactlyOnceWith(expect.stringContaining('no page here'));
    }
    warned.mockRestore();
  });

  test('a URL of React Native ends every path with a slash, which nobody has said', () => {
    vi.stubGlobal(
      'URL',
      class {
        readonly href: string;
        constructor(url: string) {
          this.href = url.endsWith('/') ? url : `${url}/`;
        }
      },
    );
    const namespaceOf = (url: string) => scene({ url }).socket.namespace;
    const urls = [
      'https://app.example',
      'https://app.example/',
      'https://app.example/chat',
      'https://app.example/chat/',
    ];
    expect(urls.map(namespaceOf)).toEqual(['/', '/', '/chat', '/chat/']);
  });

  test('in a page that has no origin, such as about:blank, it is a whole one', () => {
    vi.stubGlobal('location', { origin: 'null' });
    const transport = new FakeTransport('fake');
    const options = { codec: json(), transport };
    expect(connectCore('https://app.example/chat', options).namespace).toBe('/chat');
    expect(transport.link.address.url).toBe('https://app.example/halyard');
    for (const url of [undefined, '', '/chat', 'chat'])
      expect(codeOf(() => connectCore(url, options))).toMatch('ERR_OPTION url: such as https://app.example');
  });
});
