// A line over a WebSocket.
import type { IncomingMessage } from 'node:http';
import { subprotocol } from '@halyard/protocol';
import WebSocket from 'ws';
import { noAnswerOf } from './http';
import { Inbox } from './inbox';
import { type Dial, type Heard, type Line, lineBytesMax, type Opening } from './line';

const bodyBytesMax = 1 << 16;

export function openWebSocket({ url, codec, headers, waitMs }: Dial): Promise<Opening> {
  const begun = performance.now();
  const heard = new Inbox<Heard>();
  const socket = new WebSocket(url.replace(/^http/, 'ws'), subprotocol(codec.name), {
    headers,
    rejectUnauthorized: false,
    perMessageDeflate: false,
    maxPayload: lineBytesMax,
  });
  return new Promise((resolve) => {
    const limit = setTimeout(() => {
      resolve({ kind: 'silent', behind: 'request' });
      socket.terminate();
    }, waitMs);
    const settle = (opening: Opening): void => {
      clearTimeout(limit);
      resolve(opening);
    };
    let headersOf: IncomingMessage['headers'] = {};
    socket.on('upgrade', (response) => {
      headersOf = response.headers;
    });
    socket.on('open', () => {
      settle({ kind: 'open', line: lineOf(socket, heard), tookMs: performance.now() - begun, headers: headersOf });
    });
    socket.on('message', (data: Buffer, isBinary) => {
      heard.push({ kind: 'frame', frame: isBinary ? new Uint8Array(data) : data.toString() });
    });
    socket.on('close', (code, reason) => heard.push({ kind: 'closed', code, reason: reason.toString() }));
    socket.on('error', (error) => settle({ kind: 'failed', reason: noAnswerOf(error).message }));
    socket.on('unexpected-response', (request, response) => {
      const connection = response.socket;
      const tookMs = performance.now() - begun;
      const at = Date.now();
      const chunks: Buffer[] = [];
      let bytes = 0;
      const end = (): void => {
        const body = Buffer.concat(chunks);
        settle({
          kind: 'refused',
          answer: { status: response.statusCode ?? 0, headers: response.headers, body, tookMs, at },
        });
        // Once the answer is whole the request has let go of its connection, which the server may keep for long.
        request.destroy();
        connection.destroy();
      };
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        bytes += chunk.length;
        if (bytes > bodyBytesMax) end();
      });
      response.on('end', end).on('error', end).on('aborted', end);
    });
  });
}

function lineOf(socket: WebSocket, heard: Inbox<Heard>): Line {
  return {
    transport: 'websocket',
    send(frame) {
      if (socket.readyState === socket.OPEN) socket.send(frame);
    },
    next: (waitMs) => heard.next(waitMs),
    async close(code) {
      if (socket.readyState === socket.CLOSED) return;
      const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
      if (code === 1006) socket.terminate();
      else {
        socket.close(code);
        // Whoever does not answer is not waited for.
        setTimeout(() => socket.terminate(), closeWaitMs).unref();
      }
      await closed;
    },
  };
}

const closeWaitMs = 1_000;
