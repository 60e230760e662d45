// The HTTP of each host over raw sockets: what is written goes to a server as it is. Nothing may fail in it, every connection comes to an
// end, and whoever asks next is answered.
import { connect } from 'node:net';
import { Server } from '@halyard/server';
import { hosts } from '../../kit/hosts';
import { Broken, bytesOf, type Target } from '../target';

/** Who stands still is let go after ten seconds: so much more is a connection that nobody ends. */
const endsMs = 60_000;
/** An honest request is made beside so many. */
const asksEach = 200;

const get = (head = ''): string => `GET /halyard HTTP/1.1\r\nHost: h\r\n${head}\r\n`;
const post = (head: string, body: string): string => `POST /halyard HTTP/1.1\r\nHost: h\r\n${head}\r\n${body}`;
const upgrade =
  'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';

const seeds = [
  get(),
  get(upgrade),
  get(`${upgrade}Sec-WebSocket-Protocol: halyard.v1+json\r\nOrigin: http://h\r\n`),
  get('Accept: text/event-stream\r\nHalyard-Protocol: halyard.v1+json\r\n'),
  get('Halyard-Connection: x\r\nHalyard-Ack: 0\r\n'),
  post('Content-Length: 0\r\n', ''),
  post('Content-Length: 3\r\nHalyard-Connection: x\r\nHalyard-Seq: 1\r\n', '[0]'),
  post('Transfer-Encoding: chunked\r\n', '3\r\n[0]\r\n0\r\n\r\n'),
  `OPTIONS /halyard HTTP/1.1\r\nHost: h\r\nOrigin: http://h\r\nAccess-Control-Request-Headers: x\r\n\r\n`,
  'DELETE /halyard HTTP/1.1\r\nHost: h\r\nHalyard-Connection: x\r\nHalyard-Close: 1000\r\n\r\n',
  'HEAD /elsewhere?a=b HTTP/1.1\r\nHost: h\r\n\r\n',
];
const words = [
  ...[
    '\r\n',
    '\r\n\r\n',
    '\n',
    '\r',
    ' ',
    ':',
    ': ',
    '\t',
    '\0',
    '/',
    '?',
    '%00',
    '..',
    'HTTP/1.1',
    'HTTP/1.0',
    'HTTP/2.0',
  ],
  ...[
    'GET ',
    'POST ',
    'PUT ',
    'DELETE ',
    'OPTIONS ',
    'HEAD ',
    'CONNECT ',
    'TRACE ',
    'PRI ',
    '/halyard',
    'http://h/halyard',
  ],
  ...[
    'Content-Length: ',
    'Transfer-Encoding: chunked\r\n',
    'Connection: ',
    'close',
    'keep-alive',
    'Upgrade: h2c\r\n',
    upgrade,
  ],
  ...[
    'Halyard-Connection: ',
    'Halyard-Seq: ',
    'Halyard-Ack: ',
    'Halyard-Close: ',
    'Halyard-Protocol: ',
    'Expect: 100-continue\r\n',
  ],
  ...[
    'Host: ',
    'Origin: ',
    'Sec-WebSocket-Protocol: ',
    'Accept: text/event-stream\r\n',
    '0\r\n\r\n',
    '-1',
    '999999999999',
    'x'.repeat(300),
  ],
];

function target(name: string, factory: (typeof hosts)[number][1]): Target {
  let failure: unknown;
  let io: Server | undefined;
  let count = 0;
  const fail = (error: unknown): void => {
    failure ??= error;
  };
  const start = async (): Promise<Server> => {
    process.on('uncaughtException', fail).on('unhandledRejection', fail);
    const server = new Server({ host: factory(), helloTimeoutMs: 100, pollHoldMs: 50, recoveryWindowMs: 0 });
    server.on('error', fail);
    server.on('warning', () => {});
    return server.listen(0, '127.0.0.1');
  };
  return {
    name: `http-${name}`,
    seeds: () => seeds.map(bytesOf),
    words,
    bytesMax: 4_096,
    batch: 50,
    async run(input) {
      io ??= await start();
      await written(io.port, input);
      if (++count % asksEach === 0) await answered(io.port);
      if (failure !== undefined) throw failure;
    },
    async close() {
      await io?.close();
      process.off('uncaughtException', fail).off('unhandledRejection', fail);
    },
  };
}

/** Writes it, and that this is all, and waits for the end. */
async function written(port: number, input: Uint8Array): Promise<void> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: false });
  const end = new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => {
      socket.destroy();
      reject(new Broken(`the connection has not ended after ${endsMs} ms`));
    }, endsMs);
    socket.on('error', () => {});
    socket.on('close', () => {
      clearTimeout(timer);
      resolve();
    });
  });
  socket.resume();
  socket.end(input);
  await end;
}

async function answered(port: number): Promise<void> {
  const { status } = await fetch(`http://127.0.0.1:${port}/halyard`);
  if (status !== 426) throw new Broken(`an honest request was answered ${status}`);
}

export const httpTargets: readonly Target[] = hosts.map(([name, factory]) => target(name, factory));
