// Options that are wrong: an error at construction that names the option and what it may be.
import { json } from '@halyard/codec/json';
import { memory, Server, type ServerOptions } from '@halyard/server';
import { describe, expect, test } from 'vitest';

describe('server options', () => {
  test.each<[option: string, value: unknown, range: RegExp]>([
    ['heartbeatMs', 99, /from 100 to 3600000/],
    ['heartbeatMs', 3_600_001, /from 100 to 3600000/],
    ['heartbeatMs', '25000', /from 100 to 3600000/],
    ['heartbeatMs', 1.5, /whole number/],
    ['heartbeatMs', Number.NaN, /is NaN: it may be a whole number/],
    ['heartbeatMs', Number.POSITIVE_INFINITY, /is Infinity: it may be a whole number/],
    ['heartbeatTimeoutMs', 0, /from 100 to/],
    ['recoveryWindowMs', -1, /from 0 to 86400000/],
    ['helloTimeoutMs', 0, /from 10 to/],
    ['pollHoldMs', 0, /from 10 to/],
    ['ackTimeoutMs', 0, /from 1 to/],
    ['frameBytesMax', 1_023, /from 1024 to/],
    ['httpBodyBytesMax', 1_023, /from 1024 to/],
    ['backpressureBytesMax', 131_071, /from 131072 to/],
    ['sackPacketsMax', 0, /from 1 to 4096/],
    ['windowPacketsMax', 63, /from 64 to 8192/],
    ['windowPacketsMax', 8_193, /from 64 to 8192/],
    ['windowBytesMax', 65_535, /from 65536 to/],
    ['sackDelayMs', 0, /from 1 to 60000/],
    ['outboxPacketsMax', 15, /from 16 to/],
    ['outboxBytesMax', 1, /from 65536 to/],
    ['pendingAcksMax', 0, /from 1 to/],
    ['logPacketsMax', 0, /from 1 to/],
    ['logBytesMax', 2 ** 30, /from 1024 to 536870912/],
    ['journalBytesMax', 2 ** 41, /from 65536 to 1099511627776/],
    ['roomsPerSocketMax', 8_001, /from 1 to 8000/],
    ['namespacesPerSessionMax', 0, /from 1 to/],
    ['dynamicNamespacesMax', 0, /from 1 to/],
    ['waitingPacketsMax', 0, /from 1 to/],
    ['sessionsMax', 0, /from 1 to/],
    ['connectionsMax', 0, /from 1 to/],
    ['forwardedRequestsMax', 0, /from 1 to 1048576/],
    ['forwardedBytesMax', 1_023, /from 1024 to/],
    ['codecs', [], /list of at least one codec/],
    ['codecs', ['json'], /list of at least one codec/],
    ['codecs', [json], /each called, such as \[json\(\), msgpack\(\)\]/],
    ['codec', json(), /is not an option: "codecs" is one/],
    ['orgins', '*', /is not an option: "origins" is one/],
    ['codecs', [json(), json()], /without two codecs of the same name/],
    ['origins', 'https://app.test', /"same-host", "\*" or a list/],
    ['origins', ['https://app.test/'], /has "https:\/\/app.test\/": an origin is a scheme, a host and perhaps a port/],
    ['origins', ['app.test'], /has "app.test": an origin is/],
    ['origins', ['https://*.app.test'], /without a path or "\*"/],
    ['origins', ['http://localhost:*'], /has "http:\/\/localhost:\*"/],
    ['origins', ['https://App.test'], /in lower case/],
    ['origins', [/app/], /has what is no text: an origin is/],
    ['origins', [{ toString: null }], /has what is no text/],
    ['origins', ['https://app.test:443'], /a port that is not the scheme's own/],
    ['origins', ['wss://app.test'], /has "wss:\/\/app.test"/],
    ['origins', ['capacitor://LOCALHOST'], /in lower case/],
    ['path', 'halyard', /URL path/],
    ['path', '/', /URL path/],
    ['path', '/a?b', /URL path/],
    ['path', '/:name', /URL path/],
    ['path', '/*', /URL path/],
    ['transports', [], /list of "websocket", "sse" and "polling"/],
    ['transports', ['pigeon'], /list of "websocket", "sse" and "polling"/],
    ['trustProxy', 'yes', /true, false, or a list/],
    ['trustProxy', ['proxy.example'], /true, false, or a list/],
    ['trustProxy', ['10.0.0.0/33'], /true, false, or a list/],
    ['packetsPerSecondMax', 0, /from 1 to 16777216/],
    ['bytesPerSecondMax', 1_023, /from 1024 to/],
    ['outboxesBytesMax', 1_024, /from 65536 to/],
    ['outboxesBytesMax', 1 << 20, /may not be below outboxBytesMax, 33554432/],
    ['handshakesMax', 0, /from 1 to/],
    ['sessionsPerKeyMax', 0, /from 1 to/],
    ['sessionKey', 'user', /function from a handshake to a text/],
    ['onSessionsPerKeyMax', 'end', /"end-oldest" or "refuse"/],
    ['host', 'uws', /uws\(\) or node\(\)/],
    ['fetch', {}, /function from Request to Response/],
    ['heartbeat', 1_000, /is not an option: known ones are .*heartbeatMs/],
  ])('%s: %j', (option, value, range) => {
    const options = Object.fromEntries([[option, value]]) as ServerOptions;
    const make = (): Server => new Server(options);
    expect(make).toThrow(expect.objectContaining({ code: 'ERR_OPTION', details: { option } }));
    expect(make).toThrow(`The server option "${option}" `);
    expect(make).toThrow(range);
  });

  test('a window in whose middle a client would wait for a SACK', () => {
    const make = (): Server => new Server({ sackPacketsMax: 600 });
    expect(make).toThrow(
      'The server option "windowPacketsMax" is 1024: it may not be below 1200, twice sackPacketsMax.',
    );
    expect(() => new Server({ sackPacketsMax: 512 })).not.toThrow();
  });

  test.each(['__proto__', 'constructor', 'toString'])('a name of Object.prototype: %s', (option) => {
    const options = Object.fromEntries([[option, 1]]) as ServerOptions;
    expect(() => new Server(options)).toThrow(expect.objectContaining({ code: 'ERR_OPTION', details: { option } }));
  });

  test('what is undefined is as if it were not said', async () => {
    // The refusal of another one lists them all.
    const refusal = (): unknown => new Server({ heartbeat: 1 } as ServerOptions);
    let known: readonly string[] = [];
    expect(refusal).toThrow(
      expect.toSatisfy(({ message }: Error) => {
        known = /known ones are (.*)\./.exec(message)?.[1]?.split(', ') ?? [];
        return known.includes('clock') && known.includes('heartbeatMs');
      }),
    );
    const none = Object.fromEntries(known.map((name) => [name, undefined]));
    const io = await new Server(none).listen(0, { address: undefined, reusePort: undefined, tls: undefined });
    expect(io.health().ready).toBe(true);
    await io.close({ drainMs: undefined, url: undefined });
    const overload = { loopDelayMs: undefined, utilizationMax: undefined, memoryBytes: undefined };
    const perMessageDeflate = { thresholdBytes: undefined, contextTakeover: undefined };
    const adapter = memory({ shared: undefined, codec: undefined });
    expect(() => new Server({ overload, perMessageDeflate, adapter })).not.toThrow();
  });

  test.each([-1, 65_536, 1.5, '3000 ', Number.NaN])('port %j', async (port) => {
    await expect(new Server().listen(port as number)).rejects.toMatchObject({
      code: 'ERR_OPTION',
      message: expect.stringContaining('from 0 to 65535'),
    });
  });
});
