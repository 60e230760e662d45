// A WebSocket client in a thread of its own, so that it reads, or does not, while the server's thread is in one long turn.
// It is told `pause`, `read`, `say` and `end` by messages, and counts what it has read in shared memory.
import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';

const { port, shared } = workerData;
const read = new Int32Array(shared);
const chunks = [];

/** A masked text frame of up to 65,535 bytes (RFC 6455 §5.2). */
function frame(text) {
  const data = Buffer.from(text);
  const mask = randomBytes(4);
  const head = data.length < 126 ? [0x81, 0x80 | data.length] : [0x81, 0xfe, data.length >> 8, data.length & 255];
  for (let i = 0; i < data.length; i++) data[i] ^= mask[i & 3];
  return Buffer.concat([Buffer.from(head), mask, data]);
}

const socket = connect(port, '127.0.0.1');
{
  const lines = ['GET /halyard HTTP/1.1', 'Host: halyard.test', 'Connection: Upgrade', 'Upgrade: websocket'];
  lines.push('Sec-WebSocket-Version: 13', `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`, '', '');
  socket.write(lines.join('\r\n'));
}
socket.on('data', (chunk) => {
  chunks.push(chunk);
  Atomics.add(read, 0, chunk.length);
});
// A client speaks once it was answered (RFC 6455 §4.1).
const answered = new Promise((resolve) => socket.once('data', resolve));
socket.on('error', () => {});
socket.on('close', () => {
  Atomics.store(read, 1, 1);
  parentPort.postMessage({ bytes: Buffer.concat(chunks) });
});
parentPort.on('message', ({ what, packet }) => {
  if (what === 'pause') {
    socket.pause();
    // From here on nothing is read: the answer says so.
    parentPort.postMessage({ paused: true });
  } else if (what === 'read') socket.resume();
  else if (what === 'say') answered.then(() => socket.write(frame(JSON.stringify(packet))));
  else socket.destroy();
});
