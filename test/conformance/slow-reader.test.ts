// A client that stops reading for a moment, while the server is in one long turn, and reads again before that is over: what
// it has read until its connection ends is an unbroken beginning, and a resume brings the rest. A host that leaves a frame
// out past its backpressure limit, and sends later ones, loses messages in silence.
import { Worker } from 'node:worker_threads';
import { Server, type Socket } from '@halyard/server';
import { afterEach, describe, expect, test } from 'vitest';
import { hosts } from '../kit/hosts';
import { WireClient } from '../kit/wire';

class SlowReader {
  readonly #worker: Worker;
  readonly #read = new Int32Array(new SharedArrayBuffer(8));
  #paused = (): void => {};
  /** All it has read, when its connection has ended. */
  readonly bytes: Promise<Buffer>;

  constructor(port: number) {
    this.#worker = new Worker(new URL('./slow-reader.mjs', import.meta.url), {
      workerData: { port, shared: this.#read.buffer },
    });
    this.bytes = new Promise((resolve, reject) => {
      this.#worker.on('error', reject);
      this.#worker.on('message', ({ bytes }: { bytes?: Uint8Array }) => {
        if (bytes === undefined) this.#paused();
        else resolve(Buffer.from(bytes));
      });
    });
  }

  say(...packet: unknown[]): void {
    this.#worker.postMessage({ what: 'say', packet });
  }

  pause(): Promise<void> {
    this.#worker.postMessage({ what: 'pause' });
    return new Promise((resolve) => {
      this.#paused = resolve;
    });
  }

  /** Reads again, and blocks this thread until it has read so much more, or its connection has ended. */
  readOn(bytes: number): void {
    const from = Atomics.load(this.#read, 0);
    this.#worker.postMessage({ what: 'read' });
    for (
      const end = Date.now() + 30_000;
      Atomics.load(this.#read, 0) < from + bytes && !Atomics.load(this.#read, 1);
    ) {
      if (Date.now() > end) throw new Error(`only ${Atomics.load(this.#read, 0) - from} bytes were read`);
    }
  }

  end(): void {
    this.#worker.postMessage({ what: 'end' });
  }

  terminate(): Promise<number> {
    return this.#worker.terminate();
  }
}

/** The text messages in what a server has sent, behind its answer to the handshake. */
function packetsIn(bytes: Buffer): unknown[][] {
  const packets: unknown[][] = [];
  let at = bytes.indexOf('\r\n\r\n') + 4;
  while (at + 2 <= bytes.length) {
    const size = (bytes[at + 1] as number) & 127;
    const head = size < 126 ? 2 : size === 126 ? 4 : 10;
    if (at + head > bytes.length) break;
    const length =
      size < 126 ? size : size === 126 ? bytes.readUInt16BE(at + 2) : Number(bytes.readBigUInt64BE(at + 2));
    if (at + head + length > bytes.length) break;
    if (((bytes[at] as number) & 15) === 1) {
      packets.push(JSON.parse(bytes.toString('utf8', at + head, at + head + length)) as unknown[]);
    }
    at += head + length;
  }
  return packets;
}

const cleanUp: (() => unknown)[] = [];

afterEach(async () => {
  for (const end of cleanUp.splice(0)) await end();
});

const kilobyte = 'x'.repeat(1_000);

const twenty = 'x'.repeat(20_000);

const ways: Record<string, (io: Server, socket: Socket, n: number) => void> = {
  'socket.emit': (_, socket, n) => socket.emit('n', n, kilobyte),
  'io.to(room)': (io, _, n) => io.to('room').emit('n', n, kilobyte),
  'io.to(rooms)': (io, _, n) => io.to(['room', 'other']).emit('n', n, kilobyte),
  'both in turn': (io, socket, n) => (n % 40 ? io.to('room') : socket).emit('n', n, kilobyte),
  'both in turn, with the default backpressureBytesMax': (io, socket, n) =>
    (n % 40 ? io.to('room') : socket).emit('n', n, kilobyte),
  'frames past the batch of native fan-out': (io, _, n) => io.to('room').emit('n', n, twenty),
};

describe.each(hosts)('on %s', (_name, host) => {
  test.each(Object.entries(ways))('%s: nothing is lost and nothing overtakes', async (what, emit) => {
    const bytesEach = what.startsWith('frames past') ? 20_000 : 1_000;
    const io = new Server({
      host: host(),
      ...(what.includes('default') ? {} : { backpressureBytesMax: 131_072 }),
      outboxBytesMax: 1 << 30,
      outboxesBytesMax: 1 << 30,
      outboxPacketsMax: 1 << 20,
      logBytesMax: 1 << 28,
      logPacketsMax: 1 << 20,
    });
    const connected = new Promise<Socket>((resolve) => io.on('connection', resolve));
    await io.listen(0, '127.0.0.1');
    const reader = new SlowReader(io.port);
    cleanUp.push(
      () => reader.terminate(),
      () => io.close(),
    );
    reader.say(0);
    const socket = await connected;
    socket.join('room');
    // What is emitted to others by native fan-out makes what waits in queues leave, within the turn.
    const other = new Promise<Socket>((resolve) => io.on('connection', resolve));
    const bystander = await WireClient.open(io.port);
    bystander.send([0]);
    (await other).join('others');
    const away = new Promise((resolve) => socket.on('away', resolve));
    await reader.pause();
    let n = 0;
    const emitMany = (bytes: number): void => {
      for (let sent = 0; sent < bytes; sent += bytesEach) {
        emit(io, socket, n++);
        if (n % 40 === 0) io.to('others').emit('flush');
      }
    };
    // The client says something in the midst of it, which wakes its connection on the server.
    reader.say(2, '/', 'hello', []);
    // One turn: more than the kernel takes and the limit allows, …
    emitMany(what.includes('default') ? 24_000_000 : 14_000_000);
    // … and when the client has made room, more. On node nothing leaves within a turn.
    if (io.hostName === 'node') await new Promise(setImmediate);
    reader.readOn(1_000_000);
    emitMany(500_000);
    await new Promise(setImmediate);
    emitMany(500_000);
    reader.end();
    bystander.cut();
    await away;
    const before = packetsIn(await reader.bytes);
    const [, session, secret] = before.find(([type]) => type === 1) as [number, string, string];
    const counted = before.filter(([type]) => type === 2 || type === 11).length;
    const positions = new Map<string, number>();
    for (const [type, , flat] of before) {
      if (type !== 5) continue;
      const list = flat as (string | number)[];
      for (let i = 0; i < list.length; i += 2) positions.set(list[i] as string, list[i + 1] as number);
    }
    const back = await WireClient.open(io.port);
    back.send([0, [], '', [session, secret, counted, 0, [...positions].flat()]]);
    const welcome = await back.packet(1);
    expect(welcome[5]).toBe(true);
    const numbersIn = (packets: readonly unknown[][]): number[] =>
      packets.flatMap((packet) => {
        const args = packet[0] === 2 ? packet[3] : packet[0] === 5 ? packet[4] : undefined;
        return args === undefined ? [] : [(args as number[])[0] as number];
      });
    const seen = numbersIn(before);
    await back.until(() => seen.length + numbersIn(back.received).length >= n);
    await back.settle();
    back.cut();
    expect([...seen, ...numbersIn(back.received)]).toEqual(Array.from({ length: n }, (_, i) => i));
    // It was tested: the connection did not take all of it.
    expect(seen.length).toBeLessThan(n);
  });
});
