import { describe, expect, test, vi } from 'vitest';
import { Budget } from '../base/budget';
import { systemPlatform } from '../base/platform';
import { Traffic } from '../base/traffic';
import type { HostSocket } from '../host/host';
import { Peer } from '../host/host';
import { nobody } from './connection';
import { Flusher } from './flusher';
import { lookBytes, WebSocketConnection } from './websocket';

const goodbye = { code: 1000, reason: 'é'.repeat(100), by: 'server' } as const;

/** A socket as strict as a native one: whatever is done with it after its end throws. */
class StrictSocket implements HostSocket {
  readonly done: string[] = [];
  buffered = 0;
  /** The frame at which the host cuts it. */
  cutAt: string | undefined;
  cut = (): void => {};
  #open = true;

  send(frame: string): void {
    this.#use(`send ${frame}`);
    if (frame !== this.cutAt) return;
    this.#open = false;
    this.cut();
  }

  cork(write: () => void): void {
    this.#use('cork');
    write();
  }

  getBufferedAmount(): number {
    if (!this.#open) throw new Error('used after its end');
    return this.buffered;
  }

  subscribe(topic: string): void {
    this.#use(`subscribe ${topic}`);
  }

  unsubscribe(topic: string): void {
    this.#use(`unsubscribe ${topic}`);
  }

  publish(topic: string, frame: string): void {
    this.#use(`publish ${topic} ${frame}`);
  }

  end(code: number, reason: string): void {
    this.#use(`end ${code} ${Buffer.byteLength(reason)}`);
    this.#open = false;
    this.cut();
  }

  close(): void {
    this.#use('cut');
    this.#open = false;
    this.cut();
  }

  #use(what: string): void {
    if (!this.#open) throw new Error(`${what}: used after its end`);
    this.done.push(what);
  }
}

function setUp({ native = true } = {}) {
  const socket = new StrictSocket();
  const settings = {
    codecIndex: 0,
    binary: false,
    frameBytesMax: 100,
    inflated: undefined,
    compressedBytesMin: Number.POSITIVE_INFINITY,
    patience: { backpressureBytesMax: 1_000 },
    native,
  };
  const connection = new WebSocketConnection(socket, new Peer('::1', false, []), {
    ...settings,
    gathersInMessage: true,
    flusher: new Flusher(systemPlatform),
    platform: systemPlatform,
    traffic: new Traffic('websocket', 'json', new Budget()),
    closed() {},
  });
  const receiver = { onFrame: vi.fn(), onDrain: vi.fn(), onClose: vi.fn() };
  connection.receiver = receiver;
  socket.cut = () => connection.onClose(1006, '');
  return { socket, connection, receiver };
}

describe('sending', () => {
  test('one frame goes alone, more in one write, in order, before what follows', () => {
    const { socket, connection } = setUp();
    connection.send('a');
    connection.flush();
    connection.send('b');
    connection.send('c');
    connection.subscribe('room');
    connection.send('d');
    connection.close(goodbye);
    expect(socket.done).toEqual(['send a', 'cork', 'send b', 'send c', 'subscribe room', 'send d', 'end 1000 122']);
  });

  test.each(['a', 'b'])('nothing follows frame %s, at which the host cuts the socket', (cutAt) => {
    for (const act of [
      (connection: WebSocketConnection) => connection.flush(),
      (connection: WebSocketConnection) => connection.subscribe('room'),
      (connection: WebSocketConnection) => connection.close(goodbye),
    ]) {
      const { socket, connection, receiver } = setUp();
      socket.cutAt = cutAt;
      connection.send('a');
      connection.send('b');
      connection.notifyDrain();
      act(connection);
      expect(socket.done.at(-1)).toBe(`send ${cutAt}`);
      expect(receiver.onClose).toHaveBeenCalledOnce();
      expect(receiver.onDrain).not.toHaveBeenCalled();
    }
  });
});

describe('past backpressureBytesMax', () => {
  const frame = 'x'.repeat(lookBytes + 1);

  test('the connection is cut before another frame follows, and its owner hears of it afterwards', async () => {
    const { socket, connection, receiver } = setUp();
    socket.buffered = frame.length + 1_001;
    connection.send(frame);
    connection.send('behind');
    connection.flush();
    expect(socket.done.map((what) => what.slice(0, 6))).toEqual(['cork', 'send x', 'cut']);
    for (const act of [
      () => connection.send('later'),
      () => connection.subscribe('room'),
      () => connection.published(1),
      () => connection.flush(),
    ])
      act();
    expect(connection.publish('room', 'later')).toBe(false);
    expect(socket.done.length).toBe(3);
    expect(receiver.onClose).not.toHaveBeenCalled();
    await new Promise(setImmediate);
    expect(receiver.onClose).toHaveBeenCalledExactlyOnceWith(
      expect.objectContaining({ code: 1006, reason: 'backpressureBytesMax' }),
    );
  });

  test('a frame of any size gets through where nothing waited before it', () => {
    const { socket, connection } = setUp();
    socket.buffered = frame.length + 1_000;
    connection.send(frame);
    connection.send(frame);
    socket.buffered = frame.length;
    connection.flush();
    expect(socket.done.filter((what) => what === 'cut')).toEqual([]);
    connection.published(frame.length);
    expect(socket.done.at(-1)).not.toBe('cut');
  });

  test('what native fan-out sends counts too', () => {
    const { socket, connection } = setUp();
    socket.buffered = 5_000;
    connection.published(4_000);
    expect(socket.done).toEqual([]);
    socket.buffered = 5_001;
    connection.published(3_999);
    expect(socket.done).toEqual(['cut']);
  });

  test('what is answered within a message counts too', () => {
    const { socket, connection, receiver } = setUp();
    receiver.onFrame.mockImplementation(() => connection.send(frame));
    socket.buffered = frame.length + 1_001;
    connection.onMessage(new ArrayBuffer(1), false);
    connection.onMessage(new ArrayBuffer(1), false);
    expect(socket.done.map((what) => what.slice(0, 6))).toEqual(['send x', 'cut']);
  });

  test('an owner that let the connection go hears nothing of it', async () => {
    const { socket, connection, receiver } = setUp();
    socket.buffered = 5_000;
    connection.published(1);
    connection.receiver = nobody;
    await new Promise(setImmediate);
    expect(receiver.onClose).not.toHaveBeenCalled();
  });
});

describe('publishing to others', () => {
  test('is done by the socket, until it has ended', () => {
    const { socket, connection } = setUp();
    expect(connection.publish('room', 'a')).toBe(true);
    connection.close(goodbye);
    expect(connection.publish('room', 'b')).toBe(false);
    expect(socket.done).toEqual(['publish room a', 'end 1000 122']);
  });

  test('is not done where the host has no native fan-out', () => {
    const { socket, connection } = setUp({ native: false });
    expect(connection.publish('room', 'a')).toBe(false);
    expect(socket.done).toEqual([]);
  });
});

describe('closing', () => {
  test('ends the socket once, when what hears of the drain closes too', () => {
    const { socket, connection, receiver } = setUp();
    receiver.onDrain.mockImplementation(() => connection.close(goodbye));
    connection.notifyDrain();
    connection.close(goodbye);
    connection.flush();
    expect(socket.done).toEqual(['end 1000 122']);
    expect(receiver.onClose).not.toHaveBeenCalled();
  });

  test('afterwards nothing touches the socket', () => {
    const { socket, connection, receiver } = setUp();
    connection.close(goodbye);
    const done = [...socket.done];
    connection.send('a');
    connection.flush();
    connection.subscribe('room');
    connection.unsubscribe('room');
    connection.close(goodbye);
    connection.onMessage(new ArrayBuffer(1), false);
    connection.onDrain();
    connection.onClose(1006, '');
    expect([connection.bufferedBytes, connection.slow]).toEqual([0, false]);
    expect(socket.done).toEqual(done);
    expect(receiver.onFrame).not.toHaveBeenCalled();
  });

  test('after a message of the wrong kind, with a drain pending, once', () => {
    const { socket, connection, receiver } = setUp();
    receiver.onDrain.mockImplementation(() => connection.close(goodbye));
    connection.notifyDrain();
    connection.onMessage(new ArrayBuffer(1), true);
    expect(socket.done).toEqual([expect.stringMatching(/^end 1003 /)]);
    expect(receiver.onClose).toHaveBeenCalledOnce();
  });
});
