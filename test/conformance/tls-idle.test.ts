// Peers of a server that ends TLS itself: in each phase of the handshake, of HTTP/1 and of HTTP/2, what stands still or drips is let go
// in a bounded time, and nobody else notices. Without TLS: bad-input-idle.test.ts, slow-loris.test.ts.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect as connectTcp, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { connect } from '@halyard/client';
import { cert, key } from '@halyard/harness/certificate';
import { Server, type TlsOptions } from '@halyard/server';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { hosts } from '../kit/hosts';
import { untilHolds } from '../kit/until';
import { handshake, wsFrame } from './raw';

let folder: string;
let tls: TlsOptions;

beforeAll(async () => {
  // Nobody has signed this certificate but itself.
  vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
  folder = await mkdtemp(join(tmpdir(), 'halyard-tls-'));
  tls = { keyFile: join(folder, 'its.key'), certFile: join(folder, 'its.crt') };
  await writeFile(tls.keyFile, key);
  await writeFile(tls.certFile, cert);
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

/** What a peer writes at once, and then a byte at a time, or nothing. */
interface Peer {
  /** The protocol to agree on within TLS; `undefined`: it speaks no TLS at all. */
  readonly alpn: 'http/1.1' | 'h2' | undefined;
  readonly first: string | Uint8Array;
  readonly drip?: (number: number) => string | Uint8Array;
}

/** The beginning of a ClientHello (RFC 8446 §4.1.2) in a record that says it has 512 bytes. */
const clientHello = Buffer.from('16030102000100fc0303', 'hex');
const post = 'POST /halyard HTTP/1.1\r\nHost: halyard.test\r\n';
/** RFC 9113 §3.4, with SETTINGS that change nothing. */
const preface = Buffer.concat([
  Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  Buffer.from('000000040000000000', 'hex'),
]);
/** A header block that goes on and on: HEADERS without END_HEADERS, and then CONTINUATION frames of nothing. */
const headers = Buffer.from('00000101000000000182', 'hex');
const continuation = Buffer.from('000000090000000001', 'hex');
const ping = Buffer.from('0000080600000000000000000000000000', 'hex');

const peers: Readonly<Record<string, Peer>> = {
  'nothing at all': { alpn: undefined, first: '' },
  'half a ClientHello': { alpn: undefined, first: clientHello },
  'a ClientHello that drips': { alpn: undefined, first: clientHello, drip: () => 'x' },
  'plain HTTP': { alpn: undefined, first: `${post}\r\n` },
  'nothing behind the handshake of TLS': { alpn: 'http/1.1', first: '' },
  'half a head': { alpn: 'http/1.1', first: post },
  'a head that drips': { alpn: 'http/1.1', first: post, drip: (i) => `X-${i}: y\r\n` },
  'half a body': { alpn: 'http/1.1', first: `${post}Content-Length: 10\r\n\r\nhello` },
  'a body that drips': { alpn: 'http/1.1', first: `${post}Content-Length: 100000\r\n\r\n`, drip: () => 'x' },
  'nothing behind an answer': { alpn: 'http/1.1', first: 'GET /elsewhere HTTP/1.1\r\nHost: halyard.test\r\n\r\n' },
  'a WebSocket that says nothing': { alpn: 'http/1.1', first: handshake() },
  'a WebSocket of pings': { alpn: 'http/1.1', first: handshake(), drip: () => wsFrame('', 9) },
  'HTTP/2 without its preface': { alpn: 'h2', first: '' },
  'half a preface of HTTP/2': { alpn: 'h2', first: preface.subarray(0, 10) },
  'HTTP/2 that asks for nothing': { alpn: 'h2', first: preface },
  'HTTP/2 of pings': { alpn: 'h2', first: preface, drip: () => ping },
  'headers of HTTP/2 without an end': { alpn: 'h2', first: Buffer.concat([preface, headers]) },
  'headers of HTTP/2 that drip': { alpn: 'h2', first: Buffer.concat([preface, headers]), drip: () => continuation },
};

/** @returns once the server has ended the connection */
function over(port: number, { alpn, first, drip }: Peer): Promise<void> {
  return new Promise((resolve) => {
    const options = { port, host: '127.0.0.1', rejectUnauthorized: false };
    const socket: Socket = alpn === undefined ? connectTcp(options) : connectTls({ ...options, ALPNProtocols: [alpn] });
    let number = 0;
    let timer: NodeJS.Timeout | undefined;
    const end = (): void => {
      clearInterval(timer);
      socket.destroy();
      resolve();
    };
    socket.on('error', end).on('end', end).on('close', end).resume();
    socket.on(alpn === undefined ? 'connect' : 'secureConnect', () => {
      socket.write(first);
      if (drip !== undefined) timer = setInterval(() => socket.write(drip(number++)), 150);
    });
  });
}

test.concurrent.each(hosts)(
  'whoever comes to no end over TLS is let go, on %s',
  { timeout: 60_000 },
  async (name, host) => {
    const io = new Server({
      ...{ host: host(), helloTimeoutMs: 500, bodyTimeoutMs: 1_500, heartbeatMs: 400, heartbeatTimeoutMs: 2_000 },
    });
    io.on('connection', (socket) => socket.on('echo', (value) => value));
    await io.listen(0, { address: '127.0.0.1', tls });
    const honest = connect(`wss://127.0.0.1:${io.port}`);
    const left = new Set<string>();
    try {
      expect(await honest.emitWithAck('echo', 1)).toBe(1);
      // uWebSockets.js speaks no HTTP/2, and says so in its handshake.
      const its = Object.entries(peers).filter(([, { alpn }]) => name === 'node' || alpn !== 'h2');
      const all = its.map(async ([what, peer]) => {
        left.add(what);
        await over(io.port, peer);
        left.delete(what);
      });
      await untilHolds(() => expect([...left]).toEqual([]), 40_000);
      await Promise.all(all);
      expect(await honest.emitWithAck('echo', 2)).toBe(2);
      expect(honest.connected).toBe(true);
    } finally {
      honest.disconnect();
      await io.close();
    }
  },
);
